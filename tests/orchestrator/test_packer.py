"""The process that trains many trials' runs in batches."""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from orchestrator.packer import Packer
from orchestrator.trial import Final, is_packed
from trainables.config import TaskConfig, TrialConfig
from trainables.data import Domain, TaskData
from trainables.recovery import Recovery
from trainables.replicas import Epoch, Pack
from trainables.trainable import prepare_process, train

CLASSES = ("angry", "sad")
TASK = TaskConfig(sources=("one",), targets=("other",))


def make_domain(corpus: str, seed: int) -> Domain:
    """Forty utterances whose class is their loudness."""
    rng = np.random.default_rng(seed)
    labels = np.arange(40) % 2
    lengths = rng.integers(20, 30, size=40)
    values = [rng.normal(size=(n, 6)) * (1 + label) for n, label in zip(lengths, labels, strict=True)]
    return Domain(
        values=np.concatenate(values).astype(np.float32),
        starts=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        corpora=(corpus,) * 40,
        utterances=tuple(f"{corpus}/{number}" for number in range(40)),
        speakers=tuple(f"{corpus}/{number % 4}" for number in range(40)),
        labels=labels.astype(np.int64),
    )


DATA = {TASK: TaskData(make_domain("one", 1), make_domain("other", 2), CLASSES)}


def make_config(seed: int = 1, method: str = "cnn", epochs: int = 3, seeds: int = 1, **given) -> TrialConfig:
    hyperparameters = {"learning_rate": 1e-3, "batch_size": 8, **given}
    return TrialConfig(
        method=method,
        task=TASK,
        hyperparameters=hyperparameters,
        epochs=epochs,
        seed=seed,
        data="made up",
        seeds=seeds,
    )


@pytest.fixture
def make_packer(tmp_path):
    recovery = Recovery(tmp_path, "made up", every=0)
    return lambda most=8: Packer(DATA, most, False, str(tmp_path), recovery)


