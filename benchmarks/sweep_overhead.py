"""What a sweep costs besides its arithmetic: ``python benchmarks/sweep_overhead.py [--trials 60] [--repetitions 3]``.

The same trials (one method, one task of tiny demo corpora, every epoch to its end) run three
ways, one after another in each repetition:

- *sweep*: this project's own path: :func:`orchestrator.launch.run` with its searcher, recorder and delivery to MLflow,
  until the last event is delivered;
- *tune*: plain Ray Tune, as a user would write it: a function that loads its data from the store, Tune's defaults,
  ``MLflowLoggerCallback``, the model as a checkpoint;
- *script*: a plain Optuna and MLflow script (``_script.py``), run once per core on one SQLite study: each process loads the
  data once, then trains one trial after another, and logs parameters, every epoch and the model. Optuna's default sampler
  draws its learning rates, on which no trial's work depends (two processes may take the same trial of those that are
  enqueued).

All train by :func:`trainables.trainable.train` on one thread. Ray runs beforehand for the first two (its start is of
``benchmarks/startup.py``); what they start besides, workers or processes, is in their clock. MLflow's databases are made
beforehand for all.

Then the share of the sweep's core-time (cores times clock, from the first trial's beginning to the last one's end) that
is spent in training (``train_seconds``: steps, validation and the learning-rate policy), for the short trials and for
trials of about ``--seconds``, and where the rest can be seen: ``start`` (all cores until the first trial trains),
``driver`` (its CPU time), of which ``mlflow`` (the delivering thread) and ``searcher`` (all that Tune asks and tells it).
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock, patch

import optuna
import ray
import torch
from _table import note
from optuna.distributions import FloatDistribution
from ray import tune

from data_prep import cores, demo
from data_prep.build import build
from data_prep.store import open_store
from orchestrator import cluster, launch, mlflow_client
from orchestrator.delivery import Delivery
from orchestrator.plan import Cell, Plan
from orchestrator.records import RunKey, RunRecord
from orchestrator.scheduler import CellScheduler
from orchestrator.searcher import SweepSearcher
from orchestrator.tracking import Tracker
from search_spaces import Parameter, Variant
from trainables.config import TaskConfig, TrialConfig
from trainables.loading import load_task, load_tasks
from trainables.trainable import prepare_process, train

# A method whose learning rate falls whatever validation says: every trial has all its epochs.
METHOD, RATES = "dann", FloatDistribution(1e-4, 1e-2, log=True)
TASK = TaskConfig(sources=("iemocap",), targets=("emodb",), max_frames=100)


def main() -> None:
    """Prints the ratios, then the shares."""
    this = argparse.ArgumentParser(description="What a sweep costs besides its arithmetic.")
    this.add_argument("--trials", type=int, default=60, help="short trials (default 60)")
    this.add_argument(
        "--epochs", type=int, default=20, help="of a short trial, which then takes about a second (default 20)"
    )
    this.add_argument("--repetitions", type=int, default=3, help="of each way (default 3)")
    this.add_argument(
        "--ways", nargs="+", choices=list(_OTHERS), default=list(_OTHERS), help="against what: default both"
    )
    this.add_argument("--seconds", type=float, default=10.0, help="of a long trial, about (default 10)")
    this.add_argument("--long-trials", type=int, default=24, help="how many of these, 0 for none (default 24)")
    given = this.parse_args()
    prepare_process()
    with tempfile.TemporaryDirectory(prefix="ser-benchmark-") as scratch, patch.dict(os.environ):
        folder = Path(scratch)
        roots = demo.speak(folder / "demo", size="tiny", seed=0, corpora=TASK.corpora)
        cores.join(None)
        build(folder / "store", roots, [TASK.feature], quiet=True)
        mlflow_client.connect(f"sqlite:///{folder / 'empty.db'}")
        short = make_plan(folder, given.trials, given.epochs)
        data, config = load_task(open_store(folder / "store"), TASK), TrialConfig.from_dict(configurations(short)[0])
        seconds = min(train(config, data).metrics["train_seconds"] for _ in range(2))
        print(f"{given.trials} trials of {given.epochs} epochs, {seconds:.2f} s each, {_cores()} cores", flush=True)
        compare(folder, short, given.repetitions, given.ways)
        if given.long_trials:
            long = make_plan(folder, given.long_trials, math.ceil(given.seconds / seconds * given.epochs))
            print(f"{given.long_trials} trials of {long.epochs} epochs", flush=True)
            told = [run_sweep(folder, long) for _ in range(given.repetitions)]
            shares(told, f"trials of about {given.seconds:.0f} s", "90 %")
        ray.shutdown()


def compare(folder: Path, plan: Plan, repetitions: int, others: Sequence[str]) -> None:
    """Runs every way as often, and prints seconds, ratios to the sweep and the sweep's shares."""
    ways = {"sweep": run_sweep, **{way: _OTHERS[way] for way in others}}
    told: dict[str, list[Mapping[str, float]]] = {way: [] for way in ways}
    for number in range(repetitions):
        for way in ways if number % 2 == 0 else reversed(ways):
            told[way].append(ways[way](folder, plan))
    for way, its_own in told.items():
        seconds = [each["clock"] for each in its_own]
        ratios = [other / sweep["clock"] for other, sweep in zip(seconds, told["sweep"], strict=True)]
        if way != "sweep":
            note(f"a sweep of {plan.runs} short trials", *_AGAINST[way], ratios)
        print(f"{way:>8} {_spread(seconds)} s   {_spread(ratios)} times as long as the sweep", flush=True)
    shares(told["sweep"], f"trials of {plan.epochs} epochs")


