"""Multi-task learning against equation (1) of attributes.txt, worked by hand."""

from __future__ import annotations

import math

import pytest
import torch

from trainables import methods
from trainables.game import Batch, Speech
from trainables.methods import mtl

# Of three emotions the right one has probability 2/4 and 1/3; of the attributes' classes 1/4 and 1/2, and 1/5 twice.
EMOTION = (math.log(2) + math.log(3)) / 2
GENDER, SPEAKER = (math.log(4) + math.log(2)) / 2, math.log(5)
LABELLED = Speech(
    torch.zeros(2, 4, 1),
    torch.tensor([4, 4]),
    torch.tensor([0, 2]),
    attributes={"gender": torch.tensor([1, 0]), "speaker": torch.tensor([4, 2])},
)
NETWORKS = {
    "augment": lambda features, lengths: features,
    "encoder": lambda features, lengths: features.mean(dim=1),
    "classifier": lambda represented: torch.tensor([[math.log(2.0), 0.0, 0.0], [0.0, 0.0, 0.0]]),
    "attribute_classifiers": lambda represented: {
        "gender": torch.tensor([[math.log(3.0), 0.0], [0.0, 0.0]]),
        "speaker": torch.zeros(2, 5),
    },
}


@pytest.mark.parametrize("alpha", [0.0, 0.1, 1.0])
def test_the_loss_is_equation_1(alpha):
    loss = mtl.multi_task_loss(NETWORKS, Batch(LABELLED, LABELLED), None, {"alpha": alpha})
    assert loss.item() == pytest.approx((1 - alpha) * EMOTION + alpha * (GENDER + SPEAKER) / 2)


def test_alpha_is_a_tenth_throughout():
    alpha = mtl.METHOD.schedules(mtl.Hyperparameters())["alpha"]
    assert {alpha(progress) for progress in (0.0, 0.5, 1.0)} == {0.1}


def test_one_player_moves_the_shared_layers_and_all_outputs():
    (player,) = methods.load("mtl").players
    assert set(player.moves) == {"encoder", "classifier", "attribute_classifiers"}
