"""Adversarial discriminators of attributes (attributes.txt, 3.2.2).

The baseline's classifier C, and for each attribute a discriminator of its own that reads it from C's softmax. A step:

1. ``discriminators`` moves the discriminators, each on its own cross-entropy of what C predicts.
2. ``classifier`` moves C on equation (3).

How the paper's points are read:

- *The discriminators' losses are summed, not averaged*: each is trained on its own, at the learning rate that all have.
- *Which C the discriminators see.* C as it is at that step of training, under dropout and SpecAugment's masks; each turn
  draws its own, as any two players' do.
- *Equation (3) has no lower bound*, and the paper has no remedy but to leave out the projection of the work that it
  follows. None is added here: a run whose loss is no longer finite fails.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from trainables.game import Batch, Networks, Player, Shape, Values
from trainables.methods import _attributes, cnn_lstm
from trainables.methods._attributes import AttributeClassifiers, attribute_losses
from trainables.networks.recurrent import AttributeDiscriminator
from trainables.schedules import schedules_of


@dataclass(frozen=True, kw_only=True)
class Hyperparameters(_attributes.Hyperparameters):
    """Those of all approaches; alpha is 0.5 throughout (section 4)."""


def discriminators_loss(networks: Networks, batch: Batch, hyperparameters: Any, values: Values) -> Tensor:
    """The sum of each discriminator's cross-entropy."""
    with torch.no_grad():
        emotions = networks["classifier"](cnn_lstm.encode(networks, batch.labelled))
    return attribute_losses(networks["discriminators"](emotions), batch.labelled).sum()


def classifier_loss(networks: Networks, batch: Batch, hyperparameters: Any, values: Values) -> Tensor:
    """Equation (3): (1 - alpha) times the emotion's loss, minus alpha times the mean of the discriminators'."""
    emotions = networks["classifier"](cnn_lstm.encode(networks, batch.labelled))
    attributes = attribute_losses(networks["discriminators"](emotions), batch.labelled)
    emotion = cross_entropy(emotions, batch.labelled.labels)
    return (1 - values["alpha"]) * emotion - values["alpha"] * attributes.mean()


def _discriminators(shape: Shape, hyperparameters: Hyperparameters) -> AttributeClassifiers:
    return AttributeClassifiers(shape, hyperparameters, lambda count: AttributeDiscriminator(shape.classes, count))


METHOD = replace(
    cnn_lstm.METHOD,
    title="Adversarial discriminators of attributes (attributes.txt, 3.2.2)",
    hyperparameters=Hyperparameters,
    networks={**cnn_lstm.METHOD.networks, "discriminators": _discriminators},
    players=(
        Player("discriminators", ("discriminators",), discriminators_loss),
        Player("classifier", ("encoder", "classifier"), classifier_loss),
    ),
    schedules=schedules_of("alpha"),
)
