"""The pretext of sADDi: its losses against numbers worked by hand, its pseudo-labels, and what it hands on."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from data_prep.errors import InputError
from trainables import methods
from trainables.game import Batch, Shape, Speech, build, noise, play
from trainables.methods import emotional_gan
from trainables.methods.emotional_gan import Hyperparameters, PseudoLabels

REAL = torch.full((2, 3, 1), 1.0)
UNLABELLED = Speech(REAL, torch.tensor([3, 3]), torch.tensor([-1, -1]))
BATCH = Batch(UNLABELLED, UNLABELLED)
SHAPE = Shape(frames=40, dimensions=6, classes=4)
# Softmax of the logits (log 1, log 2, log 5): emotion 0, emotion 1, fake.
LOGITS = torch.log(torch.tensor([1.0, 2.0, 5.0]))


def by_hand(seen: list[float] | None = None):
    """Networks of two emotions that can be followed by hand.

    The utterances are given emotions 1 and 0. The latent code is an utterance's mean, 1; the generator gives it plus ten
    times the emotion, everywhere. The discriminator notes what it sees and answers the same for everything.
    """

    def discriminate(features):
        if seen is not None:
            seen.extend(features.mean(dim=(1, 2)).tolist())
        return LOGITS.expand(len(features), -1)

    return {
        "pseudo_labels": lambda features: torch.tensor([[0.0, 1.0], [1.0, 0.0]]),
        "encoder": lambda features: features.mean(dim=(1, 2)).unsqueeze(1),
        "generator": lambda latent, code: (latent + 10 * code[:, 1:]).unsqueeze(1).expand(-1, 3, -1),
        "discriminator": discriminate,
    }


def test_the_discriminator_tells_real_speech_to_its_pseudo_label_and_generated_speech_to_the_last_output():
    seen: list[float] = []
    loss = emotional_gan.discriminator_loss(by_hand(seen), BATCH, Hyperparameters(fake_weight=3.0), {})
    assert seen == [1.0, 1.0, 11.0, 1.0], "real, then generated: 1 + 10 for emotion 1, 1 for emotion 0"
    real = -(math.log(2 / 8) + math.log(1 / 8)) / 2
    assert loss.item() == pytest.approx(real + 3.0 / 2 * -math.log(5 / 8))


def test_the_generator_is_to_be_taken_for_the_emotion_that_it_was_given():
    loss = emotional_gan.generator_loss(by_hand(), BATCH, Hyperparameters(), {})
    assert loss.item() == pytest.approx(-(math.log(2 / 8) + math.log(1 / 8)) / 2)


def test_reconstruction_adds_the_mean_squared_error_where_it_has_a_weight():
    # What is generated from 1 is 11 under emotion 1 (error 100) and 1 under emotion 0 (error 0).
    plain, with_it = (
        emotional_gan.generator_loss(by_hand(), BATCH, Hyperparameters(reconstruction_weight=weight), {}).item()
        for weight in (0.0, 0.1)
    )
    assert with_it - plain == pytest.approx(0.1 * 50.0)


def test_over_all_pseudo_labels_real_speech_has_a_semi_supervised_gans_loss_and_the_distance_from_uniform():
    likely = LOGITS.softmax(dim=0).double().numpy()
    losses = []
    for label in range(2):
        code = torch.eye(2)[[label, label]]
        networks = {**by_hand(), "pseudo_labels": lambda features, code=code: code}
        losses.append(emotional_gan.discriminator_loss(networks, BATCH, Hyperparameters(fake_weight=1e-12), {}).item())
    emotions = likely[:2] / likely[:2].sum()
    divergence = np.sum(0.5 * np.log(0.5 / emotions))
    assert np.mean(losses) == pytest.approx(-np.log(1 - likely[2]) + divergence + np.log(2))


def test_pseudo_labels_are_uniform_and_drawn_anew():
    draw, features = PseudoLabels(4), torch.zeros(40_000, 1, 1)
    first, second = draw(features), draw(features)
    assert first.sum(dim=1).eq(1).all() and first.shape == (40_000, 4)
    # Binomial with p = 1/4: a standard deviation of 87 about 10,000; five of them.
    assert (first.sum(dim=0) - 10_000).abs().max() < 5 * 87
    agree = (first * second).sum().item()
    assert abs(agree - 10_000) < 5 * 87, "the second draw knows nothing of the first"


def test_workers_draw_together_what_one_would_draw():
    features, parts = torch.zeros(8, 1, 1), []
    torch.manual_seed(1)
    whole = PseudoLabels(4)(features)
    for worker in range(2):
        part = PseudoLabels(4)
        part.worker, part.workers = worker, 2
        torch.manual_seed(1)
        parts.append(part(features[:4]))
    assert torch.equal(torch.cat(parts), whole)


def test_the_networks_have_the_papers_sizes():
    networks = build(play(methods.load("emotional_gan")), Shape(300, 40, 4), Hyperparameters(), seed=0)
    linear = [(m.in_features, m.out_features) for m in networks["discriminator"] if isinstance(m, torch.nn.Linear)]
    assert linear == [(300 * 40, 256), (256, 128), (128, 4 + 1)]
    assert networks["discriminator"](torch.zeros(2, 300, 40)).shape == (2, 5)
    transposed = [m for m in networks["generator"].modules() if isinstance(m, torch.nn.ConvTranspose1d)]
    assert len(transposed) == 3 and transposed[0].in_channels == 256 + 4
    assert networks["generator"](torch.zeros(2, 256), torch.eye(4)[:2]).shape == (2, 300, 40)


def test_the_generators_turn_reaches_the_encoder_and_the_discriminators_does_not():
    networks = build(play(methods.load("emotional_gan")), SHAPE, Hyperparameters(), seed=0)
    batch, weights = noise(SHAPE, utterances=4), list(networks["encoder"].parameters())
    generator, discriminator = (
        torch.autograd.grad(loss(dict(networks.items()), batch, Hyperparameters(), {}), weights, allow_unused=True)
        for loss in (emotional_gan.generator_loss, emotional_gan.discriminator_loss)
    )
    assert all(gradient is not None and gradient.abs().sum() > 0 for gradient in generator)
    assert all(gradient is None for gradient in discriminator)


@pytest.mark.parametrize("method", ["cnn", "addi"])
@pytest.mark.parametrize("pretext", ["emotional_gan", "reconstruction"])
def test_its_encoder_fits_what_starts_from_it(pretext, method):
    own, other = (
        build(play(methods.load(name)), SHAPE, methods.load(name).hyperparameters(), seed=0)["encoder"].state_dict()
        for name in (pretext, method)
    )
    assert {name: value.shape for name, value in own.items()} == {name: value.shape for name, value in other.items()}
    assert methods.load(pretext).predictors == ("encoder",)


@pytest.mark.parametrize("given", [{"fake_weight": 0.0}, {"reconstruction_weight": -1.0}, {"fake_weight": math.inf}])
def test_a_hyperparameter_outside_its_range_is_refused(given):
    with pytest.raises(InputError, match=next(iter(given))):
        Hyperparameters(**given)
