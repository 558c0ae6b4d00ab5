"""The single-task baseline of attributes.txt, 3.3 and 4: the CNN-LSTM of Figure 1, trained on emotions alone.

What the paper leaves open, and what was chosen: the batch's size, 32; the patience of early stopping, 20 epochs without
a better validation; whether the 30 and 3 of SpecAugment are widths or the largest ones, and how many masks there are:
the largest, one of each (:class:`~trainables.networks.augment.SpecAugment`). The network's own are in
:mod:`trainables.networks.recurrent`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from trainables import ranges
from trainables.game import Batch, Method, Networks, Player, Speech, Values
from trainables.methods import cnn
from trainables.methods._classification import classifying
from trainables.networks.augment import SpecAugment
from trainables.networks.recurrent import FEATURES, RecurrentEncoder
from trainables.policies import Decay
from trainables.recipe import Recipe


@dataclass(frozen=True, kw_only=True)
class Hyperparameters(cnn.Hyperparameters):
    """What every method of attributes.txt takes (section 4).

    Attributes:
        learning_rate: of stochastic gradient descent with momentum 0.9, for every network.
        batch_size: source utterances in a step.
        dropout: share of the units dropped before the fully connected layer.
        time_mask, frequency_mask: the widest that SpecAugment masks, in frames and in Mel bands; 0 masks nothing.
        patience: epochs without a better validation after which training stops.
    """

    learning_rate: float = 2e-3
    dropout: float = 0.5
    time_mask: int = 30
    frequency_mask: int = 3
    patience: int = 20

    def __post_init__(self) -> None:
        super().__post_init__()
        ranges.below_one(dropout=self.dropout)
        ranges.whole(0, time_mask=self.time_mask, frequency_mask=self.frequency_mask)
        ranges.whole(1, patience=self.patience)


def emotion_loss(networks: Networks, batch: Batch, hyperparameters: Any, values: Values) -> Tensor:
    """L_emo: cross-entropy of the emotions of all that is labelled, under SpecAugment's masks."""
    return cross_entropy(networks["classifier"](encode(networks, batch.labelled)), batch.labelled.labels)


def encode(networks: Networks, speech: Speech) -> Tensor:
    """What the shared layers make of masked speech, (batch, 128)."""
    return represent(networks, networks["augment"](speech.features, speech.lengths), speech.lengths)


def represent(networks: Networks, features: Tensor, lengths: Tensor) -> Tensor:
    """The shared layers' 128 features, (batch, 128)."""
    return networks["encoder"](features, lengths)


predict = classifying(represent)


def recipe(hyperparameters: Hyperparameters) -> Recipe:
    """Section 4: momentum 0.9, a learning rate that stays as it is, early stopping."""
    return Recipe(optimiser="sgd", momentum=0.9, policy=partial(Decay, patience=hyperparameters.patience))


METHOD = Method(
    title="CNN-LSTM, single task (attributes.txt, 3.3)",
    hyperparameters=Hyperparameters,
    networks={
        "augment": lambda shape, hyperparameters: SpecAugment(
            hyperparameters.time_mask, hyperparameters.frequency_mask
        ),
        "encoder": lambda shape, hyperparameters: RecurrentEncoder(shape.dimensions, hyperparameters.dropout),
        "classifier": lambda shape, hyperparameters: nn.Linear(FEATURES, shape.classes),
    },
    players=(Player("classifier", ("encoder", "classifier"), emotion_loss),),
    predict=predict,
    represent=represent,
    predictors=("encoder", "classifier"),
    recipe=recipe,
    feature="mfb40_normalised",
)
