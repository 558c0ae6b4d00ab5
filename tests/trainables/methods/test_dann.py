"""Domain-adversarial training against dann.txt: its equations by hand, its four ways of batch normalisation, its recipe."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import torch
from torch import nn

from data_prep.errors import InputError
from trainables import methods
from trainables.data import TaskData, draw
from trainables.game import Batch, Shape, Speech, build, noise, play
from trainables.loop import Training
from trainables.methods import dann
from trainables.trainable import train

BASE = ("language_classifier",)
SHAPE = Shape(frames=190, dimensions=3, classes=2)  # two pooled vectors, so that the attention has a choice
PREDICTORS = ("encoder", "normalisation", "emotion_classifier")


def settings(**given) -> dann.Hyperparameters:
    return dann.Hyperparameters(**{"dropout": 0.0, "penalty_weight": 0.0, **given})


def built(hyperparameters, without=(), seed=0):
    return build(play(methods.load("dann"), without), SHAPE, hyperparameters, seed)


def losses(networks, batch, hyperparameters, **values) -> torch.Tensor:
    return dann.total_loss(dict(networks.items()), batch, hyperparameters, {"beta": hyperparameters.beta, **values})


def gradients(networks, batch, hyperparameters, **values) -> dict[str, torch.Tensor]:
    weights = dict(networks.named_parameters())
    found = torch.autograd.grad(
        losses(networks, batch, hyperparameters, **values), list(weights.values()), allow_unused=True
    )
    return {name: gradient for name, gradient in zip(weights, found, strict=True) if gradient is not None}


@pytest.fixture
def wave_data(make_domain) -> TaskData:
    return TaskData(make_domain(48, 0.0, 1), make_domain(40, 0.5, 2, "other"), ("angry", "happy", "neutral", "sad"))


def two_numbers(*utterances: tuple[float, float], labels: list[int]) -> Speech:
    features = torch.tensor(utterances).unsqueeze(1)
    return Speech(features, torch.ones(len(features), dtype=torch.int64), torch.tensor(labels))


def by_hand(**given):
    """Networks that can be followed by hand: two numbers are what the emotion is read from; a language, their negatives."""
    return {
        "encoder": lambda features, lengths: features.mean(dim=1),
        "dropout": nn.Identity(),
        "normalisation": nn.Identity(),
        "emotion_classifier": nn.Identity(),
        "language_classifier": torch.neg,
        **given,
    }


def test_the_loss_is_equation_7_of_equations_5_and_6():
    source = two_numbers((0.0, math.log(3)), (0.0, 0.0), labels=[1, 0])
    target = two_numbers((math.log(2), 0.0), (0.0, 0.0), labels=[-1, -1])
    # (5): p is 3/4 and 1/2. (6): of the source 1 / (1 + 1/3) = 3/4 and 1/2, of the target 1 / (1 + 1/2) = 2/3 and 1/2.
    emotion = -(math.log(3 / 4) + math.log(1 / 2)) / 2
    language = -(math.log(3 / 4) + math.log(1 / 2) + math.log(2 / 3) + math.log(1 / 2)) / 4
    batch = Batch(source, source, target)
    usual = settings(batch_norm="none", alpha=0.3)
    loss = dann.total_loss(by_hand(), batch, usual, {"beta": 2.0})
    assert loss.item() == pytest.approx(0.3 * emotion + 0.7 * language)
    base = by_hand()
    del base["language_classifier"]
    assert dann.total_loss(base, batch, usual, {"beta": 2.0}).item() == pytest.approx(emotion)


def test_emotions_are_learnt_of_all_that_is_labelled_and_languages_told_of_source_and_target():
    source = two_numbers((0.0, 0.0), (0.0, 0.0), labels=[1, 0])
    labelled = two_numbers((0.0, math.log(3)), (0.0, 0.0), labels=[1, 0])
    target = two_numbers((math.log(2), 0.0), (0.0, 0.0), labels=[-1, -1])
    batch = Batch(labelled, source, target)
    emotion = -(math.log(3 / 4) + math.log(1 / 2)) / 2
    language = -(3 * math.log(1 / 2) + math.log(2 / 3)) / 4
    for feed, turns in (("none", (0,)), ("BN4", (0, 1))):
        usual = settings(batch_norm=feed, alpha=0.5)
        loss = sum(dann.total_loss(by_hand(), batch, usual, {"beta": 1.0, "turn": turn}).item() for turn in turns)
        # BN4's two updates each have the mean over their own domain, so that the languages' losses are twice the mean.
        assert loss == pytest.approx(0.5 * emotion + 0.5 * language * len(turns))


@pytest.mark.parametrize("feed", ["BN1", "BN2", "BN3", "none"])
def test_the_whole_models_gradients_are_those_of_equations_8_to_10_by_finite_differences(feed):
    alpha, beta, step = 0.3, 1.7, 1e-6
    usual = settings(batch_norm=feed, alpha=alpha, beta=beta)
    networks = built(usual).double()
    batch = noise(SHAPE, utterances=6)
    batch = Batch(*(speech._replace(features=speech.features.double()) for speech in batch))
    batch = batch._replace(labelled=batch.source)
    found = gradients(networks, batch, usual)
    # Forwards a reversal does nothing, so equation (7) with alpha 1 is L_e and with alpha 0 is L_l.
    emotion, language = settings(batch_norm=feed, alpha=1.0), settings(batch_norm=feed, alpha=0.0)

    def slope(weight, place, hyperparameters):
        values = []
        for shift in (step, -step):
            with torch.no_grad():
                weight.view(-1)[place] += shift
                values.append(losses(networks, batch, hyperparameters).item())
                weight.view(-1)[place] -= shift
        return (values[0] - values[1]) / (2 * step)

    expected = {
        "encoder": (alpha, -(1 - alpha) * beta),
        "normalisation": (alpha, -(1 - alpha) * beta),
        "emotion_classifier": (alpha, 0.0),
        "language_classifier": (0.0, 1 - alpha),
    }
    for name, weight in networks.named_parameters():
        of_emotion, of_language = expected[name.split(".")[0]]
        # Of a maximum that is above 0, batch normalisation takes the bias away again.
        assert found[name].abs().max() > 1e-6 or name == "encoder.convolution.0.bias", f"{name} learns"
        for place in found[name].abs().flatten().argsort(descending=True)[:3].tolist():
            worked = of_emotion * slope(weight, place, emotion) + of_language * slope(weight, place, language)
            assert found[name].flatten()[place].item() == pytest.approx(worked, rel=1e-4, abs=1e-8), name


class Noted(nn.Module):
    """A classifier that keeps what it reads."""

    def __init__(self) -> None:
        super().__init__()
        self.read: list[torch.Tensor] = []

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        self.read.append(features.detach())
        return features[:, :2]


def standardised(values: np.ndarray, by: np.ndarray) -> np.ndarray:
    return (values - by.mean(axis=0)) / np.sqrt(by.var(axis=0) + 1e-5)


@pytest.mark.parametrize("feed", dann.BATCH_NORMS)
def test_each_head_reads_what_its_way_of_batch_normalisation_gives_it(feed):
    usual, batch = settings(batch_norm=feed), noise(SHAPE, utterances=6)
    networks = dict(built(usual).items())
    emotion, language = Noted(), Noted()
    networks |= {"emotion_classifier": emotion, "language_classifier": language}
    for turn in range(methods.load("dann").recipe(usual).turns):
        dann.total_loss(networks, batch, usual, {"beta": 1.0, "turn": turn})
    with torch.no_grad():
        source, target = (
            networks["encoder"](each.features, each.lengths).numpy() for each in (batch.source, batch.target)
        )
    both = np.concatenate([source, target])
    apart = [standardised(source, source), standardised(target, target)]
    whole = standardised(both, both)
    expected = {
        "BN1": (whole[:6], [whole], both),
        "BN2": (apart[0], [whole], source),
        "BN3": (apart[0], [np.concatenate(apart)], None),
        "BN4": (apart[0], apart, None),
        "none": (source, [both], None),
    }
    emotions, languages, tracked = expected[feed]
    assert len(emotion.read) == 1 and len(language.read) == len(languages)
    assert emotion.read[0].numpy() == pytest.approx(emotions, abs=1e-4)
    for read, worked in zip(language.read, languages, strict=True):
        assert read.numpy() == pytest.approx(worked, abs=1e-4)
    if tracked is not None:
        assert networks["normalisation"].running_mean.numpy() == pytest.approx(0.1 * tracked.mean(axis=0), abs=1e-6)


def test_the_same_units_are_dropped_for_both_classifiers_but_in_bn2():
    for feed in dann.BATCH_NORMS:
        usual, batch = dann.Hyperparameters(batch_norm=feed), noise(SHAPE, utterances=16)
        networks = dict(built(usual).items())
        emotion, language = Noted(), Noted()
        networks |= {"emotion_classifier": emotion, "language_classifier": language}
        dann.total_loss(networks, batch, usual, {"beta": 1.0, "turn": 0})
        assert torch.equal(emotion.read[0], language.read[0][:16]) == (feed != "BN2")
        if feed == "BN1":
            dropped = (emotion.read[0] == 0).float().mean().item()
            assert dropped == pytest.approx(0.7, abs=0.02), "16 x 600 units"


@pytest.mark.parametrize("feed", ["BN2", "none"])
def test_with_alpha_1_it_is_the_baseline_bit_for_bit(feed, trial, wave_data):
    # In the other ways the target's statistics come in, if not its language.
    given = {"batch_norm": feed, "epochs": 3}
    whole, base = (
        train(trial("dann", **given, alpha=1.0), wave_data),
        train(trial("dann", without=BASE, **given), wave_data),
    )
    assert whole.weights.keys() == base.weights.keys()
    for name, weight in base.weights.items():
        # The penalty on the language classifier moves no other network.
        assert torch.equal(weight, whole.weights[name]), name
    assert whole.metrics["test_uar"] == base.metrics["test_uar"]


@pytest.mark.parametrize("feed", ["BN2", "none"])
def test_with_beta_0_what_predicts_learns_alpha_times_what_the_baseline_does_bit_for_bit(feed):
    usual, batch = settings(batch_norm=feed, alpha=0.5, beta=0.0), noise(SHAPE, utterances=6)
    whole, base = gradients(built(usual), batch, usual), gradients(built(usual, BASE), batch, usual)
    for name, gradient in base.items():
        assert torch.equal(whole[name], 0.5 * gradient), name
    assert set(whole) - set(base) == {"language_classifier.weight", "language_classifier.bias"}


@pytest.mark.parametrize("feed", ["BN2", "none"])
def test_with_beta_0_the_target_moves_nothing_that_predicts(feed, trial, wave_data):
    louder = dataclasses.replace(wave_data.target, values=wave_data.target.values * 1.5)
    config = trial("dann", batch_norm=feed, beta=0.0)
    first, second = (
        train(config, wave_data).weights,
        train(config, dataclasses.replace(wave_data, target=louder)).weights,
    )
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_the_baseline_has_the_first_weights_of_the_whole_and_does_not_look_at_the_target(trial, wave_data):
    usual = dann.Hyperparameters()
    whole, base = built(usual).state_dict(), built(usual, BASE).state_dict()
    assert base.keys() < whole.keys() and all(torch.equal(base[name], whole[name]) for name in base)
    assert play(methods.load("dann")).adapts and not play(methods.load("dann"), BASE).adapts
    config = trial("dann", without=BASE)
    louder = dataclasses.replace(wave_data.target, values=wave_data.target.values * 1.5)
    first, second = (train(config, data).weights for data in (wave_data, dataclasses.replace(wave_data, target=louder)))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_bn4_is_two_updates_by_one_optimiser_the_sources_and_then_the_targets(trial, wave_data):
    config = trial("dann", batch_norm="BN4", beta_ramp="constant", dropout=0.0, penalty_weight=0.0, epochs=1)
    run, other = (Training(config, draw(wave_data, config.task, config.seed)[0]) for _ in range(2))
    steps = run.steps_per_epoch
    weights = dict(other.modules.named_parameters())
    adam = torch.optim.Adam(weights.values(), lr=config.hyperparameters["learning_rate"])
    for step in range(steps):
        batch = other.feed.sides.gather(other.feed.draw(other.pool, step, adapts=True))
        for turn in (0, 1):
            adam.zero_grad()
            values = {"beta": 1.0, "turn": turn}
            dann.total_loss(other.networks, batch, other.hyperparameters, values).backward()
            adam.step()
    run.run_epoch()
    for name, weight in run.modules.named_parameters():
        if name in ("encoder.query", "encoder.convolution.0.bias"):
            continue  # one pooled vector, normalised by the batch: their gradients are nothing but rounding
        torch.testing.assert_close(weight, weights[name], rtol=1e-4, atol=1e-6)
        taken = run.optimisers["dann"].state[weight]["step"].item()
        assert taken == (steps if name.startswith("emotion_classifier") else 2 * steps)


def test_a_run_that_resumes_with_bn4_ends_like_one_that_never_stopped(trial, wave_data):
    config = trial("dann", batch_norm="BN4", epochs=3)
    granted, _ = draw(wave_data, config.task, config.seed)
    whole, stopped, resumed = (Training(config, granted) for _ in range(3))
    expected = whole.run().weights
    stopped.run_epoch()
    resumed.load_state_dict(stopped.state_dict())
    found = resumed.run().weights
    assert all(torch.equal(expected[name], found[name]) for name in expected)


@pytest.mark.parametrize(("penalty", "expected"), [("l1", 5e-3 * (1 + 2 + 3 + 0.5)), ("l2", 5e-3 * (1 + 4 + 9 + 0.25))])
def test_the_penalty_is_the_norm_of_the_weights_and_not_of_biases(penalty, expected):
    recipe = methods.load("dann").recipe(dann.Hyperparameters(penalty=penalty))
    weights = [torch.tensor([[1.0, -2.0], [3.0, -0.5]]), torch.tensor([7.0])]
    assert float(recipe.penalised(torch.tensor(2.0), weights)) == pytest.approx(2 + expected)


@pytest.mark.parametrize("penalty", dann.PENALTIES)
def test_the_penalty_of_convolution_and_classifiers_is_in_the_loss_that_is_minimised(penalty, trial, wave_data):
    config = trial("dann", penalty=penalty, learning_rate=1e-12, batch_size=38, epochs=1)
    with_penalty, without = (
        Training(dataclasses.replace(config, hyperparameters={**config.hyperparameters, "penalty_weight": weight}), it)
        for weight, it in ((5e-3, draw(wave_data, config.task, 3)[0]), (0.0, draw(wave_data, config.task, 3)[0]))
    )
    power = 1 if penalty == "l1" else 2
    names = ("encoder.convolution.0.weight", "emotion_classifier.weight", "language_classifier.weight")
    weights = dict(with_penalty.modules.named_parameters())
    expected = 5e-3 * sum(weights[name].abs().pow(power).sum().item() for name in names)
    with_penalty.run_epoch()
    without.run_epoch()
    found = with_penalty.history[0]["loss/dann"] - without.history[0]["loss/dann"]
    assert with_penalty.steps_per_epoch == 1 and found == pytest.approx(expected, rel=1e-4)


def test_the_learning_rate_is_multiplied_by_0_93_an_epoch_down_to_5e_5(trial, wave_data):
    policy = methods.load("dann").recipe(dann.Hyperparameters()).policy(1e-3)
    rates = []
    for epoch in range(50):
        rates.append(policy.learning_rate)
        policy.judge(0.5 if epoch % 2 else 0.4)
    # ln(0.05) / ln(0.93) = 41.3: the 43rd epoch is the first at the floor.
    assert rates == pytest.approx([1e-3 * 0.93**epoch for epoch in range(42)] + [5e-5] * 8)
    history = train(trial("dann", epochs=3, learning_rate=1e-3), wave_data).history
    assert [epoch["learning_rate"] for epoch in history] == pytest.approx([1e-3, 9.3e-4, 8.649e-4])


def test_the_scale_of_the_reversal_follows_its_schedule(trial, wave_data):
    history = train(trial("dann", beta=2.0, beta_ramp="linear"), wave_data).history
    # 38 training utterances in batches of 8 are 5 steps an epoch: the last ones of two epochs are at 4/10 and 9/10.
    assert [epoch["schedule/beta"] for epoch in history] == pytest.approx([0.8, 1.8])


def test_the_networks_have_the_papers_sizes():
    shape = Shape(frames=750, dimensions=26, classes=2)
    networks = build(play(methods.load("dann")), shape, dann.Hyperparameters(), seed=0)
    sizes = {name: sum(weight.numel() for weight in network.parameters()) for name, network in networks.items()}
    # 200 filters of 10 frames of 26 bands, their biases and the query; 9 x 200 features; two output units each.
    assert sizes == {
        "encoder": 200 * 26 * 10 + 200 + 200,
        "normalisation": 2 * 1800,
        "dropout": 0,
        "emotion_classifier": 1800 * 2 + 2,
        "language_classifier": 1800 * 2 + 2,
    }
    assert (dann.Hyperparameters().dropout, dann.Hyperparameters().batch_size) == (0.7, 32)


@pytest.mark.parametrize(
    "given",
    [
        {"learning_rate": 0.0},
        {"batch_size": 0},
        {"alpha": 1.1},
        {"beta": -1.0},
        {"beta_ramp": "sigmod"},
        {"batch_norm": "BN5"},
        {"dropout": 1.0},
        {"penalty": "l3"},
        {"penalty_weight": -1.0},
    ],
)
def test_a_hyperparameter_outside_its_range_is_refused(given):
    with pytest.raises(InputError, match=next(iter(given))):
        dann.Hyperparameters(**given)


def test_the_language_classifier_has_a_hidden_layer_where_one_is_asked_for():
    make = dann.METHOD.networks["language_classifier"]
    shape = Shape(frames=100, dimensions=26, classes=4)
    inputs = torch.randn(3, make(shape, dann.Hyperparameters()).in_features)
    deep = make(shape, dann.Hyperparameters(language_units=7))
    assert [tuple(weight.shape) for weight in deep.parameters()] == [(7, inputs.shape[1]), (7,), (2, 7), (2,)]
    first, _, last = deep
    assert torch.equal(deep(inputs), last(first(inputs).clamp(min=0)))
    with pytest.raises(InputError, match="language_units is -1; it must be a whole number, 0 or more"):
        dann.Hyperparameters(language_units=-1)
