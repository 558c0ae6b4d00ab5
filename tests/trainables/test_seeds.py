"""A configuration under several seeds: in step, judged by the mean, and each run the one that it is by itself."""

from __future__ import annotations

import dataclasses
import statistics

import numpy as np
import pytest
import torch

from data_prep.errors import InputError
from trainables.config import TrialConfig, seeds_of
from trainables.data import draw
from trainables.loop import Training, TrainingDiverged
from trainables.seeds import mean_epochs, train_in_step
from trainables.trainable import train


def without_seconds(numbers):
    return {name: value for name, value in numbers.items() if not name.endswith("seconds")}


def several(config: TrialConfig, seeds: int) -> TrialConfig:
    return dataclasses.replace(config, seeds=seeds)


@pytest.fixture
def make_runs(trial, task_data):
    """Makes runs of one configuration under seeds that follow each other, which may have other numbers of epochs."""

    def make(method: str, epochs: tuple[int, ...], **given) -> list[Training]:
        configs = [trial(method, seed=seed, epochs=most, **given) for seed, most in enumerate(epochs)]
        return [Training(config, draw(task_data, config.task, config.seed)[0]) for config in configs]

    return make


def test_a_single_run_is_what_it_was_and_another_number_of_seeds_is_another_trial(trial):
    config = trial("cnn")
    assert "seeds" not in config.to_dict() and config.runs == (config,)
    assert len({several(config, seeds).identity for seeds in (1, 2, 3)}) == 3
    assert TrialConfig.from_dict(several(config, 3).to_dict()) == several(config, 3)
    with pytest.raises(InputError, match="seeds of a trial is 0; it must be 1 or more"):
        several(config, 0)


def test_its_runs_differ_in_nothing_but_the_seed(trial):
    config = several(dataclasses.replace(trial("cnn", seed=7), start=trial("addi")), 3)
    assert [run.seed for run in config.runs] == list(seeds_of(7, 3)) and config.runs[0].seed == 7
    assert {dataclasses.replace(run, seed=7, seeds=3).identity for run in config.runs} == {config.identity}


def test_where_seeds_take_turns_those_of_a_trial_do_too_and_none_follows_another():
    for turns in range(1, 200):
        assert len({seed % turns for seed in seeds_of(3, turns)}) == turns
    assert not set(seeds_of(3, 50)) & set(range(4, 10**6))


def test_the_mean_goes_on_until_all_have_ended_and_who_has_ended_counts_with_its_last_epoch():
    short = [{"epoch": 1, "validation_uar": 0.2, "train_seconds": 1.0, "learning_rate": 0.1}]
    long = [
        {"epoch": 1, "validation_uar": 0.4, "train_seconds": 2.0, "learning_rate": 0.1},
        {"epoch": 2, "validation_uar": 0.8, "train_seconds": 5.0, "learning_rate": 0.3, "pseudo_labels": 4},
    ]
    first, second = mean_epochs([iter(short), iter(long)])
    assert first == pytest.approx(
        # Of .2 and .4, the deviations from .3 are .1 each: the sum of squares .02, over 1.
        {"epoch": 1, "validation_uar": 0.3, "train_seconds": 3.0, "learning_rate": 0.1, "validation_uar_sd": 0.02**0.5}
    )
    assert second == pytest.approx(
        {
            "epoch": 2,
            "validation_uar": 0.5,
            "train_seconds": 6.0,
            "learning_rate": 0.2,
            "pseudo_labels": 4.0,
            "validation_uar_sd": 0.18**0.5,
        }
    )


def test_an_epoch_is_told_of_before_the_next_begins():
    begun = []

    def epochs(name):
        for number in (1, 2):
            begun.append((name, number))
            yield {"epoch": number}

    told = mean_epochs([epochs("a"), epochs("b")])
    assert next(told) == {"epoch": 1} and begun == [("a", 1), ("b", 1)]


