"""Multi-task learning against equation (1) of attributes.txt, worked by hand."""

from __future__ import annotations

import pytest

from trainables import methods
from trainables.methods import mtl


@pytest.mark.parametrize("alpha", [0.0, 0.1, 1.0])
def test_the_loss_is_equation_1(alpha, worked):
    loss = mtl.multi_task_loss(worked.networks("attribute_classifiers"), worked.batch, None, {"alpha": alpha})
    attributes = (worked.gender_loss + worked.speaker_loss) / 2
    assert loss.item() == pytest.approx((1 - alpha) * worked.emotion_loss + alpha * attributes)


def test_alpha_is_a_tenth_throughout():
    alpha = mtl.METHOD.schedules(mtl.Hyperparameters())["alpha"]
    assert {alpha(progress) for progress in (0.0, 0.5, 1.0)} == {0.1}


def test_one_player_moves_the_shared_layers_and_all_outputs():
    (player,) = methods.load("mtl").players
    assert set(player.moves) == {"encoder", "classifier", "attribute_classifiers"}
