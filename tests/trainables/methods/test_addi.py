"""ADDi's equations against numbers worked by hand, and the five configurations of Table 8."""

from __future__ import annotations

import math

import pytest
import torch

from data_prep.errors import InputError
from search_spaces import ablation_addi
from trainables import methods
from trainables.game import Batch, Shape, Speech, build, noise, play
from trainables.methods import addi
from trainables.trainable import train

SOURCE, TARGET = torch.full((2, 3, 1), 1.0), torch.full((2, 3, 1), 2.0)
THREE = torch.tensor([3, 3])
LABELLED = Speech(SOURCE, THREE, torch.tensor([0, 1]))
BATCH = Batch(LABELLED, LABELLED, Speech(TARGET, THREE, torch.tensor([-1, -1])))


def by_hand(seen: dict[str, list[float]] | None = None, **logits: float):
    """Networks that can be followed by hand.

    The latent code is an utterance's mean (1 for the source, 2 for the target). The decoder gives the code plus ten
    times the domain, everywhere. A discriminator notes what it sees and answers one logit.
    """

    def discriminator(name):
        def discriminate(features):
            if seen is not None:
                seen.setdefault(name, []).append(float(features.mean()))
            return torch.full((len(features),), logits[name])

        return discriminate

    return {
        "encoder": lambda features: features.mean(dim=(1, 2)).unsqueeze(1),
        "decoder": lambda latent, code: (latent + 10 * code[:, 1:]).unsqueeze(1).expand(-1, 3, -1),
        **{name: discriminator(name) for name in logits},
    }


def log_one_minus(logit: float) -> float:
    """log(1 - D) of a discriminator's logit."""
    return math.log(1 - 1 / (1 + math.exp(-logit)))


def test_reconstruction_is_the_mean_squared_error_of_both_domains_under_their_own_code():
    # Source comes back as 1 (error 0); target as 2 + 10 = 12, error 10 squared; the mean of both domains is 50.
    assert addi.reconstruction_loss(by_hand(), BATCH, None, {}).item() == pytest.approx(50.0)


def test_each_discriminator_sees_its_own_real_domain_and_the_other_domain_translated_into_it():
    seen: dict[str, list[float]] = {}
    addi.discriminator_loss(by_hand(seen, source_discriminator=0.0, target_discriminator=0.0), BATCH, None, {})
    assert seen["source_discriminator"] == [1.0, 2.0], "real source; the target (2) under the source's code (+0)"
    assert seen["target_discriminator"] == [2.0, 11.0], "real target; the source (1) under the target's code (+10)"


def test_the_discriminators_loss_is_equations_11_and_12():
    networks = by_hand(source_discriminator=0.7, target_discriminator=-0.4)
    worked = sum(-math.log(1 / (1 + math.exp(-logit))) - log_one_minus(logit) for logit in (0.7, -0.4))
    assert addi.discriminator_loss(networks, BATCH, None, {}).item() == pytest.approx(worked)


def test_the_generators_loss_is_equation_1_and_its_adversarial_part_equation_2():
    networks = by_hand(source_discriminator=0.7, target_discriminator=-0.4)
    adversarial = log_one_minus(0.7) + log_one_minus(-0.4)
    loss = addi.generator_loss(networks, BATCH, None, {"adversarial_weight": 0.3})
    assert loss.item() == pytest.approx(50.0 + 0.3 * adversarial)


def test_without_one_discriminator_the_generator_plays_against_the_other():
    networks = by_hand(target_discriminator=-0.4)
    loss = addi.generator_loss(networks, BATCH, None, {"adversarial_weight": 1.0})
    assert loss.item() == pytest.approx(50.0 + log_one_minus(-0.4))