def ask(packer: Packer, configs: list[TrialConfig]) -> list[list]:
    """What each run is told to come to, asked for all at once."""
    told: list[list] = [[] for _ in configs]

    def listen(number: int) -> None:
        try:
            told[number].extend(packer.train(str(number), configs[number].to_dict()))
        except Exception as error:
            told[number].append(error)

    threads = [threading.Thread(target=listen, args=(number,)) for number in range(len(configs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    return told


def wait_until(happened: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_each_trial_has_its_own_epochs_and_its_own_end(make_packer):
    configs = [make_config(seed, epochs=epochs) for seed, epochs in ((1, 3), (2, 5), (3, 3))]
    for config, (*epochs, final) in zip(configs, ask(make_packer(), configs), strict=True):
        assert [epoch["epoch"] for epoch in epochs] == list(range(1, config.epochs + 1))
        prepare_process()
        alone = train(config, DATA[TASK])
        assert final.metrics["test_uar"] == pytest.approx(alone.metrics["test_uar"], abs=0.1)
        assert epochs[0]["loss/classifier"] == pytest.approx(alone.history[0]["loss/classifier"], rel=1e-3)
        assert final.metrics["epochs_run"] == config.epochs and np.array(final.metrics["confusion"]).sum() == 40


def test_a_trial_of_several_seeds_is_told_of_their_mean_and_trained_with_others_runs(make_packer, monkeypatch):
    sizes = []
    change = Pack.change
    monkeypatch.setattr(Pack, "change", lambda pack, **runs: (change(pack, **runs), sizes.append(len(pack.runs))))
    packer = make_packer()
    packer._admit, admit = lambda: None, packer._admit  # until all have asked
    threading.Timer(0.5, lambda: setattr(packer, "_admit", admit)).start()
    configs = [make_config(1, seeds=3), make_config(9)]
    (*epochs, final), single = ask(packer, configs)
    assert max(sizes) == 4
    prepare_process()
    alone = train(configs[0], DATA[TASK])
    assert [epoch["epoch"] for epoch in epochs] == [1, 2, 3]
    assert epochs[0]["loss/classifier"] == pytest.approx(alone.history[0]["loss/classifier"], rel=1e-3)
    assert epochs[0].keys() == alone.history[0].keys()
    assert final.metrics["test_uar"] == pytest.approx(alone.metrics["test_uar"], abs=0.1)
    assert np.array(final.metrics["confusion"]).sum() == 3 * 40
    assert json.loads(final.metrics["origin"])["split"]["digest"] == alone.split["digest"]
    assert np.array(single[-1].metrics["confusion"]).sum() == 40 and "test_uar_sd" not in single[-1].metrics


def test_a_trial_fails_whose_runs_cannot_all_be_had_and_leaves_none_behind_when_it_is_dropped(make_packer, monkeypatch):
    def begin_the_first(packer, asked):
        if asked.config.seed > 1000:
            raise RuntimeError("there is no such split")
        return begin(packer, asked)

    begin = Packer._begin
    monkeypatch.setattr(Packer, "_begin", begin_the_first)
    packer = make_packer()
    (told,) = ask(packer, [make_config(seeds=2, epochs=10**6)])
    assert str(told[-1]) == "there is no such split"
    assert packer._begun, "the first seed's run goes on until nobody waits for the trial"
    packer.drop("0")
    wait_until(lambda: not packer._begun and not packer._waiting)


def test_no_more_are_trained_at_a_time_than_may_be(make_packer):
    packer = make_packer(most=2)
    seen = []
    advance = packer._advance
    packer._advance = lambda: (seen.append(len(packer._begun)), advance())
    told = ask(packer, [make_config(seed) for seed in range(5)])
    assert all(isinstance(each[-1], Final) for each in told)
    assert max(seen) == 2


def test_games_that_are_not_alike_are_trained_one_after_another(make_packer):
    configs = [make_config(1), make_config(1, batch_size=4), make_config(1, "lstm"), make_config(2, "lstm")]
    assert all(isinstance(each[-1], Final) for each in ask(make_packer(), configs))


def test_what_cannot_begin_fails_alone(make_packer):
    wrong = make_config(batch_size=-1)
    told = ask(make_packer(), [make_config(), wrong])
    assert isinstance(told[0][-1], Final)
    assert "batch_size is -1" in str(told[1][-1])


def test_a_batch_that_fails_fails_as_a_whole_and_others_go_on(make_packer, monkeypatch):
    def fail(pack):
        if len(pack.runs) > 1:
            raise RuntimeError("out of memory")
        return advance(pack)

    advance = Pack.advance
    monkeypatch.setattr(Pack, "advance", fail)
    packer = make_packer()
    packer._admit, admit = lambda: None, packer._admit  # until all have asked
    threading.Timer(0.5, lambda: setattr(packer, "_admit", admit)).start()
    told = ask(packer, [make_config(1), make_config(2), make_config(1, batch_size=4)])
    assert [str(each[-1]) for each in told[:2]] == ["out of memory"] * 2
    assert isinstance(told[2][-1], Final)


def test_where_runs_cannot_become_one_batch_they_fail_and_others_go_on(make_packer, monkeypatch):
    change = Pack.change

    def fail(pack, *, come=(), go=()):
        if len(come) > 1:
            pack.runs = list(come)
            raise RuntimeError("out of memory")
        change(pack, come=come, go=go)

    monkeypatch.setattr(Pack, "change", fail)
    packer = make_packer()
    packer._admit, admit = lambda: None, packer._admit  # until all have asked
    threading.Timer(0.5, lambda: setattr(packer, "_admit", admit)).start()
    told = ask(packer, [make_config(1), make_config(2), make_config(1, batch_size=4)])
    assert [str(each[-1]) for each in told[:2]] == ["out of memory"] * 2
    assert isinstance(told[2][-1], Final)


def test_on_a_gpu_as_many_are_trained_as_its_memory_holds_however_many_were_before(make_packer, monkeypatch):
    packer, held = make_packer(most=8), {"peak": 0}
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda: (1000, 4000))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda: 0)
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda: held["peak"])
    monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", lambda: held.update(peak=0))
    packer._gpu = True
    assert packer._has_room(), "the first finds out how much one takes"

    def train(runs: int) -> None:
        def advance() -> list[Epoch]:
            held["peak"] = max(held["peak"], 150 * runs)
            return []

        packer._begun = dict.fromkeys(range(runs))
        packer._packs = deque([SimpleNamespace(runs=list(range(runs)), advance=advance)])
        held["peak"] += 500  # features that came and went
        packer._advance()

    packer._begun = {0: None}
    assert not packer._has_room(), "it has not yet"
    train(1)
    assert packer._has_room()
    train(4)
    assert packer._has_room(), "5 x 150 and a quarter more is less than 1000"
    train(5)
    assert not packer._has_room()
    train(1)
    assert packer._needed == 150 and packer._has_room(), "what five took is not what one takes"


def test_a_run_that_is_dropped_frees_its_place(make_packer):
    packer = make_packer(most=1)
    hopeless = packer.train("hopeless", make_config(epochs=10**6).to_dict())
    next(hopeless)
    packer.drop("hopeless")
    assert isinstance(ask(packer, [make_config()])[0][-1], Final)


def test_a_run_goes_on_where_the_packer_before_was_cut_off_and_tells_of_what_is_over_first(make_packer, tmp_path):
    packer, configs = make_packer(), [make_config(seed, epochs=6, learning_rate=1e-4) for seed in (7, 8)]
    cut = packer.train("cut off", configs[0].to_dict())
    before = [next(cut) for _ in range(3)]
    wait_until(lambda: (tmp_path / f"{configs[0].identity}.pt").exists())
    packer.drop("cut off")
    (*epochs, final), (*other, _) = ask(make_packer(), configs)
    assert [epoch["epoch"] for epoch in epochs] == [epoch["epoch"] for epoch in other] == [1, 2, 3, 4, 5, 6]
    assert epochs[0] == before[0], "seconds and all"
    assert other[0] != before[0] and final.metrics["epochs_run"] == 6
    prepare_process()
    alone = train(configs[0], DATA[TASK])
    # Rounding depends on who was in the batch when: up to 0.05 % here, ten times as much with larger steps of Adam. An epoch
    # too few or too many is 0.9 %.
    assert epochs[-1]["loss/classifier"] == pytest.approx(alone.history[-1]["loss/classifier"], rel=3e-3)


def test_a_run_that_is_dropped_while_it_waits_never_begins(make_packer):
    packer = make_packer(most=1)
    first = packer.train("first", make_config(epochs=10**6).to_dict())
    next(first)
    waiting = threading.Thread(target=lambda: list(packer.train("waiting", make_config().to_dict())), daemon=True)
    waiting.start()
    wait_until(lambda: packer._waiting)
    packer.drop("waiting")
    packer.drop("first")
    assert isinstance(ask(packer, [make_config()])[0][-1], Final)
    assert not packer._waiting
    waiting.join(timeout=60)
    assert not waiting.is_alive(), "a packer has so many threads and no more"


def test_who_waits_for_runs_that_are_dropped_waits_no_longer(make_packer):
    packer, begun = make_packer(), threading.Event()

    def listen():
        for _ in packer.train("hopeless", make_config(epochs=10**6, seeds=2).to_dict()):
            begun.set()

    waiting = threading.Thread(target=listen, daemon=True)
    waiting.start()
    assert begun.wait(60)
    packer.drop("hopeless")
    waiting.join(timeout=60)
    assert not waiting.is_alive()
    wait_until(lambda: not packer._begun)


@pytest.mark.parametrize(
    ("method", "kind", "packed"),
    [("cnn", "replicate", True), ("svm", "search", False), ("emotional_gan", "pretraining", False)],
)
def test_what_trains_by_gradient_is_packed_pretext_tasks_apart(method, kind, packed):
    assert is_packed({"kind": kind, "trial": {"method": method}}) is packed
