"""What the three approaches of attributes.txt share: which attributes, their classifiers and losses, the weight alpha.

What the paper leaves open, and what was chosen:

- *An attribute that all of the source has alike*, such as the language of a source in one language, cannot be told, and
  a model that pretended to learn it would be the baseline under another name: it is refused.
- *An utterance whose attribute is unknown* (a gender that a corpus does not tell; a speaker of the target, where a
  protocol grants labels there) counts in the mean over the batch with a loss of 0.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from data_prep.errors import InputError, unknown
from trainables.game import ATTRIBUTES, Shape, Speech
from trainables.methods import cnn_lstm
from trainables.schedules import check_ramp

# The fifteen of section 3.3, as the hyperparameter ``attributes`` has them: "corpus", ..., "corpus+gender+speaker+language".
COMBINATIONS = tuple(
    "+".join(chosen) for count in range(1, len(ATTRIBUTES) + 1) for chosen in itertools.combinations(ATTRIBUTES, count)
)


@dataclass(frozen=True, kw_only=True)
class Hyperparameters(cnn_lstm.Hyperparameters):
    """The baseline's, the attributes, and their weight.

    Attributes:
        attributes: one of :data:`COMBINATIONS`.
        alpha: of equations (1) to (3); at 0 the method is the baseline.
        alpha_ramp, alpha_gamma, alpha_delay: how alpha comes in over training (:func:`trainables.schedules.ramp`).
    """

    attributes: str = "language"
    alpha: float = 0.5
    alpha_ramp: str = "constant"
    alpha_gamma: float = 10.0
    alpha_delay: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_attributes(self.attributes)
        check_ramp(self, "alpha", most=1.0)


def check_attributes(attributes: str) -> None:
    """Refuses what is none of :data:`COMBINATIONS`.

    Each has one spelling, so that the same run is never taken as two.

    Raises:
        InputError: a name is unknown, there twice, or out of order; it says what would be right.
    """
    if not isinstance(attributes, str):
        raise InputError(f"attributes is {attributes!r}; it must be text, such as 'corpus+speaker'")
    names = attributes.split("+")
    for name in names:
        if name not in ATTRIBUTES:
            raise unknown("attribute", name, ATTRIBUTES)
    right = "+".join(name for name in ATTRIBUTES if name in names)
    if attributes != right:
        raise InputError(f"attributes is {attributes!r}; name each once and in this order: {right!r}")


class AttributeClassifiers(nn.ModuleDict):
    """One network for each attribute of a configuration: from what they all read to the logits of each, by name."""

    def __init__(self, shape: Shape, hyperparameters: Hyperparameters, make: Callable[[int], nn.Module]) -> None:
        """Makes each network from how many classes its attribute has.

        Raises:
            InputError: all of the source has an attribute alike.
        """
        super().__init__()
        for name in hyperparameters.attributes.split("+"):
            count = shape.attributes[name]
            if count < 2:
                raise InputError(
                    f"the source's training part has {count or 'no'} known {name}, which cannot be told from another; "
                    f"leave {name} out of attributes, {hyperparameters.attributes!r}, or add corpora that differ in it"
                )
            self[name] = make(count)

    def forward(self, values: Tensor) -> dict[str, Tensor]:
        """Logits (batch, the attribute's classes) of each attribute."""
        return {name: network(values) for name, network in self.items()}


def attribute_losses(logits: Mapping[str, Tensor], speech: Speech) -> Tensor:
    """The cross-entropy of each attribute, shape (attributes,)."""
    return torch.stack(
        [
            cross_entropy(values, speech.attributes[name], ignore_index=-1, reduction="sum") / len(values)
            for name, values in logits.items()
        ]
    )