def shares(told: list[Mapping[str, float]], trials: str, aim: str = "") -> None:
    """Prints where the core-time of several runs of one sweep went, in per cent of it."""
    percent = [100 / (_cores() * each["wall"]) for each in told]
    note(f"core-time in training, {trials}", "all core-time", aim, _of(told, percent, "training"), "%")
    note(f"MLflow and searcher, {trials}", "all core-time", "under 2 %", _of(told, percent, "mlflow", "searcher"), "%")
    for name in ("training", "start", "driver", "mlflow", "searcher"):
        print(f"{name:>10} {_spread(_of(told, percent, name))} % of the core-time", flush=True)


def _of(told: list[Mapping[str, float]], percent: Sequence[float], *names: str) -> list[float]:
    return [sum(each[name] for name in names) * one for each, one in zip(told, percent, strict=True)]


def make_plan(folder: Path, trials: int, epochs: int) -> Plan:
    """One cell, its configurations drawn beforehand, nothing stopped early."""
    data = open_store(folder / "store").fingerprint(TASK.feature, TASK.corpora)
    space = {"learning_rate": Parameter(RATES, paper=1e-3)}
    cell = Cell(variant=Variant("full", METHOD), column=TASK, fingerprint=lambda task: data, space=space)
    budget = {"epochs": epochs, "trials": trials, "replicates": 0}
    return Plan(sweep="benchmark", cells=(cell,), early_stopping=False, sampler="random", **budget)


def configurations(plan: Plan) -> list[dict[str, Any]]:
    """What the sweep's searcher hands out, all of it."""
    searcher = SweepSearcher(
        plan, optuna.storages.InMemoryStorage(), MagicMock(**{"finished_records.return_value": {}})
    )
    handed = [searcher.suggest(str(number)) for number in range(plan.runs)]
    return [each["trial"] for each in handed if isinstance(each, dict)]


class Timed(Tracker):
    """A tracker that notes when runs begin and end, and how long they train."""

    runs, first, first_epoch, last, training = 0, 0.0, math.inf, 0.0, 0.0

    def started(self, key: RunKey, config: TrialConfig) -> None:
        """A run begins."""
        self.first = self.first or time.perf_counter()
        super().started(key, config)

    def reported(self, key: RunKey, metrics: Mapping[str, float]) -> None:
        """An epoch has ended."""
        # Of epochs that are told of together, the last says it best.
        self.first_epoch = min(self.first_epoch, time.perf_counter() - metrics["train_seconds"])
        super().reported(key, metrics)

    def ended(self, record: RunRecord) -> None:
        """A run has ended."""
        assert record.status == "finished", record.error
        self.runs, self.last = self.runs + 1, time.perf_counter()
        self.training += record.metrics["train_seconds"]
        super().ended(record)


