"""Several runs trained as one batch: a dimension of runs over weights, data and noise (``torch.func.vmap``).

The models are small, and a GPU may wait for the next operator most of the time. Runs whose networks and losses are alike go
through the players' turns together. All else of a run is its own: seed, split, batches, noise, schedules, optimisers,
learning rate, validation, early stopping, best checkpoint. Yet batches are gathered at once for all runs that share their
features, and weights are moved at once for all that share a learning rate (:mod:`trainables.stacked`). A run may come and go
between two steps, and need not be in the epoch that the others are in.

A run trained so has the numbers that it has alone, up to the order of floating-point sums: batched convolutions and matrix
products add in another one. An LSTM (``aten::lstm``) has no batching rule, and HuBERT, whose layers are of classes made anew
for each, is like no other network: runs with these are trained one after another.
"""

from __future__ import annotations

import copy
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap

from trainables.game import Player
from trainables.loop import Step, Training, TrainingDiverged
from trainables.networks.noise import drawn_by
from trainables.recipe import penalised
from trainables.stacked import Feeds, StackedBatch, batch_of_one, step_together

# What has no batching rule.
_ALONE = (nn.RNNBase,)


class Epoch(NamedTuple):
    """A run's epoch that is over.

    Attributes:
        run: whose.
        error: why the run cannot go on; ``None`` where it can, or has come to its end.
    """

    run: Training
    error: TrainingDiverged | None


def can_share(run: Training) -> bool:
    """Whether a run can be trained in a batch with others at all."""
    return run.workers.count == 1 and not any(isinstance(module, _ALONE) for module in run.modules.modules())


def alike(run: Training, other: Training) -> bool:
    """Whether two runs that can share a batch can share one with each other.

    They play the same game with the same networks; what numbers their hyperparameters are may differ, as far as the
    networks are none the wiser (of two rates of dropout each would need its own).
    """
    return (
        run.game == other.game
        and run.device == other.device
        and _settings(run) == _settings(other)
        and _structure(run.modules) == _structure(other.modules)
    )


class Pack:
    """Runs that share a batch.

    Attributes:
        runs: those that are trained now, alike one and all.
    """

    def __init__(self, runs: Sequence[Training] = ()) -> None:
        self.runs: list[Training] = []
        self.change(come=runs)

    def change(self, *, come: Sequence[Training] = (), go: Sequence[Training] = ()) -> None:
        """Lets runs come and go.

        The weights of all of them come to lie in one tensor for each name, of which a run's own are a part: what a run
        does to its networks (a validation, going back to its best epoch) it does there.
        """
        # Those that go have weights of their own again: a part would keep the whole in memory.
        gone = [run for run in self.runs if run in go]
        self.runs = [run for run in self.runs if run not in go] + list(come)
        self._tensors = [_tensors(run.modules) for run in self.runs]
        self._stacked = {}
        for name in self._tensors[0] if self.runs else ():
            whole = self._stacked[name] = torch.stack([tensors[name].detach() for tensors in self._tensors])
            for tensors, part in zip(self._tensors, whole, strict=True):
                tensors[name].data = part
        for run in gone:
            for tensor in _tensors(run.modules).values():
                tensor.data, tensor.grad = tensor.detach().clone(), None
        self._feeds = Feeds([run.feed for run in self.runs])

    def advance(self) -> list[Epoch]:
        """Trains all runs until one or more of them have come to the end of an epoch, and validates those."""
        over: list[Training] = []
        while not over:
            begun = time.perf_counter()
            self.step()
            seconds = time.perf_counter() - begun
            for run in self.runs:
                run.seconds += seconds / len(self.runs)
            over = [run for run in self.runs if run.steps_are_done]
        return [_end_epoch(run) for run in over]

    def step(self) -> None:
        """One step of every run."""
        if len(self.runs) == 1:
            self.runs[0].take_step()
            return
        steps = [run.begin_step() for run in self.runs]
        groups: dict[Any, list[int]] = defaultdict(list)
        for number, step in enumerate(steps):
            groups[self._feeds.form(number, step.draw)].append(number)
        players, turns = self.runs[0].players, self.runs[0].recipe.turns
        for numbers in groups.values():
            batch = self._feeds.gather({number: steps[number].draw for number in numbers})
            for player in players:
                for turn in range(turns):
                    self._turn(player, turn, numbers, [steps[number] for number in numbers], batch)

    def _turn(self, player: Player, turn: int, numbers: list[int], steps: Sequence[Step], batch: StackedBatch) -> None:
        """One update of a player in some of the runs, whose batches are of one form."""
        runs = [self.runs[number] for number in numbers]
        whole = len(runs) == len(self.runs)
        stacked = self._stacked if whole else {name: tensor[numbers] for name, tensor in self._stacked.items()}
        names = _moved(player, runs[0])
        leaves = {name: stacked[name].detach().requires_grad_() for name in names}
        losses = vmap(_one_run(player, turn, runs, steps, names))(
            {**stacked, **leaves}, batch, _differing(runs, steps), torch.arange(len(runs))
        )
        gradients = torch.autograd.grad(losses.sum(), list(leaves.values()), allow_unused=True)
        if not whole:  # what normalisation has learnt of the batch
            for name in dict(runs[0].modules.named_buffers()):
                self._stacked[name][numbers] = stacked[name]
        for name, gradient in zip(names, gradients, strict=True):
            parts = [None] * len(runs) if gradient is None else gradient.contiguous().unbind()
            for number, part in zip(numbers, parts, strict=True):
                self._tensors[number][name].grad = part
        step_together(runs[0].recipe, [run.optimisers[player.name] for run in runs])
        for run, loss in zip(runs, losses.detach().unbind(), strict=True):
            run.losses[player.name].append(loss)


