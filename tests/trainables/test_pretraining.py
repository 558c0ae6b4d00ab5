"""The run that others start from: trained once, shared, whole or not there, and its weights arrive bit for bit."""

from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from trainables.data import TaskData, draw
from trainables.game import build, play
from trainables.loop import Training
from trainables.pretraining import file_of, load, pretrain
from trainables.trainable import train

CPU = torch.device("cpu")


@pytest.fixture
def unlabelled(task_data) -> TaskData:
    nothing = dataclasses.replace(task_data.source, labels=np.full(len(task_data.source), -1))
    return TaskData(nothing, nothing, task_data.classes)


@pytest.fixture
def pretext(trial):
    """Makes a small configuration of a pretext task."""

    def make(name="emotional_gan", **given):
        config = trial(name, **given)
        task = dataclasses.replace(config.task, targets=config.task.sources, protocol="unlabelled")
        return dataclasses.replace(config, task=task)

    return make


def equal(first, second) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize("method", ["cnn", "addi"])
@pytest.mark.parametrize("name", ["emotional_gan", "reconstruction"])
def test_the_encoder_that_was_trained_is_the_one_that_the_first_step_moves(
    name, method, pretext, trial, unlabelled, task_data, tmp_path
):
    start = pretext(name)
    kept = pretrain(start, unlabelled, tmp_path, CPU)
    assert {key.split(".")[0] for key in kept.weights} == {"encoder"}
    config = dataclasses.replace(trial(method), start=start)
    granted = draw(task_data, config.task, config.seed)[0]
    begun = Training(config, granted, start=kept.weights)
    fresh = build(play(begun.game.method), begun.feed.shape, begun.hyperparameters, config.seed).state_dict()
    for key, value in begun.modules.state_dict().items():
        assert torch.equal(value, kept.weights[key] if key in kept.weights else fresh[key]), key
    assert not torch.equal(
        begun.modules["encoder"].state_dict()["convolutions.0.weight"], fresh["encoder.convolutions.0.weight"]
    )
    scratch = train(dataclasses.replace(config, start=None), task_data)
    assert not equal(scratch.weights, train(config, task_data, start=kept.weights).weights)


def test_training_moves_the_encoder_and_keeps_the_last_epochs(pretext, unlabelled, tmp_path):
    short, long = (pretrain(pretext(epochs=epochs), unlabelled, tmp_path, CPU) for epochs in (1, 3))
    assert [epoch["epoch"] for epoch in long.history] == [1, 2, 3] and long.metrics["epochs_run"] == 3
    assert long.history[0]["loss/generator"] == short.history[0]["loss/generator"]
    assert not equal(long.weights, short.weights)
    assert {"loss/discriminator", "loss/generator"} <= long.history[0].keys() and "validation_uar" not in long.metrics
    assert long.split["train"] == len(unlabelled.source) and long.split["test"] == 0


def test_it_is_trained_once_and_another_configuration_is_another_file(pretext, unlabelled, tmp_path):
    config, other, reported = pretext(), pretext(fake_weight=4.0), []
    first = pretrain(config, unlabelled, tmp_path, CPU, reported.append, {"device": "cpu"})
    again = pretrain(config, unlabelled, tmp_path, CPU, reported.append, {"device": "elsewhere"})
    assert len(reported) == 2 and equal(first.weights, again.weights)
    assert again.origin == {"device": "cpu"} and again.config == config.to_dict()
    pretrain(other, unlabelled, tmp_path, CPU)
    assert {path.name for path in tmp_path.glob("*.pt")} == {f"{each.identity}.pt" for each in (config, other)}


def test_who_needs_it_at_the_same_time_waits_for_the_one_that_trains(pretext, unlabelled, tmp_path):
    reported = []
    with ThreadPoolExecutor(4) as pool:
        kept = list(pool.map(lambda _: pretrain(pretext(), unlabelled, tmp_path, CPU, reported.append), range(4)))
    assert len(reported) == 2 and all(equal(kept[0].weights, each.weights) for each in kept)


def test_cut_off_at_any_moment_it_leaves_nothing_half_done_and_the_next_one_ends_as_if_undisturbed(
    pretext, unlabelled, tmp_path, monkeypatch
):
    config = pretext(epochs=3)
    undisturbed = pretrain(config, unlabelled, tmp_path / "undisturbed", CPU)

    def cut(metrics):
        if metrics["epoch"] == 2:
            raise KeyboardInterrupt

    def torn(content, file):
        file.write(b"half of it")
        file.flush()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pretrain(config, unlabelled, tmp_path, CPU, cut)
    assert not file_of(config, tmp_path).exists()
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(torch, "save", torn)
        pretrain(config, unlabelled, tmp_path, CPU)
    assert not file_of(config, tmp_path).exists()
    assert equal(pretrain(config, unlabelled, tmp_path, CPU).weights, undisturbed.weights)
    assert equal(load(file_of(config, tmp_path)).weights, undisturbed.weights)
    assert sorted(path.suffix for path in tmp_path.glob(f"{config.identity}*")) == [".lock", ".pt"]


def test_nothing_is_asked_of_a_pretext_even_where_something_could_be_held_out(pretext, trial, task_data):
    config = dataclasses.replace(pretext(), task=trial("cnn").task)  # a protocol with a validation part
    run = Training(config, draw(task_data, config.task, config.seed)[0])
    assert len(run.granted.split.validation)
    run.run_epoch()
    assert "validation_uar" not in run.history[-1]