def run_sweep(folder: Path, plan: Plan) -> Mapping[str, float]:
    """The plan as this project runs it; seconds by name."""
    place = _place(folder, "sweep")
    spent = {"mlflow": 0.0, "searcher": 0.0}
    in_searcher = ("suggest", "on_trial_result", "on_trial_complete")
    with (
        patch.dict(os.environ),
        patch.object(Delivery, "deliver", _timed(Delivery.deliver, spent, "mlflow")),
        patch.multiple(
            SweepSearcher, **{name: _timed(getattr(SweepSearcher, name), spent, "searcher") for name in in_searcher}
        ),
    ):
        cluster.connect(None)
        tasks = load_tasks(open_store(folder / "store"), [TASK])
        begun, driver = time.perf_counter(), time.process_time()
        tracker = Timed(place / "run", _database(place), "benchmark", context={}, tags={})
        searcher = SweepSearcher(plan, place / "run" / "optuna.db", tracker)
        resources = launch.share_out(plan, 1, 4)
        launch.run(searcher, CellScheduler(plan), tasks, place / "run", resources)
        driver = time.process_time() - driver
        assert searcher.done and tracker.close(patience=600) == 0, searcher.problems
        clock = time.perf_counter() - begun
    assert tracker.runs == plan.runs
    return {
        "clock": clock,
        "wall": tracker.last - tracker.first,
        "training": tracker.training,
        "start": _cores() * (tracker.first_epoch - tracker.first),
        "driver": driver,
        **spent,
    }


def run_tune(folder: Path, plan: Plan) -> Mapping[str, float]:
    """The same trials in plain Ray Tune; seconds by name."""
    from ray.air.integrations.mlflow import MLflowLoggerCallback

    place, store = _place(folder, "tune"), str(folder / "store")

    def trainable(config: Mapping[str, Any]) -> None:
        prepare_process()
        trial = TrialConfig.from_dict(config["trial"])
        data = load_task(open_store(Path(store)), trial.task)
        result = train(trial, data, lambda metrics: tune.report(dict(metrics)))
        with tempfile.TemporaryDirectory() as kept:
            torch.save(dict(result.weights), Path(kept) / "model.pt")
            tune.report(dict(result.metrics), checkpoint=tune.Checkpoint.from_directory(kept))

    logger = MLflowLoggerCallback(tracking_uri=_database(place), experiment_name="benchmark")
    space = {"trial": tune.grid_search(configurations(plan))}
    settings = tune.RunConfig(storage_path=str(place), callbacks=[logger], verbose=0)
    begun = time.perf_counter()
    with patch.dict(os.environ, RAY_AIR_NEW_OUTPUT="0"):  # nothing is printed
        results = tune.Tuner(trainable, param_space=space, run_config=settings).fit()
    seconds = time.perf_counter() - begun
    assert len(results) == plan.runs and not results.errors
    return {"clock": seconds}


def run_script(folder: Path, plan: Plan) -> Mapping[str, float]:
    """The same trials by a plain script, one process per core; seconds by name."""
    place = _place(folder, "script")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    storage = f"sqlite:///{place / 'optuna.db'}"
    study, trials = optuna.create_study(study_name="benchmark", storage=storage), configurations(plan)
    counts = [len(range(number, len(trials), _cores())) for number in range(_cores())]
    given = [str(folder / "store"), storage, _database(place), json.dumps(trials[0]), str(RATES.low), str(RATES.high)]
    file = Path(__file__).resolve().with_name("_script.py")
    begun = time.perf_counter()
    processes = [subprocess.Popen([sys.executable, str(file), *given, str(count)], cwd=place) for count in counts]
    assert not any([process.wait() for process in processes])
    seconds = time.perf_counter() - begun
    assert len(study.get_trials(states=[optuna.trial.TrialState.COMPLETE])) == len(trials)
    return {"clock": seconds}


def _timed(function: Any, spent: dict[str, float], name: str) -> Any:
    """``function``, adding the CPU time of its thread to ``spent``."""

    def timed(*arguments: Any, **named: Any) -> Any:
        begun = time.thread_time()
        try:
            return function(*arguments, **named)
        finally:
            spent[name] += time.thread_time() - begun

    return timed


def _place(folder: Path, way: str) -> Path:
    """A new folder, with an empty MLflow database in it."""
    place = Path(tempfile.mkdtemp(prefix=f"{way}-", dir=folder))
    (place / "run").mkdir()
    shutil.copyfile(folder / "empty.db", place / "mlflow.db")
    return place


def _database(place: Path) -> str:
    return f"sqlite:///{place / 'mlflow.db'}"


def _cores() -> int:
    return int(ray.cluster_resources()["CPU"]) if ray.is_initialized() else os.cpu_count() or 1


def _spread(values: list[float]) -> str:
    return f"{statistics.median(values):7.2f} ({min(values):.2f} to {max(values):.2f})"


_OTHERS = {"tune": run_tune, "script": run_script}
_AGAINST = {
    "tune": ("plain Ray Tune", "5 times as fast"),
    "script": ("a script, one process per core", "1.2 times as fast"),
}

if __name__ == "__main__":
    main()
