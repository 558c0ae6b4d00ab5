"""What a paper prescribes of training besides networks and losses, in the few words that the loop understands."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from trainables.policies import Policy, RestoreAndHalve


def _without_compiler(optimiser: type[torch.optim.Optimizer]) -> Callable[..., torch.optim.Optimizer]:
    """PyTorch's optimiser without its decorators for ``torch.compile``, which is not used here.

    They import it when they are first called: a second of every process that trains.
    """
    names = ("add_param_group", "zero_grad", "state_dict", "load_state_dict", "step")
    plain = {name: inspect.unwrap(getattr(optimiser, name)) for name in names}
    return type(optimiser.__name__, (optimiser,), {**plain, "step": torch.no_grad()(plain["step"])})


_Adam, _SGD = _without_compiler(torch.optim.Adam), _without_compiler(torch.optim.SGD)


@dataclass(frozen=True, kw_only=True)
class Relabel:
    """Pseudo-labels for the target (pseudo_label.txt, 3.2 and Algorithm 1).

    Attributes:
        every: the share of the planned epochs, above 0, from one labelling to the next: 0.3 of 100 epochs is every 30,
            and of 10 every 3. It is rounded to whole epochs, one at least; each labelling replaces the one before it.
        label: from class probabilities of the unlabelled target utterances, float32 of shape (utterances, classes), to
            which of them are admitted, bool of shape (utterances,), and the label of each as probabilities, float32 of
            shape (utterances, classes).
    """

    every: float
    label: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How the loop trains a method.

    Attributes:
        optimiser: of every player; Adam has PyTorch's defaults besides the learning rate.
        momentum: of SGD.
        l1, l2: weights of the penalties, the sum of the absolute values and of the squares of the weights (not of the
            biases and of normalisation's scales) that a player moves, added to its loss.
        policy: from the first learning rate, what validation does to it and when training stops.
        crop: frames drawn at random from each utterance in training; validation and test see the whole of it.
            ``None`` for all of it in training, too.
        frozen: networks that no player moves in this configuration.
        relabel: pseudo-labels, if there are any.
        turns: updates that each player makes in a step, on the step's batch; its loss is told as ``values["turn"]``
            which one it is (dann.txt, 4.2.2: with BN4, the source's and then the target's).
        rebalance: whether labelled and pseudo-labelled target utterances are repeated at random until there are as many
            as of the source (pseudo_label.txt, 3.2.3).
        mixup: what is labelled is trained on as convex combinations of pairs (pseudo_label.txt, (6) and (7)), in which
            the share of the first is drawn uniformly from between this and 1; ``None`` for single utterances.
        normalisation: whose statistics standardise in place of the protocol's (:class:`~data_prep.splits.Protocol`);
            ``none`` for features as they are in the store, ``None`` for the protocol's.
    """

    optimiser: Literal["adam", "sgd"] = "adam"
    momentum: float = 0.0
    l1: float = 0.0
    l2: float = 0.0
    policy: Callable[[float], Policy] = field(default=RestoreAndHalve)
    crop: int | None = None
    frozen: tuple[str, ...] = ()
    relabel: Relabel | None = None
    rebalance: bool = False
    turns: int = 1
    mixup: float | None = None
    normalisation: str | None = None

    def optimise(self, weights: Iterable[torch.nn.Parameter], learning_rate: float) -> torch.optim.Optimizer:
        """The optimiser of one player's weights."""
        if self.optimiser == "sgd":
            return _SGD(weights, lr=learning_rate, momentum=self.momentum, fused=True)
        return _Adam(weights, lr=learning_rate, fused=True)

    def penalised(self, loss: Tensor, weights: Iterable[torch.nn.Parameter]) -> Tensor:
        """One player's loss with the penalty of its weights."""
        return penalised(loss, weights, self.l1, self.l2)


def penalised(loss: Tensor, weights: Iterable[Tensor], l1: Tensor | float, l2: Tensor | float) -> Tensor:
    """A loss with the weighted sums of the weights' absolute values and of their squares, as far as they weigh anything.

    Args:
        loss: of a player, of shape ().
        weights: of the player; those of one dimension, which are biases and scales, are left out.
        l1, l2: numbers, or tensors of shape ().
    """
    norms = [(by, norm) for by, norm in ((l1, Tensor.abs), (l2, Tensor.square)) if isinstance(by, Tensor) or by]
    if not norms:
        return loss
    matrices = [weight for weight in weights if weight.ndim > 1]
    return loss + sum(by * norm(matrix).sum() for matrix in matrices for by, norm in norms)
