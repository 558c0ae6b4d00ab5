"""The adversarial discriminator against equation (3) of attributes.txt, worked by hand, and its two players."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import cross_entropy

from trainables.game import Shape, build, noise, play
from trainables.methods import adversarial_discriminator, cnn_lstm
from trainables.methods.adversarial_discriminator import METHOD, classifier_loss, discriminators_loss


@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0])
def test_the_classifier_gets_minus_the_mean_of_the_discriminators_losses_by_equation_3(alpha, worked):
    loss = classifier_loss(worked.networks("discriminators"), worked.batch, None, {"alpha": alpha})
    attributes = (worked.gender_loss + worked.speaker_loss) / 2
    assert loss.item() == pytest.approx((1 - alpha) * worked.emotion_loss - alpha * attributes)


@pytest.mark.parametrize("alpha", [0.0, 0.5])
def test_each_discriminator_has_its_own_loss_whatever_alpha_is(alpha, worked):
    loss = discriminators_loss(worked.networks("discriminators"), worked.batch, None, {"alpha": alpha})
    assert loss.item() == pytest.approx(worked.gender_loss + worked.speaker_loss)


def test_discriminators_see_what_the_classifier_says_of_the_emotion_and_nothing_else(worked):
    seen: list[torch.Tensor] = []
    for loss in (classifier_loss, discriminators_loss):
        loss(worked.networks("discriminators", seen.append), worked.batch, None, {"alpha": 0.5})
    assert all(torch.equal(emotions, worked.emotions) for emotions in seen) and len(seen) == 2


def test_at_alpha_1_the_classifier_is_pushed_up_the_mean_of_the_discriminators_losses():
    shape = Shape(16, 6, 3, {"corpus": 3, "gender": 2, "speaker": 5, "language": 2})
    networks = build(play(METHOD), shape, METHOD.hyperparameters(attributes="corpus+gender"), seed=0).eval()
    batch = noise(shape, utterances=4)
    weights = list(networks["encoder"].parameters())
    told = networks["discriminators"](cnn_lstm.predict(dict(networks.items()), *batch.labelled[:2]))
    mean = 0.5 * sum(cross_entropy(logits, batch.labelled.attributes[name]) for name, logits in told.items())
    up = torch.autograd.grad(mean, weights)
    pushed = torch.autograd.grad(classifier_loss(dict(networks.items()), batch, None, {"alpha": 1.0}), weights)
    assert any(gradient.any() for gradient in up)
    for gradient, other in zip(pushed, up, strict=True):
        torch.testing.assert_close(gradient, -other)


def test_two_players_move_the_discriminators_and_then_the_classifier():
    assert [(player.name, set(player.moves)) for player in METHOD.players] == [
        ("discriminators", {"discriminators"}),
        ("classifier", {"encoder", "classifier"}),
    ]


def test_alpha_is_a_half_throughout():
    alpha = METHOD.schedules(adversarial_discriminator.Hyperparameters())["alpha"]
    assert {alpha(progress) for progress in (0.0, 0.5, 1.0)} == {0.5}
