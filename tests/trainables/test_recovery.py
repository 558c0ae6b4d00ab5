"""Runs that are cut off go on from their files, and end with the numbers of runs that never were."""

from __future__ import annotations

import dataclasses
import threading

import pytest
import torch

from trainables import recovery
from trainables.loop import Training
from trainables.pretraining import pretrain
from trainables.recovery import RECOVERY_SECONDS, Recovery, forget
from trainables.trainable import train


class CutOff(BaseException):
    """The process is dead from here on."""


class Listener:
    """Hears of every epoch, cuts a run off after one of them, and lets each state be written before the next epoch."""

    def __init__(self, last: int | None = None) -> None:
        self.last, self.heard = last, []

    def __call__(self, epoch) -> None:
        self.heard.append(dict(epoch))
        wait_for_writers()
        if epoch["epoch"] == self.last:
            raise CutOff


def wait_for_writers() -> None:
    for thread in threading.enumerate():
        if thread.name == "recovery":
            thread.join(timeout=60)


def without_seconds(numbers):
    return {name: value for name, value in numbers.items() if name != "train_seconds"}


def assert_same(first, second) -> None:
    assert without_seconds(first.metrics) == without_seconds(second.metrics)
    assert list(map(without_seconds, first.history)) == list(map(without_seconds, second.history))
    assert all(torch.equal(weight, second.weights[name]) for name, weight in first.weights.items())


@pytest.fixture
def keep(tmp_path) -> Recovery:
    """Keeps the state of every epoch."""
    return Recovery(tmp_path, "this code", every=0)


@pytest.fixture
def trained(monkeypatch) -> list[int]:
    """The seed of each epoch that is trained, in their order."""
    seeds = []
    run_epoch = Training.run_epoch
    monkeypatch.setattr(Training, "run_epoch", lambda run: (seeds.append(run.config.seed), run_epoch(run)))
    return seeds


def cut_off(config, data, keep, last=3) -> list[dict]:
    """Trains up to the end of an epoch and no further; what was reported."""
    listener = Listener(last)
    with pytest.raises(CutOff):
        train(config, data, listener, recovery=keep)
    return listener.heard


@pytest.mark.parametrize(("method", "seeds"), [("cnn", 1), ("cnn", 2), ("addi", 1)])
def test_a_trial_that_was_cut_off_goes_on_from_there_with_the_same_numbers(
    method, seeds, trial, task_data, keep, trained
):
    config = dataclasses.replace(trial(method, epochs=5), seeds=seeds)
    undisturbed = train(config, task_data)
    before = cut_off(config, task_data, keep)
    trained.clear()
    listener = Listener()
    result = train(config, task_data, listener, recovery=keep)
    assert sorted(trained) == sorted([run.seed for run in config.runs] * 2), "epochs 4 and 5, of each seed"
    assert listener.heard[:3] == before, "what is over is told of again, seconds and all"
    assert listener.heard == list(result.history)
    assert_same(result, undisturbed)


def test_a_run_that_is_cut_off_after_its_learning_rate_fell_goes_back_to_the_same_best_epoch(
    trial, task_data, keep, trained
):
    config = trial("cnn", epochs=16, learning_rate=0.02)
    undisturbed = train(config, task_data)
    fell = [epoch["learning_rate"] for epoch in undisturbed.history].index(0.01) + 1
    cut_off(config, task_data, keep, last=fell - 2)
    trained.clear()
    assert_same(train(config, task_data, recovery=keep), undisturbed)
    assert len(trained) == len(undisturbed.history) - fell + 2


def test_only_the_newest_state_is_kept_and_it_is_that_of_the_last_epoch(trial, task_data, keep):
    config = trial("cnn", epochs=5)
    cut_off(config, task_data, keep, last=4)
    (path,) = keep.folder.iterdir()
    assert path.name == f"{config.identity}.pt"
    assert torch.load(path, weights_only=False)["state"]["epoch"] == 4


def flip(content: bytes) -> bytes:
    """One bit is another, in the midst of some weights."""
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


@pytest.mark.parametrize("damage", [flip, lambda content: content[:-100], lambda content: b""])
def test_a_damaged_file_is_ignored_and_written_over(damage, trial, task_data, keep, trained, caplog):
    config = trial("cnn", epochs=4)
    cut_off(config, task_data, keep)
    path = keep.folder / f"{config.identity}.pt"
    path.write_bytes(damage(path.read_bytes()))
    trained.clear()
    cut_off(config, task_data, keep)
    assert len(trained) == 3
    assert "is damaged" in caplog.text and len(caplog.records) == 1
    assert torch.load(path, weights_only=False)["state"]["epoch"] == 3