def _one_run(
    player: Player, turn: int, runs: Sequence[Training], steps: Sequence[Step], moved: Sequence[str]
) -> Callable[..., Tensor]:
    """The loss of a player as a function of what is different from run to run."""
    first = runs[0]
    generators = [
        torch.Generator(run.device).manual_seed(step.noise[player.name, turn])
        for run, step in zip(runs, steps, strict=True)
    ]

    def loss(tensors: Mapping[str, Tensor], batch: StackedBatch, own: Mapping[str, Any], number: Tensor) -> Tensor:
        networks = {name: _call(module, name, tensors) for name, module in first.networks.items()}
        hyperparameters = copy.copy(first.hyperparameters)
        for name, value in own["hyperparameters"].items():
            object.__setattr__(hyperparameters, name, value)  # its own checks cannot look into what vmap hides
        values = {**steps[0].values, **own["values"], "turn": turn}
        with drawn_by(number, generators):
            value = player.loss(networks, batch_of_one(batch), hyperparameters, values)
        norms = {"l1": first.recipe.l1, "l2": first.recipe.l2, **own["penalties"]}
        return penalised(value, [tensors[name] for name in moved], **norms)

    return loss


def _differing(runs: Sequence[Training], steps: Sequence[Step]) -> dict[str, dict[str, Tensor]]:
    """The numbers that are not the same in all runs, each as a tensor of all runs'."""
    like = next(runs[0].modules.parameters())

    def differing(each: Sequence[Mapping[str, Any]]) -> dict[str, Tensor]:
        return {
            name: torch.tensor([values[name] for values in each], dtype=like.dtype, device=like.device)
            for name in each[0]
            if len({values[name] for values in each}) > 1
        }

    return {
        "hyperparameters": differing([vars(run.hyperparameters) for run in runs]),
        "values": differing([step.values for step in steps]),
        "penalties": differing([{"l1": run.recipe.l1, "l2": run.recipe.l2} for run in runs]),
    }


def _end_epoch(run: Training) -> Epoch:
    try:
        run.end_epoch()
    except TrainingDiverged as error:
        return Epoch(run, error)
    return Epoch(run, None)


def _moved(player: Player, run: Training) -> list[str]:
    """The names of the weights that a player moves."""
    moved = {id(weight) for weight in run.weights(player)}
    return [name for name, weight in run.modules.named_parameters() if id(weight) in moved]


def _call(module: nn.Module, name: str, tensors: Mapping[str, Tensor]) -> Callable[..., Any]:
    """A network with weights and buffers of one's own."""
    own = {key.removeprefix(f"{name}."): tensor for key, tensor in tensors.items() if key.startswith(f"{name}.")}
    return lambda *arguments, **named: functional_call(module, own, arguments, named)


def _tensors(modules: nn.ModuleDict) -> dict[str, Tensor]:
    return dict([*modules.named_parameters(), *modules.named_buffers()])


def _settings(run: Training) -> dict[str, Any]:
    """The hyperparameters that must be the same in a batch: all that is no fraction, among them how large a batch is."""
    return {name: value for name, value in vars(run.hyperparameters).items() if not isinstance(value, float)}


def _structure(modules: nn.ModuleDict) -> list[tuple[str, type, dict[str, Any], list[tuple[str, torch.Size]]]]:
    """What networks are, but for the values of their weights."""
    return [
        (
            name,
            type(module),
            {key: value for key, value in vars(module).items() if key != "training" and not key.startswith("_")},
            [(key, tensor.shape) for key, tensor in (*module.named_parameters(), *module.named_buffers())],
        )
        for name, module in modules.named_modules()
    ]