@pytest.mark.parametrize("method", ["cnn", "addi", "logistic_regression"])
def test_its_numbers_are_the_means_of_its_runs_by_themselves_bit_for_bit(method, trial, task_data):
    config, reported = several(trial(method, epochs=3), 3), []
    together = train(config, task_data, reported.append)
    alone = [train(run, task_data) for run in config.runs]
    for name in ("validation_uar", "test_uar", "criterion/entropy", "best_epoch"):
        assert together.metrics[name] == statistics.fmean(result.metrics[name] for result in alone), name
    for name in ("validation_uar", "test_uar"):
        assert together.metrics[f"{name}_sd"] == statistics.stdev(result.metrics[name] for result in alone)
    assert len({result.metrics["criterion/entropy"] for result in alone}) == 3, "there is something to be the mean of"
    assert together.metrics["epochs_run"] == len(together.history) == len(alone[0].history)
    assert np.array_equal(together.confusion, sum(result.confusion for result in alone))
    assert together.confusion.sum() == 3 * len(task_data.target)
    assert reported == list(together.history)
    means = mean_epochs([iter(result.history) for result in alone])
    assert [without_seconds(epoch) for epoch in reported] == [without_seconds(epoch) for epoch in means]
    assert together.split["digest"] == ",".join(result.split["digest"] for result in alone)
    assert together.split["train"] == alone[0].split["train"]
    assert all(torch.equal(alone[0].weights[name], weight) for name, weight in together.weights.items())


def test_all_its_runs_start_from_the_same_weights(trial, task_data, monkeypatch):
    begun = []
    monkeypatch.setattr("trainables.loop.begin_with", lambda networks, weights: begun.append(weights))
    start = {"encoder.made_up": torch.zeros(1)}
    train(several(dataclasses.replace(trial("cnn", epochs=1), start=trial("cnn")), 2), task_data, start=start)
    assert len(begun) == 2 and begun[0] is begun[1] is start


def test_a_run_that_diverges_ends_the_trial(make_runs):
    runs = make_runs("cnn", (2, 2))
    with torch.no_grad():
        next(iter(runs[1].modules.parameters())).fill_(torch.nan)
    for as_batch in (False, True):
        with pytest.raises(TrainingDiverged, match="the loss of classifier is nan"):
            train_in_step(runs, lambda metrics: None, as_batch=as_batch)


@pytest.mark.parametrize(("method", "a_batch"), [("cnn", True), ("lstm", False)])
def test_as_one_batch_it_tells_the_same_within_rounding_epoch_by_epoch(method, a_batch, make_runs, monkeypatch):
    sizes = []
    step = Training.take_step
    monkeypatch.setattr(Training, "take_step", lambda run: (sizes.append(1), step(run)))
    told = {False: [], True: []}
    for as_batch, reported in told.items():
        sizes.clear()
        train_in_step(make_runs(method, (1, 3), learning_rate=1e-4), reported.append, as_batch=as_batch)
    # The loop's own step is taken by a run that is alone: of a batch, by the one that is left.
    steps = sum(run.steps_per_epoch * run.config.epochs for run in make_runs(method, (1, 3)))
    assert (len(sizes) < steps) is a_batch
    assert [epoch["epoch"] for epoch in told[True]] == [1, 2, 3]
    for mine, other in zip(told[False], told[True], strict=True):
        assert other["loss/classifier"] == pytest.approx(mine["loss/classifier"], rel=1e-2)
        assert other.keys() == mine.keys()


def test_runs_of_one_batch_whose_epochs_have_other_lengths_are_told_of_in_step(make_runs):
    runs, told, slowest = make_runs("cnn", (3, 3)), [], []
    rows = runs[1].pool.source
    runs[1].pool = dataclasses.replace(runs[1].pool, source=rows[: len(rows) // 2])

    def report(epoch):
        told.append(epoch)
        slowest.append(len(runs[0].history))

    train_in_step(runs, report, as_batch=True)
    assert [epoch["epoch"] for epoch in told] == slowest == [1, 2, 3] and all(run.ended for run in runs)
    for number, epoch in enumerate(told):
        expected = statistics.fmean(run.history[number]["validation_uar"] for run in runs)
        assert epoch["validation_uar"] == expected


def test_what_random_numbers_come_next_is_left_as_it_was(make_runs):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    train_in_step(make_runs("cnn", (1, 1)), lambda metrics: None, as_batch=False)
    assert torch.equal(torch.rand(3), expected)
