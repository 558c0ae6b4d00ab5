"""The baseline of addi.txt, 4.3: a convolutional encoder and an emotion classifier, trained on the source alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor
from torch.nn.functional import cross_entropy

from trainables import ranges
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
        ranges.positive(learning_rate=self.learning_rate)
        ranges.whole(1, batch_size=self.batch_size)


def classification_loss(networks: Networks, batch: Batch, hyperparameters: Any, values: Values) -> Tensor:
    """Cross-entropy of the emotions of all that is labelled."""
    return cross_entropy(predict(networks, batch.labelled.features, batch.labelled.lengths), batch.labelled.labels)


def represent(networks: Networks, features: Tensor, lengths: Tensor) -> Tensor:
    """The encoder's 256 features, (batch, 256)."""
    return networks["encoder"](features)


def predict(networks: Networks, features: Tensor, lengths: Tensor) -> Tensor:
    """Logits (batch, classes) of padded features (batch, frames, dimensions)."""
    return networks["classifier"](represent(networks, features, lengths))


METHOD = Method(
    title="CNN baseline (addi.txt, 4.3)",
    hyperparameters=Hyperparameters,
    networks={
        "encoder": lambda shape, hyperparameters: ConvolutionalEncoder(shape.dimensions),
        "classifier": lambda shape, hyperparameters: Classifier(FEATURES, shape.classes),
    },
    players=(Player("classifier", ("encoder", "classifier"), classification_loss),),
    predict=predict,
    represent=represent,
    predictors=("encoder", "classifier"),
)
