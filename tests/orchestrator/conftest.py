"""A made-up sweep, a recorder and a storage in memory, and a simulated backend with a clock of its own."""

from __future__ import annotations

import heapq
import json
import shutil
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution

from orchestrator.plan import Plan, cells
from orchestrator.records import Kind, RunKey, RunRecord
from orchestrator.searcher import SweepSearcher
from orchestrator.study import Study
from search_spaces import Parameter, Preset, Published, Sweep, Variant
from trainables.config import TaskConfig, TrialConfig
from trainables.streams import stream

TASKS = tuple(TaskConfig(sources=("iemocap",), targets=(target,)) for target in ("msp_improv", "emodb"))


ORIGIN = {
    "device": "cpu",
    "machine": "made up",
    "normalisation": "4567",
    "split": {"train": 8, "test": 4, "digest": "0123"},
}


def _sweep() -> Sweep:
    baseline = ("autoencoder", "generator", "decoder", "source_discriminator", "target_discriminator")
    return Sweep(
        title="A made-up ablation",
        source="no paper",
        variants=(Variant("full", "addi"), Variant("baseline", "addi", baseline)),
        tasks=TASKS,
        space={
            "learning_rate": Parameter(FloatDistribution(1e-5, 1e-2, log=True), paper=1e-4),
            "adversarial_ramp": Parameter(
                CategoricalDistribution(["constant", "sigmoid"]), paper="constant", unless_without=("generator",)
            ),
            "adversarial_gamma": Parameter(
                FloatDistribution(1.0, 20.0),
                paper=10.0,
                when={"adversarial_ramp": ("sigmoid",)},
                unless_without=("generator",),
            ),
        },
        published={("full", "iemocap-emodb"): Published(46.1, 1.6)},
        reference="full",
        presets={"demo": Preset(epochs=6, trials=4, replicates=3)},
    )


@pytest.fixture
def made_up_sweep() -> Sweep:
    return _sweep()


@pytest.fixture(scope="session")
def make_plan() -> Callable[..., Plan]:
    def make(*patterns: str, **given: Any) -> Plan:
        settings = {"epochs": 6, "trials": 4, "replicates": 3, **given}
        return Plan(
            sweep="made_up", cells=cells(_sweep(), lambda task: f"data of {task.name}", patterns or ("*",)), **settings
        )

    return make


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An MLflow database with nothing in it: making one takes seconds, copying it none."""
    from orchestrator.mlflow_client import connect

    path = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    connect(f"sqlite:///{path}")
    return path


@pytest.fixture
def uri(tmp_path: Path, empty_database: Path) -> str:
    """The address of an MLflow database of one's own."""
    return f"sqlite:///{shutil.copy(empty_database, tmp_path / 'mlflow.db')}"


@pytest.fixture
def study(make_plan: Callable[..., Plan]) -> Study:
    """The made-up sweep as a launch would run it: 4 search trials and 3 replicates a cell."""
    return Study.of(_sweep(), make_plan(), demo=True)


@pytest.fixture
def make_record(make_plan: Callable[..., Plan]) -> Callable[..., RunRecord]:
    """A made-up record of the made-up plan."""

    def make(
        cell: str, kind: Kind, number: int, *, validation: float = 0.5, test: float = 0.4, epochs: int = 2, **given: Any
    ) -> RunRecord:
        key = RunKey(cell=cell, kind=kind, number=number)
        drawn = {"learning_rate": 1e-4 * (1 + number)} | given.pop("drawn", {})
        status = given.get("status", "finished")
        metrics = {"validation_uar": validation, "test_uar": test, "test_accuracy": test, "best_epoch": float(epochs)}
        rising = [validation * (epoch + 1) / epochs for epoch in range(epochs)]
        fields = {
            "key": key,
            "config": make_plan().config(key, drawn),
            "status": "finished",
            "metrics": {} if status in ("failed", "killed") else metrics,
            "history": tuple(
                {"epoch": epoch + 1.0, "validation_uar": score, "loss/classifier": 1.0 / (epoch + 1)}
                for epoch, score in enumerate(rising)
            ),
            "confusion": None if status != "finished" else [[9, 1, 0, 0], [2, 7, 1, 0], [0, 3, 6, 1], [1, 1, 1, 7]],
            "origin": ORIGIN if status == "finished" else {},
        }
        return RunRecord(**{**fields, **given})

    return make


