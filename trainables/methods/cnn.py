"""The baseline of addi.txt, 4.3: a convolutional encoder and an emotion classifier, trained on the source alone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from torch import Tensor
from torch.nn.functional import cross_entropy

from data_prep.errors import InputError
from trainables.game import Batch, Method, Networks, Player, Values
from trainables.networks.convolutional import FEATURES, ConvolutionalEncoder
from trainables.networks.dense import Classifier


@dataclass(frozen=True, kw_only=True)
class Hyperparameters:
    """What every method of addi.txt takes.

    Attributes:
        learning_rate: of Adam, at the start (addi.txt, 4.3).
        batch_size: source utterances in a step; the paper does not say.
    """

    learning_rate: float = 1e-4
    batch_size: int = 32

    def __post_init__(self) -> None:
        if not 0 < self.learning_rate < math.inf:
            raise InputError(f"learning_rate is {self.learning_rate}; it must be above 0 and finite")
        if not (isinstance(self.batch_size, int) and self.batch_size >= 1):
            raise InputError(f"batch_size is {self.batch_size}; it must be a whole number, 1 or more")


def classification_loss(networks: Networks, batch: Batch, hyperparameters: Any, values: Values) -> Tensor:
    """Cross-entropy of the source's emotions."""
    return cross_entropy(predict(networks, batch.source), batch.labels)


def predict(networks: Networks, features: Tensor) -> Tensor:
    """Logits (batch, classes) of padded features (batch, frames, dimensions)."""
    return networks["classifier"](networks["encoder"](features))


METHOD = Method(
    title="CNN baseline (addi.txt, 4.3)",
    hyperparameters=Hyperparameters,
    networks={
        "encoder": lambda shape: ConvolutionalEncoder(shape.dimensions),
        "classifier": lambda shape: Classifier(FEATURES, shape.classes),
    },
    players=(Player("classifier", ("encoder", "classifier"), classification_loss),),
    predict=predict,
    predictors=("encoder", "classifier"),
)
