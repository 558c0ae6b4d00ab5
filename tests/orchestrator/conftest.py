"""A made-up sweep, a recorder in memory, and a simulated backend with a clock of its own."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution

from orchestrator.plan import Plan, cells
from orchestrator.records import RunKey, RunRecord
from orchestrator.searcher import SweepSearcher
from search_spaces import Parameter, Preset, Published, Sweep, Variant
from trainables.config import TaskConfig, TrialConfig
from trainables.streams import stream

TASKS = (
    TaskConfig(sources=("iemocap",), targets=("msp_improv",)),
    TaskConfig(sources=("iemocap",), targets=("emodb",)),
)


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


@pytest.fixture
def make_plan() -> Callable[..., Plan]:
    def make(pattern: str = "*", **given: Any) -> Plan:
        fingerprints = {task.name: f"data of {task.name}" for task in TASKS}
        settings = {"epochs": 6, "trials": 4, "replicates": 3, **given}
        return Plan(sweep="made_up", cells=cells(_sweep(), fingerprints, pattern), **settings)

    return make


class MemoryRecorder:
    """Keeps records as a journal would, and counts how often each run ended."""

    def __init__(self) -> None:
        self.records: dict[str, RunRecord] = {}
        self.ends: Counter[str] = Counter()
        self.starts: list[tuple[RunKey, TrialConfig]] = []

    def started(self, key: RunKey, config: TrialConfig) -> None:
        self.starts.append((key, config))

    def reported(self, key: RunKey, metrics: Mapping[str, float]) -> None:
        pass

    def ended(self, record: RunRecord) -> None:
        self.records[str(record.key)] = record
        self.ends[str(record.key)] += 1

    def finished_records(self) -> Mapping[str, RunRecord]:
        return dict(self.records)

    def of(self, cell: str, kind: str) -> list[RunRecord]:
        found = [record for record in self.records.values() if (record.key.cell, record.key.kind) == (cell, kind)]
        return sorted(found, key=lambda record: record.key.number)


class Killed(Exception):
    """The simulated driver was killed."""


class Backend:
    """Runs what a searcher suggests on simulated workers, in made-up time: no training, no processes, no waiting."""

    def __init__(self, workers: int, seed: int = 0, *, fails: Callable[[dict], bool] = lambda config: False) -> None:
        self.workers, self.fails, self.now = workers, fails, 0.0
        self.rng = stream(seed, "simulation")
        self.idle_while_work_was_left = 0
        self.events = 0

    def clock(self) -> float:
        return self.now

    def run(self, searcher: SweepSearcher, kill_after: int | None = None) -> None:
        running: list[tuple[float, str, dict]] = []
        number, finished = 0, False
        while True:
            while len(running) < self.workers and not finished:
                self._event(kill_after)
                config = searcher.suggest(f"trial-{number}")
                if config == "FINISHED":
                    finished = True
                elif config is None:
                    break
                else:
                    heapq.heappush(running, (self.now + self.rng.uniform(1, 10), f"trial-{number}", config))
                    number += 1
            if not running:
                assert finished, "the searcher neither hands out a run nor ends"
                return
            self.now, trial, config = heapq.heappop(running)
            self._event(kill_after)
            self._complete(searcher, trial, config)

    def _complete(self, searcher: SweepSearcher, trial: str, config: dict) -> None:
        if self.fails(config):
            searcher.on_trial_complete(trial, error=True)
            return
        score = self.score(config)
        searcher.on_trial_result(trial, {"epoch": 1, "validation_uar": score / 2, "best_validation_uar": score / 2})
        final = {"final": True, "validation_uar": score, "test_uar": score - 0.1, "best_epoch": 1, "confusion": [[1]]}
        searcher.on_trial_result(trial, final)
        searcher.on_trial_complete(trial, {**final, "done": True})

    @staticmethod
    def score(config: dict) -> float:
        """The higher the learning rate, the better; what a replicate has is what its configuration is worth."""
        return 0.3 + 10 * config["trial"]["hyperparameters"]["learning_rate"]

    def _event(self, kill_after: int | None) -> None:
        self.events += 1
        if kill_after is not None and self.events > kill_after:
            raise Killed


@pytest.fixture
def make_backend() -> type[Backend]:
    return Backend


@pytest.fixture
def killed() -> type[Exception]:
    return Killed


@pytest.fixture
def recorder() -> MemoryRecorder:
    return MemoryRecorder()


@pytest.fixture
def make_recorder() -> type[MemoryRecorder]:
    return MemoryRecorder


@pytest.fixture
def storage() -> optuna.storages.BaseStorage:
    return optuna.storages.InMemoryStorage()