class Killed(BaseException):
    """The driver is dead from here on: no handler of an ordinary error sees it."""


@dataclass
class Fuse:
    """Kills the driver at its ``left``-th step from now; counts the steps where it is ``None``."""

    left: int | None = None
    burnt: int = 0

    def burn(self) -> None:
        self.burnt += 1
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                raise Killed


class MemoryRecorder:
    """Keeps records as a journal would, and counts how often each run ended. It may die before and after each event."""

    def __init__(self, fuse: Fuse | None = None) -> None:
        self.fuse = fuse or Fuse()
        self.records: dict[str, RunRecord] = {}
        self.ends: Counter[str] = Counter()
        self.models: dict[str, Path] = {}
        self.starts: list[tuple[RunKey, TrialConfig]] = []

    def started(self, key: RunKey, config: TrialConfig) -> None:
        self.fuse.burn()
        self.starts.append((key, config))
        self.fuse.burn()

    def reported(self, key: RunKey, metrics: Mapping[str, float]) -> None:
        self.fuse.burn()

    def attach(self, key: RunKey, path: Path) -> None:
        self.fuse.burn()
        self.models[str(key)] = path

    def ended(self, record: RunRecord) -> None:
        self.fuse.burn()
        self.records[str(record.key)] = record
        self.ends[str(record.key)] += 1
        self.fuse.burn()

    def finished_records(self) -> Mapping[str, RunRecord]:
        return dict(self.records)

    def of(self, cell: str, kind: str) -> list[RunRecord]:
        found = [record for record in self.records.values() if (record.key.cell, record.key.kind) == (cell, kind)]
        return sorted(found, key=lambda record: record.key.number)


class MortalStorage(optuna.storages.InMemoryStorage):
    """Optuna's storage in memory, before each write to which the driver may die."""

    def __init__(self, fuse: Fuse) -> None:
        super().__init__()
        self.fuse = fuse

    def create_new_study(self, *arguments: Any, **named: Any) -> int:
        self.fuse.burn()
        return super().create_new_study(*arguments, **named)

    def set_study_user_attr(self, *arguments: Any) -> None:
        self.fuse.burn()
        super().set_study_user_attr(*arguments)

    def create_new_trial(self, *arguments: Any, **named: Any) -> int:
        self.fuse.burn()
        return super().create_new_trial(*arguments, **named)

    def set_trial_user_attr(self, *arguments: Any) -> None:
        self.fuse.burn()
        super().set_trial_user_attr(*arguments)

    def set_trial_intermediate_value(self, *arguments: Any) -> None:
        self.fuse.burn()
        super().set_trial_intermediate_value(*arguments)

    def set_trial_state_values(self, *arguments: Any, **named: Any) -> bool:
        self.fuse.burn()
        return super().set_trial_state_values(*arguments, **named)


