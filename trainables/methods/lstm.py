"""The LSTM of multilingual.txt, 4.1: two layers of 128 cells and a dense layer of the classes, trained on the source.

It reads MFCC, 120 frames of an utterance at most, or IS09's functionals as a sequence of one. The paper gives neither
optimiser, learning rate, batch size, epochs, nor what ends training: Adam with 1e-3 on batches of 32, its library's
usual values, are taken; the epoch that is best on validation is kept, and ten without a better one end training.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from trainables import ranges
from trainables.game import Method, Networks, Player
from trainables.methods import cnn
from trainables.methods._classification import classifying, cross_entropy_of
from trainables.networks.sequence import FEATURES, LSTMEncoder
from trainables.policies import Decay
from trainables.recipe import Recipe

PATIENCE = 10


@dataclass(frozen=True, kw_only=True)
class Hyperparameters(cnn.Hyperparameters):
    """What every LSTM of multilingual.txt takes.

    Attributes:
        learning_rate: of Adam.
        batch_size: source utterances in a step.
        hidden_size: LSTM cells of a layer (multilingual.txt, 4.1).
    """

    learning_rate: float = 1e-3
    batch_size: int = 32
    hidden_size: int = FEATURES

    def __post_init__(self) -> None:
        super().__post_init__()
        ranges.whole(1, hidden_size=self.hidden_size)


def represent(networks: Networks, features: Tensor, lengths: Tensor) -> Tensor:
    """What the second layer ends with, (batch, hidden_size)."""
    return networks["encoder"](features, lengths)


predict = classifying(represent)
classification_loss = cross_entropy_of(predict)


METHOD = Method(
    title="LSTM (multilingual.txt, 4.1)",
    hyperparameters=Hyperparameters,
    networks={
        "encoder": lambda shape, hyperparameters: LSTMEncoder(shape.dimensions, hyperparameters.hidden_size),
        "classifier": lambda shape, hyperparameters: nn.Linear(hyperparameters.hidden_size, shape.classes),
    },
    players=(Player("classifier", ("encoder", "classifier"), classification_loss),),
    predict=predict,
    represent=represent,
    predictors=("encoder", "classifier"),
    recipe=lambda hyperparameters: Recipe(policy=lambda rate: Decay(rate, patience=PATIENCE)),
    feature="mfcc13",
)
