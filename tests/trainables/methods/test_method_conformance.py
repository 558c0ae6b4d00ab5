"""What every method must hold to. A new method is under these tests because it exists."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from trainables import methods
from trainables.data import TaskData, draw
from trainables.game import Batch, Shape, build, play
from trainables.loop import Training
from trainables.trainable import train

every_method = pytest.mark.parametrize("name", methods.known())


def weights_differ(first, second) -> bool:
    return any(not torch.equal(first[name], second[name]) for name in first)


def training(config, data: TaskData) -> Training:
    return Training(config, draw(data, config.task, config.seed)[0])


@every_method
def test_changing_the_targets_labels_changes_no_weight(name, trial, task_data):
    relabelled = dataclasses.replace(task_data.target, labels=task_data.target.labels[::-1] // 2)
    honest = train(trial(name), task_data)
    shuffled = train(trial(name), dataclasses.replace(task_data, target=relabelled))
    assert not weights_differ(honest.weights, shuffled.weights)
    assert {**honest.history[-1], "train_seconds": 0} == {**shuffled.history[-1], "train_seconds": 0}
    assert (honest.confusion != shuffled.confusion).any(), "the evaluator does see the labels"


@every_method
def test_changing_the_targets_inputs_changes_the_weights_of_an_adapting_method_alone(name, trial, task_data):
    louder = dataclasses.replace(task_data.target, values=task_data.target.values + 0.1)
    before = train(trial(name), task_data)
    after = train(trial(name), dataclasses.replace(task_data, target=louder))
    assert weights_differ(before.weights, after.weights) == play(methods.load(name)).adapts


@every_method
def test_a_run_can_be_repeated_bit_for_bit_and_another_seed_gives_another(name, trial, task_data):
    first, again, other = (train(trial(name, seed=seed), task_data) for seed in (3, 3, 4))
    assert not weights_differ(first.weights, again.weights)
    assert weights_differ(first.weights, other.weights)


@every_method
def test_a_run_that_resumes_ends_like_one_that_never_stopped(name, trial, task_data):
    config = trial(name, epochs=4)
    undisturbed = training(config, task_data).run()
    stopped = training(config, task_data)
    for _ in range(2):
        stopped.run_epoch()
    resumed = training(config, task_data)
    resumed.load_state_dict(stopped.state_dict())
    outcome = resumed.run()
    assert not weights_differ(undisturbed.weights, outcome.weights)
    assert [epoch["validation_uar"] for epoch in undisturbed.history] == [
        epoch["validation_uar"] for epoch in outcome.history
    ]
    assert [epoch["loss/classifier"] for epoch in undisturbed.history] == [
        epoch["loss/classifier"] for epoch in outcome.history
    ]


@every_method
def test_every_player_moves_its_own_networks_and_no_other(name, trial, task_data):
    for player in play(methods.load(name)).players:
        run = training(trial(name), task_data)
        run.game = dataclasses.replace(run.game, players=(player,))
        before = {key: value.clone() for key, value in run.modules.state_dict().items()}
        run.run_epoch()
        moved = {
            key.split(".")[0] for key, value in run.modules.state_dict().items() if not torch.equal(before[key], value)
        }
        assert moved == set(player.moves)


@every_method
def test_predictions_are_logits_of_every_class_and_need_the_predictors_alone(name):
    method, shape = methods.load(name), Shape(frames=30, dimensions=6, classes=4)
    networks = build(play(method), shape, seed=0)
    kept = {name: network for name, network in networks.items() if name in method.predictors}
    assert method.predict(kept, torch.zeros(5, 30, 6)).shape == (5, 4)


@every_method
def test_a_game_works_at_any_length_and_loses_nothing_of_its_batch(name):
    method = methods.load(name)
    for frames in (17, 32, 101):
        networks = build(play(method), Shape(frames, 6, 4), seed=0)
        batch = Batch(torch.randn(3, frames, 6), torch.tensor([0, 1, 2]), torch.randn(3, frames, 6))
        hyperparameters = method.hyperparameters()
        values = {name: schedule(0.5) for name, schedule in method.schedules(hyperparameters).items()}
        for player in play(method).players:
            assert torch.isfinite(player.loss(dict(networks.items()), batch, hyperparameters, values))