def test_the_state_of_other_code_or_of_another_run_is_not_gone_on_with(trial, task_data, keep, trained):
    config = trial("cnn", epochs=4)
    cut_off(config, task_data, keep)
    trained.clear()
    train(config, task_data, recovery=dataclasses.replace(keep, origin="other code", every=RECOVERY_SECONDS))
    train(dataclasses.replace(config, epochs=5), task_data, recovery=keep)
    assert len(trained) == 4 + 5
    trained.clear()
    train(config, task_data, recovery=keep)
    assert len(trained) == 1, "it is there still"


def test_training_waits_for_no_write_and_one_that_is_late_leaves_nothing(trial, task_data, keep, monkeypatch):
    writing, go_on = [], threading.Event()
    save = torch.save

    def slow(content, file):
        writing.append(content["state"]["epoch"])
        assert go_on.wait(60)
        save(content, file)

    monkeypatch.setattr(recovery.torch, "save", slow)
    reported = []
    result = train(trial("cnn", epochs=5), task_data, reported.append, recovery=keep)
    assert len(reported) == result.metrics["epochs_run"] == 5
    assert writing == [1], "one write at a time, and no copies that wait for theirs"
    go_on.set()
    wait_for_writers()
    assert not list(keep.folder.iterdir())


def test_a_state_is_kept_once_in_so_many_seconds_of_a_run_and_none_of_a_short_one(trial, task_data, keep, monkeypatch):
    now, copied = [0.0], []
    monkeypatch.setattr(recovery.time, "monotonic", lambda: now[0])
    state_dict = Training.state_dict
    monkeypatch.setattr(Training, "state_dict", lambda run: (copied.append(run.epoch), state_dict(run))[1])

    def report(epoch):
        wait_for_writers()
        now[0] += 25

    train(trial("cnn", epochs=9), task_data, report, recovery=dataclasses.replace(keep, every=60))
    assert copied == [4, 7], "after 75 and 150 seconds"


def test_a_write_that_fails_costs_the_recovery_and_not_the_run(trial, task_data, keep, caplog):
    gone = dataclasses.replace(keep, folder=keep.folder / "gone")
    config = trial("cnn", epochs=2)
    assert_same(train(config, task_data, Listener(), recovery=gone), train(config, task_data))
    assert ["cannot be written" in record.message for record in caplog.records] == [True]


def test_what_fails_halfway_leaves_the_state_before_it(trial, task_data, keep, monkeypatch):
    def full(content, file):
        file.write(b"half of it")
        raise OSError("no space left on device")

    config = trial("cnn", epochs=5)
    cut_off(config, task_data, keep, last=2)
    monkeypatch.setattr(recovery.torch, "save", full)
    cut_off(config, task_data, keep, last=4)
    (path,) = keep.folder.iterdir()
    assert torch.load(path, weights_only=False)["state"]["epoch"] == 2


def test_the_states_of_all_seeds_of_a_trial_are_forgotten_and_no_others(trial, task_data, keep):
    config = dataclasses.replace(trial("cnn", epochs=4), seeds=2)
    other = trial("cnn", epochs=4, seed=9)
    for each in (config, other):
        cut_off(each, task_data, keep)
    assert len(list(keep.folder.iterdir())) == 3
    forget(keep.folder, config)
    assert [path.name for path in keep.folder.iterdir()] == [f"{other.identity}.pt"]
    forget(keep.folder / "gone", config)


def test_a_run_that_others_start_from_goes_on_too(trial, task_data, keep, trained, tmp_path):
    config, cpu = trial("cnn", epochs=4), torch.device("cpu")
    undisturbed = pretrain(config, task_data, tmp_path / "undisturbed", cpu)
    trained.clear()
    listener = Listener(3)
    with pytest.raises(CutOff):
        pretrain(config, task_data, tmp_path / "kept", cpu, listener, recovery=keep)
    again = Listener()
    kept = pretrain(config, task_data, tmp_path / "kept", cpu, again, recovery=keep)
    assert len(trained) == 4 and again.heard[:3] == listener.heard and len(again.heard) == 4
    assert all(torch.equal(weight, kept.weights[name]) for name, weight in undisturbed.weights.items())


def test_data_parallel_workers_all_go_on_from_the_one_file(ray_session, trial, task_data, keep):
    config = trial("addi", epochs=2)
    undisturbed = train(config, task_data)
    before = cut_off(config, task_data, keep, last=1)
    result = train(config, task_data, workers=2, recovery=keep)
    assert result.history[0] == before[0], "seconds and all"
    # Only the order of floating-point sums differs, in the second epoch.
    for name, weight in undisturbed.weights.items():
        assert result.weights[name].numpy() == pytest.approx(weight.numpy(), abs=2e-4)
