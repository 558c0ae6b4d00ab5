"""The baseline of addi.txt, 4.3: a convolutional encoder and an emotion classifier, trained on the source alone."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from trainables import ranges
from trainables.game import Method, Networks, Player
from trainables.methods._classification import classifying, cross_entropy_of
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


def represent(networks: Networks, features: Tensor, lengths: Tensor) -> Tensor:
    """The encoder's 256 features, (batch, 256)."""
    return networks["encoder"](features)


predict = classifying(represent)
classification_loss = cross_entropy_of(predict)


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
