"""What every method must hold to. A new method is under these tests because it exists."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from data_prep import features
from trainables import methods
from trainables.config import construct
from trainables.data import TaskData, draw
from trainables.estimator import Estimator
from trainables.game import Method, Shape, build, noise, play
from trainables.loop import Training
from trainables.trainable import train

GAMES = [name for name in methods.known() if isinstance(methods.load(name), Method)]
EMOTION = [name for name in methods.known() if name not in GAMES or methods.load(name).supervised]
every_method = pytest.mark.parametrize("name", EMOTION)
every_game = pytest.mark.parametrize("name", GAMES)


def weights_differ(first, second) -> bool:
    return any(not torch.equal(first[name], second[name]) for name in first)


def losses(result) -> list[float]:
    return [value for epoch in result.history for name, value in epoch.items() if name.startswith("loss/")]


def adapts(config) -> bool:
    """Whether the method, so configured, is to look at the target."""
    method = methods.load(config.method)
    hyperparameters = construct(method.hyperparameters, config.hyperparameters)
    if isinstance(method, Estimator):
        return method.adapts(hyperparameters)
    return play(method).adapts or method.recipe(hyperparameters).relabel is not None


def training(config, data: TaskData) -> Training:
    return Training(config, draw(data, config.task, config.seed)[0])


@pytest.fixture
def game(trial):
    """Makes a small trial of a game; one that learns no emotions gets no labels."""

    def make(name, **given):
        config = trial(name, **given)
        if methods.load(name).supervised:
            return config
        corpora = config.task.sources
        return dataclasses.replace(
            config, task=dataclasses.replace(config.task, targets=corpora, protocol="unlabelled")
        )

    return make


def dimensions_of(name: str) -> int:
    """Of a frame that the method's networks are made for."""
    method = methods.load(name)
    return features.load(method.feature).dimensions if isinstance(method, Method) else 40


@pytest.fixture
def data_of(make_speech):
    """Makes the data that a trial's method can be trained on."""

    def make(config):
        data = make_speech(dimensions_of(config.method))
        if config.task.protocol != "unlabelled":
            return data
        nothing = dataclasses.replace(data.source, labels=np.full(len(data.source), -1))
        return TaskData(nothing, nothing, data.classes)

    return make


@pytest.fixture
def speech_data(name, make_speech) -> TaskData:
    return make_speech(dimensions_of(name))


@every_method
def test_changing_the_targets_labels_changes_no_weight(name, trial, speech_data):
    relabelled = dataclasses.replace(speech_data.target, labels=speech_data.target.labels[::-1] // 2)
    honest = train(trial(name), speech_data)
    shuffled = train(trial(name), dataclasses.replace(speech_data, target=relabelled))
    assert not weights_differ(honest.weights, shuffled.weights)
    assert {**honest.history[-1], "train_seconds": 0} == {**shuffled.history[-1], "train_seconds": 0}
    assert (honest.confusion != shuffled.confusion).any(), "the evaluator does see the labels"


@every_method
def test_changing_the_targets_inputs_changes_the_weights_of_an_adapting_method_alone(name, trial, speech_data):
    config = trial(name, epochs=3)
    louder = dataclasses.replace(speech_data.target, values=speech_data.target.values * 1.5)
    before = train(config, speech_data)
    after = train(config, dataclasses.replace(speech_data, target=louder))
    # The selected epoch may lie before the first pseudo-labels; what came after it shows in the losses.
    changed = weights_differ(before.weights, after.weights) or losses(before) != losses(after)
    assert changed == adapts(config)


@every_method
def test_a_run_can_be_repeated_bit_for_bit_and_another_seed_gives_another(name, trial, speech_data):
    first, again, other = (train(trial(name, seed=seed), speech_data) for seed in (3, 3, 4))
    assert not weights_differ(first.weights, again.weights)
    assert weights_differ(first.weights, other.weights)


@every_game
def test_a_run_that_resumes_ends_like_one_that_never_stopped(name, game, data_of):
    config = game(name, epochs=4)
    data = data_of(config)
    undisturbed = training(config, data).run()
    stopped = training(config, data)
    for _ in range(2):
        stopped.run_epoch()
    resumed = training(config, data)
    resumed.load_state_dict(stopped.state_dict())
    outcome = resumed.run()
    assert not weights_differ(undisturbed.weights, outcome.weights)
    for before, after in zip(undisturbed.history, outcome.history, strict=True):
        assert {**before, "train_seconds": 0} == {**after, "train_seconds": 0}


@every_game
def test_every_player_moves_its_own_networks_and_no_other(name, game, data_of):
    config = game(name)
    for player in training(config, data_of(config)).players:
        run = training(config, data_of(config))
        run.players = [player]
        weights = {name for name, _ in run.modules.named_parameters()}
        before = {key: value.clone() for key, value in run.modules.state_dict().items() if key in weights}
        run.run_epoch()
        after = run.modules.state_dict()
        moved = {key.split(".")[0] for key, value in before.items() if not torch.equal(value, after[key])}
        assert moved == set(player.moves) - set(run.recipe.frozen)


@every_game
def test_predictions_are_logits_of_every_class_and_need_the_predictors_alone(name):
    method, shape = methods.load(name), Shape(frames=130, dimensions=dimensions_of(name), classes=4)
    networks = build(play(method), shape, method.hyperparameters(), seed=0).eval()
    kept = {name: network for name, network in networks.items() if name in method.predictors}
    features, lengths = torch.zeros(5, 130, shape.dimensions), torch.full((5,), 130)
    if method.supervised:
        assert method.predict(kept, features, lengths).shape == (5, 4)
    assert method.represent(kept, features, lengths).shape[0] == 5
    assert method.represent(kept, features, lengths).ndim == 2


@every_game
def test_a_game_works_at_any_length_and_loses_nothing_of_its_batch(name):
    method = methods.load(name)
    for frames in (110, 128, 301):
        shape, hyperparameters = Shape(frames, dimensions_of(name), 4), method.hyperparameters()
        networks = build(play(method), shape, hyperparameters, seed=0)
        values = {name: schedule(0.5) for name, schedule in method.schedules(hyperparameters).items()}
        for player in play(method).players:
            loss = player.loss(dict(networks.items()), noise(shape, utterances=3), hyperparameters, values)
            assert torch.isfinite(loss)