def test_the_generators_turn_reaches_the_encoder_through_the_discriminators():
    networks = build(play(methods.load("addi")), Shape(40, 6, 4), addi.Hyperparameters(), seed=0)
    batch = noise(Shape(40, 6, 4), utterances=2)
    weights = list(networks["encoder"].parameters())
    gradients = [
        torch.autograd.grad(
            addi.generator_loss(dict(networks.items()), batch, None, {"adversarial_weight": w}), weights
        )
        for w in (0.0, 1.0)
    ]
    assert not torch.equal(gradients[0][0], gradients[1][0])


@pytest.mark.parametrize(
    ("variant", "players", "networks"),
    [
        ("full", 4, {"encoder", "classifier", "decoder", "source_discriminator", "target_discriminator"}),
        ("source_discriminator", 4, {"encoder", "classifier", "decoder", "source_discriminator"}),
        ("target_discriminator", 4, {"encoder", "classifier", "decoder", "target_discriminator"}),
        ("autoencoder", 2, {"encoder", "classifier", "decoder"}),
        ("encoder_classifier", 1, {"encoder", "classifier"}),
    ],
)
def test_the_five_configurations_of_table_8_have_the_parts_that_it_says(variant, players, networks):
    without = next(row.without for row in ablation_addi.SWEEP.variants if row.name == variant)
    game = play(methods.load("addi"), without)
    assert (len(game.players), set(game.networks)) == (players, networks)


def test_encoder_and_classifier_alone_are_the_baseline_bit_for_bit(trial, task_data):
    without = next(row.without for row in ablation_addi.SWEEP.variants if row.name == "encoder_classifier")
    stripped, baseline = train(trial("addi", without=without), task_data), train(trial("cnn"), task_data)
    assert all(torch.equal(stripped.weights[name], baseline.weights[name]) for name in baseline.weights)
    assert stripped.metrics["test_uar"] == baseline.metrics["test_uar"]


def test_removing_a_network_leaves_the_first_weights_of_the_others():
    shape, usual = Shape(40, 6, 4), addi.Hyperparameters()
    whole = build(play(methods.load("addi")), shape, usual, seed=5).state_dict()
    part = build(play(methods.load("addi"), ("source_discriminator", "decoder")), shape, usual, seed=5).state_dict()
    assert all(torch.equal(whole[name], part[name]) for name in part)


def test_removing_what_is_not_there_is_an_error_that_names_the_nearest():
    with pytest.raises(
        InputError, match="unknown player or network 'target_discriminater'; known, nearest first: target_d"
    ):
        play(methods.load("addi"), ("target_discriminater",))


@pytest.mark.parametrize(
    "given",
    [
        {"learning_rate": 0.0},
        {"learning_rate": math.nan},
        {"batch_size": 0},
        {"adversarial_weight": -1.0},
        {"adversarial_gamma": 0.0},
        {"adversarial_ramp": "sigmod"},
    ],
)
def test_a_hyperparameter_outside_its_range_is_refused(given):
    with pytest.raises(InputError, match=next(iter(given))):
        addi.Hyperparameters(**given)


def test_the_networks_have_the_papers_sizes():
    networks = build(
        play(methods.load("addi")), Shape(frames=300, dimensions=40, classes=4), addi.Hyperparameters(), seed=0
    )

    def linear(network):
        return [(m.in_features, m.out_features) for m in networks[network].modules() if isinstance(m, torch.nn.Linear)]

    convolutions = [m for m in networks["encoder"].modules() if isinstance(m, torch.nn.Conv1d)]
    transposed = [m for m in networks["decoder"].modules() if isinstance(m, torch.nn.ConvTranspose1d)]
    assert (len(convolutions), convolutions[0].kernel_size, len(transposed)) == (3, (16,), 3)
    assert networks["encoder"](torch.zeros(2, 300, 40)).shape == (2, 256)
    assert linear("classifier") == [(256, 256), (256, 128), (128, 4)]
    assert linear("source_discriminator") == [(300 * 40, 256), (256, 128), (128, 1)]
    assert networks["decoder"](torch.zeros(2, 256), torch.zeros(2, 2)).shape == (2, 300, 40)