class Backend:
    """Runs what a searcher suggests on simulated workers, in made-up time: no training, no processes, no waiting.

    Args:
        workers: how many run at a time.
        seed: of how long each run takes.
        fails, stops: whether a run, given its suggestion, fails, or is stopped by the scheduler.
        fuse: kills the driver.

    Attributes:
        now: seconds on the made-up clock.
        handed_out: how many of each cell and kind have been suggested.
        waits: for each time that a worker was told to wait, a copy of ``handed_out`` and what was running.
    """

    def __init__(
        self,
        workers: int,
        seed: int = 0,
        *,
        fails: Callable[[dict], bool] = lambda config: False,
        stops: Callable[[dict], bool] = lambda config: False,
        fuse: Fuse | None = None,
    ) -> None:
        self.workers, self.fails, self.stops, self.now, self.fuse = workers, fails, stops, 0.0, fuse or Fuse()
        self.rng = stream(seed, "simulation")
        self.handed_out: Counter[tuple[str, str]] = Counter()
        self.waits: list[tuple[Counter[tuple[str, str]], list[dict]]] = []

    def clock(self) -> float:
        return self.now

    def run(self, searcher: SweepSearcher) -> None:
        running: list[tuple[float, str, dict]] = []
        number, finished = 0, False
        while True:
            while len(running) < self.workers and not finished:
                config = searcher.suggest(f"trial-{number}")
                self.fuse.burn()
                if config == "FINISHED":
                    finished = True
                elif config is None:
                    self.waits.append((self.handed_out.copy(), [each for _, _, each in running]))
                    break
                else:
                    self.handed_out[config["cell"], config["kind"]] += 1
                    heapq.heappush(running, (self.now + self.rng.uniform(1, 10), f"trial-{number}", config))
                    number += 1
            if not running:
                assert finished, "the searcher neither hands out a run nor ends"
                return
            self.now, trial, config = heapq.heappop(running)
            self.complete(searcher, trial, config)
            self.fuse.burn()

    def complete(self, searcher: SweepSearcher, trial: str, config: dict) -> None:
        """What Tune tells the searcher of a trial, in Tune's order."""
        if config["kind"] == "pretraining":
            self.complete_pretraining(searcher, trial, config)
            return
        score = self.score(config)
        epoch = {"epoch": 1, "validation_uar": score / 2, "best_validation_uar": score / 2}
        searcher.on_trial_result(trial, {"epochs": [epoch]})
        if self.fails(config):
            searcher.on_trial_complete(trial, error=True)
        elif self.stops(config):
            epoch = {"epoch": 2, "validation_uar": 2 * score, "best_validation_uar": 2 * score}
            searcher.on_trial_complete(trial, {"epochs": [epoch], "done": True})
        else:
            scores = {"validation_uar": score, "test_uar": score - 0.1, "best_epoch": 1, "confusion": [[1]]}
            scores["criterion/entropy"] = -score
            final = {"final": True, **scores, "origin": json.dumps(ORIGIN), "epochs": [], "model": f"{trial}.pt"}
            searcher.on_trial_complete(trial, {**final, "done": True})

    def complete_pretraining(self, searcher: SweepSearcher, trial: str, config: dict) -> None:
        """Likewise of a run that others start from, which has no score."""
        searcher.on_trial_result(trial, {"epochs": [{"epoch": 1, "loss/generator": 0.5}]})
        if self.fails(config):
            searcher.on_trial_complete(trial, error=True)
        else:
            final = {"final": True, "epochs_run": 1, "train_seconds": 3.0, "origin": json.dumps(ORIGIN)}
            final |= {"epochs": [], "model": f"{trial}.pt"}
            searcher.on_trial_complete(trial, {**final, "done": True})

    @staticmethod
    def score(config: dict) -> float:
        """The higher the learning rate, the better; what a replicate has is what its configuration is worth."""
        return 0.3 + 10 * config["trial"]["hyperparameters"]["learning_rate"]


@pytest.fixture(scope="session")
def make_backend() -> type[Backend]:
    return Backend


@pytest.fixture(scope="session")
def killed() -> type[BaseException]:
    return Killed


@pytest.fixture(scope="session")
def make_fuse() -> type[Fuse]:
    return Fuse


@pytest.fixture
def recorder() -> MemoryRecorder:
    return MemoryRecorder()


@pytest.fixture(scope="session")
def make_recorder() -> type[MemoryRecorder]:
    return MemoryRecorder


@pytest.fixture
def storage() -> optuna.storages.BaseStorage:
    return optuna.storages.InMemoryStorage()


@pytest.fixture(scope="session")
def make_storage() -> type[MortalStorage]:
    return MortalStorage
