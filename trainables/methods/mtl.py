"""Multi-task learning of emotion and attributes (attributes.txt, 3.1).

The shared layers and an output layer for the emotion and for each attribute, all moved by one player on equation (1).
What the attributes have in common with the other approaches, and what was chosen there: :mod:`~trainables.methods._attributes`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from trainables.game import Batch, Networks, Player, Shape, Values
from trainables.methods import _attributes, cnn_lstm
from trainables.methods._attributes import AttributeClassifiers, attribute_losses
from trainables.networks.recurrent import FEATURES
from trainables.schedules import schedules_of


@dataclass(frozen=True, kw_only=True)
class Hyperparameters(_attributes.Hyperparameters):
    """Those of all approaches; alpha is 0.1 throughout (section 4)."""

    alpha: float = 0.1


def multi_task_loss(networks: Networks, batch: Batch, hyperparameters: Any, values: Values) -> Tensor:
    """Equation (1): (1 - alpha) times the emotion's loss, plus alpha times the mean of the attributes'."""
    represented = cnn_lstm.encode(networks, batch.labelled)
    emotion = cross_entropy(networks["classifier"](represented), batch.labelled.labels)
    attributes = attribute_losses(networks["attribute_classifiers"](represented), batch.labelled)
    return (1 - values["alpha"]) * emotion + values["alpha"] * attributes.mean()


def output_layers(shape: Shape, hyperparameters: Hyperparameters) -> AttributeClassifiers:
    """An output layer on the shared layers for each attribute."""
    return AttributeClassifiers(shape, hyperparameters, lambda count: nn.Linear(FEATURES, count))


METHOD = replace(
    cnn_lstm.METHOD,
    title="Multi-task learning (attributes.txt, 3.1)",
    hyperparameters=Hyperparameters,
    networks={**cnn_lstm.METHOD.networks, "attribute_classifiers": output_layers},
    players=(Player("classifier", ("encoder", "classifier", "attribute_classifiers"), multi_task_loss),),
    schedules=schedules_of("alpha"),
)
