"""The adversarial discriminator against equation (3) of attributes.txt, worked by hand, and its two players."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn.functional import cross_entropy

from trainables.game import Batch, Shape, Speech, build, noise, play
from trainables.methods import adversarial_discriminator, cnn_lstm
from trainables.methods.adversarial_discriminator import METHOD, classifier_loss, discriminators_loss

# Of three emotions the right one has probability 2/4 and 1/3; of the attributes' classes 1/4 and 1/2, and 1/5 twice.
EMOTION = (math.log(2) + math.log(3)) / 2
GENDER, SPEAKER = (math.log(4) + math.log(2)) / 2, math.log(5)
LABELLED = Speech(
    torch.zeros(2, 4, 1),
    torch.tensor([4, 4]),
    torch.tensor([0, 2]),
    attributes={"gender": torch.tensor([1, 0]), "speaker": torch.tensor([4, 2])},
)
BATCH = Batch(LABELLED, LABELLED)
EMOTIONS = torch.tensor([[math.log(2.0), 0.0, 0.0], [0.0, 0.0, 0.0]])


def by_hand(seen: list[torch.Tensor] | None = None):
    def discriminate(emotions):
        if seen is not None:
            seen.append(emotions)
        return {"gender": torch.tensor([[math.log(3.0), 0.0], [0.0, 0.0]]), "speaker": torch.zeros(2, 5)}

    return {
        "augment": lambda features, lengths: features,
        "encoder": lambda features, lengths: features.mean(dim=1),
        "classifier": lambda represented: EMOTIONS,
        "discriminators": discriminate,
    }


@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0])
def test_the_classifier_gets_minus_the_mean_of_the_discriminators_losses_by_equation_3(alpha):
    loss = classifier_loss(by_hand(), BATCH, None, {"alpha": alpha})
    assert loss.item() == pytest.approx((1 - alpha) * EMOTION - alpha * (GENDER + SPEAKER) / 2)


@pytest.mark.parametrize("alpha", [0.0, 0.5])
def test_each_discriminator_has_its_own_loss_whatever_alpha_is(alpha):
    assert discriminators_loss(by_hand(), BATCH, None, {"alpha": alpha}).item() == pytest.approx(GENDER + SPEAKER)


def test_discriminators_see_what_the_classifier_says_of_the_emotion_and_nothing_else():
    seen: list[torch.Tensor] = []
    for loss in (classifier_loss, discriminators_loss):
        loss(by_hand(seen), BATCH, None, {"alpha": 0.5})
    assert all(torch.equal(emotions, EMOTIONS) for emotions in seen) and len(seen) == 2


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
