"""A worker that dies in the middle of a run: the second attempt goes on from there, with the numbers of an undisturbed run."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import numpy as np
from optuna.distributions import FloatDistribution

from orchestrator import RECOVERY, launch
from orchestrator.plan import Cell, Plan
from orchestrator.scheduler import CellScheduler
from orchestrator.searcher import SweepSearcher
from search_spaces import Parameter, Variant
from trainables.config import TaskConfig
from trainables.data import Domain, TaskData
from trainables.trainable import prepare_process, train

TASK = TaskConfig(sources=("one",), targets=("other",))


def make_domain(corpus: str, seed: int) -> Domain:
    """Forty utterances of two classes, as long as each other."""
    rng, labels = np.random.default_rng(seed), np.arange(40) % 2
    return Domain(
        values=(rng.normal(size=(40, 20, 6)) * (1 + labels[:, None, None])).reshape(-1, 6).astype(np.float32),
        starts=np.arange(41, dtype=np.int64) * 20,
        corpora=(corpus,) * 40,
        utterances=tuple(f"{corpus}/{number}" for number in range(40)),
        speakers=tuple(f"{corpus}/{number % 4}" for number in range(40)),
        labels=labels.astype(np.int64),
    )


DATA = TaskData(make_domain("one", 1), make_domain("other", 2), ("angry", "sad"))


class Murderer(SweepSearcher):
    """Kills the worker of the first run once, after its third epoch, when a state of it has been kept."""

    def __init__(self, plan: Plan, directory: Path, recorder) -> None:
        super().__init__(plan, directory / "optuna.db", recorder)
        self.folder, self.told, self.kept = directory / RECOVERY, [], []

    def on_trial_result(self, trial_id, result):
        """Epochs are told of one by one here."""
        super().on_trial_result(trial_id, result)
        for epoch in result["epochs"]:
            self.told.append({name: epoch[name] for name in ("epoch", "loss/classifier", "train_seconds")})
        if len(self.told) == 3:
            deadline = time.monotonic() + 60
            while not (kept := [path.name for path in self.folder.glob("*.pt")]):
                assert time.monotonic() < deadline, "no state was kept"
                time.sleep(0.01)
            self.kept = kept
            os.kill(result["pid"], signal.SIGKILL)


def test_the_second_attempt_goes_on_where_the_first_was_killed(ray_session, recorder, tmp_path):
    space = {"learning_rate": Parameter(FloatDistribution(1e-4, 1e-2, log=True), paper=1e-3)}
    cell = Cell(variant=Variant("full", "cnn"), column=TASK, fingerprint=lambda task: "made up", space=space)
    plan = Plan(sweep="made_up", cells=(cell,), epochs=6, trials=1, replicates=0, early_stopping=False)
    searcher = Murderer(plan, tmp_path, recorder)
    resources = launch.Resources(cpus=1, gpus=0, workers=1, concurrent=1)
    settings = {"recovery_seconds": 0, "telling_seconds": 0}
    launch.run(searcher, CellScheduler(plan), {TASK: DATA}, tmp_path, resources, **settings)
    assert searcher.done and not searcher.problems
    (record,) = recorder.records.values()
    assert searcher.kept == [f"{record.config.identity}.pt"]
    assert [epoch["epoch"] for epoch in searcher.told] == [1, 2, 3, 1, 2, 3, 4, 5, 6]
    assert searcher.told[3] == searcher.told[0], "not trained again: the seconds are the first attempt's, too"
    prepare_process()
    alone = train(record.config, DATA)
    losses = [epoch["loss/classifier"] for epoch in alone.history]
    assert [epoch["loss/classifier"] for epoch in record.history] == losses
    assert record.metrics["test_uar"] == alone.metrics["test_uar"]
    assert record.metrics["criterion/entropy"] == alone.metrics["criterion/entropy"]
    assert not (tmp_path / RECOVERY).exists(), "nothing is left of what has ended"
