"""What mtl, gradient_reversal and adversarial_discriminator share: the attributes, their losses, and alpha = 0."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from data_prep.errors import InputError
from trainables import methods
from trainables.game import Shape, Speech, build, noise, play, rehearse
from trainables.methods._attributes import COMBINATIONS, AttributeClassifiers, Hyperparameters, attribute_losses
from trainables.trainable import train

APPROACHES = ("mtl", "gradient_reversal", "adversarial_discriminator")
every_approach = pytest.mark.parametrize("name", APPROACHES)
SHAPE = Shape(16, 6, 3, {"corpus": 6, "gender": 2, "speaker": 9, "language": 3})


def speech(**attributes: list[int]) -> Speech:
    """Two utterances of nothing."""
    numbers = {name: torch.tensor(listed) for name, listed in attributes.items()}
    return Speech(torch.zeros(2, 1, 1), torch.ones(2), torch.tensor([0, 1]), attributes=numbers)


def test_there_are_the_papers_fifteen_combinations():
    assert len(set(COMBINATIONS)) == 15 == 2**4 - 1
    assert COMBINATIONS[:5] == ("corpus", "gender", "speaker", "language", "corpus+gender")
    assert COMBINATIONS[-1] == "corpus+gender+speaker+language"


@every_approach
@pytest.mark.parametrize("attributes", COMBINATIONS)
def test_every_combination_plays_with_a_network_of_the_right_size_for_each_attribute(name, attributes):
    method = methods.load(name)
    hyperparameters = method.hyperparameters(attributes=attributes)
    game = play(method)
    rehearse(game, hyperparameters, SHAPE)
    networks = build(game, SHAPE, hyperparameters, seed=0)
    tell = networks["discriminators" if name == "adversarial_discriminator" else "attribute_classifiers"]
    read = torch.zeros(4, 3 if name == "adversarial_discriminator" else 128)
    assert {key: value.shape for key, value in tell(read).items()} == {
        key: (4, SHAPE.attributes[key]) for key in attributes.split("+")
    }


@every_approach
@pytest.mark.parametrize("attributes", ["language", "corpus+gender+speaker+language"])
def test_every_attribute_that_is_named_and_no_other_matters(name, attributes):
    method = methods.load(name)
    hyperparameters = method.hyperparameters(attributes=attributes)
    networks = build(play(method), SHAPE, hyperparameters, seed=0).eval()
    batch = noise(SHAPE, utterances=4)

    def loss_without(unknown: str) -> float:
        known = {**batch.labelled.attributes, unknown: torch.full((4,), -1)}
        changed = batch._replace(labelled=batch.labelled._replace(attributes=known))
        player = play(method).players[-1]
        return player.loss(dict(networks.items()), changed, hyperparameters, {"alpha": 0.5}).item()

    usual = loss_without("nothing")
    assert {key for key in SHAPE.attributes if loss_without(key) != usual} == set(attributes.split("+"))


def test_an_attributes_loss_is_its_cross_entropy():
    logits = {"gender": torch.tensor([[math.log(3.0), 0.0], [0.0, 0.0]]), "speaker": torch.zeros(2, 5)}
    losses = attribute_losses(logits, speech(gender=[1, 0], speaker=[4, 2]))
    # softmax of (log 3, 0) is (3/4, 1/4).
    assert losses.tolist() == pytest.approx([(math.log(4) + math.log(2)) / 2, math.log(5)])


def test_an_utterance_whose_attribute_is_unknown_counts_with_a_loss_of_0():
    logits = {"gender": torch.tensor([[math.log(3.0), 0.0], [0.0, 0.0]], requires_grad=True)}
    one, none = (attribute_losses(logits, speech(gender=genders)) for genders in ([1, -1], [-1, -1]))
    assert one.tolist() == pytest.approx([math.log(4) / 2])
    assert none.tolist() == [0.0]
    (gradient,) = torch.autograd.grad(one.sum(), logits["gender"])
    assert gradient[0].abs().sum() > 0 and not gradient[1].any()


@every_approach
def test_with_alpha_0_a_method_is_the_baseline_bit_for_bit(name, trial, task_data):
    attributes = "gender+speaker+language"
    one, baseline = (
        train(trial(name, alpha=0.0, attributes=attributes), task_data),
        train(trial("cnn_lstm"), task_data),
    )
    assert one.weights.keys() == baseline.weights.keys()
    assert all(torch.equal(one.weights[key], baseline.weights[key]) for key in baseline.weights)
    assert (one.confusion == baseline.confusion).all()
    other = train(trial(name, alpha=0.5, attributes=attributes), task_data)
    assert not all(torch.equal(other.weights[key], baseline.weights[key]) for key in baseline.weights)


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ("corpus+gendre", "unknown attribute 'gendre'; known, nearest first: gender"),
        ("", "unknown attribute ''"),
        ("speaker+speaker", "name each once and in this order: 'speaker'"),
        ("speaker+corpus", "name each once and in this order: 'corpus\\+speaker'"),
        (("corpus", "speaker"), "must be text, such as 'corpus\\+speaker'"),
    ],
)
def test_what_is_no_combination_is_refused(attributes, message):
    with pytest.raises(InputError, match=message):
        Hyperparameters(attributes=attributes)


@pytest.mark.parametrize(("count", "known"), [(0, "no"), (1, "1")])
def test_an_attribute_that_all_of_the_source_has_alike_is_refused(count, known):
    shape = SHAPE._replace(attributes={**SHAPE.attributes, "language": count})
    with pytest.raises(InputError, match=f"has {known} known language, .* leave language out"):
        AttributeClassifiers(shape, Hyperparameters(attributes="corpus+language"), nn.Identity)


@pytest.mark.parametrize(
    "given",
    [
        {"alpha": 1.1},
        {"alpha": -0.1},
        {"alpha_ramp": "linaer"},
        {"alpha_gamma": 0.0},
        {"alpha_delay": 1.0},
        {"dropout": 1.0},
        {"time_mask": -1},
        {"frequency_mask": 0.5},
        {"patience": 0},
        {"learning_rate": 0.0},
    ],
)
def test_a_hyperparameter_outside_its_range_is_refused(given):
    with pytest.raises(InputError, match=next(iter(given))):
        Hyperparameters(**given)
