"""The searcher of a whole sweep: one Tune experiment, one Optuna study per cell.

Tune asks :meth:`SweepSearcher.suggest` for the next run whenever a worker is free, and gets one of whichever cell has
had the fewest. A cell's first search trial is the paper's own configuration; when its search is done, it hands out the
replicates of its best. What a run reports:

- after each epoch, flat numbers: ``epoch``, ``validation_uar``, ``best_validation_uar``, ``learning_rate``, ...;
- at its end, ``final`` set, with its final metrics (``validation_uar`` is now the selected epoch's) and ``confusion``.

What survives a killed driver: every ended run is with the recorder, durably, before Optuna is told of it; a new searcher
on the same recorder and Optuna storage goes on from there. Nothing that has ended runs again; what was running does,
with the configuration that it had. Tune's own snapshots of the searcher are therefore empty.
"""

from __future__ import annotations

import time
import warnings
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers import RandomSampler, TPESampler
from optuna.storages import RDBStorage
from optuna.trial import TrialState
from ray.tune.search import Searcher

from orchestrator.plan import Cell, Plan
from orchestrator.records import RunKey, RunRecord, Status
from orchestrator.selection import select
from search_spaces import applies, paper_values
from trainables.config import TrialConfig
from trainables.streams import stream_seed

METRIC = "validation_uar"
ATTEMPTS = 2  # a run that fails is tried once more

_NUMBER = "number"  # the position in the cell's budget, on each Optuna trial


class Recorder(Protocol):
    """Who is told of every run."""

    def started(self, key: RunKey, config: TrialConfig) -> None:
        """A run begins; again, where an earlier attempt failed or was killed."""

    def reported(self, key: RunKey, metrics: Mapping[str, float]) -> None:
        """An epoch of it has ended."""

    def ended(self, record: RunRecord) -> None:
        """It has ended; the record is durable when this returns."""

    def finished_records(self) -> Mapping[str, RunRecord]:
        """All that have ended, of earlier drivers of the same launch too, by ``str(key)``."""


@dataclass
class _Live:
    """A run that a worker has."""

    key: RunKey
    config: TrialConfig
    trial: optuna.Trial | None
    history: list[dict[str, float]] = field(default_factory=list)


class SweepSearcher(Searcher):
    """Hands out every run of a plan, once.

    Attributes:
        problems: what went wrong, one line each: cells without a single finished search trial, failed replicates.
    """

    def __init__(
        self,
        plan: Plan,
        storage: Path | optuna.storages.BaseStorage,
        recorder: Recorder,
        *,
        time_budget: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begins a plan, or goes on with it.

        Args:
            plan: what is to be run.
            storage: where the Optuna studies are: the path of an SQLite file, or a storage.
            recorder: who is told of every run, and knows those that have ended.
            time_budget: seconds after which no new search trial is begun.
            clock: seconds, for the budget.
        """
        super().__init__(metric=METRIC, mode="max")
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self.problems: list[str] = []
        self._plan, self._recorder = plan, recorder
        self._clock, self._deadline = clock, None if time_budget is None else clock() + time_budget
        self._live: dict[str, _Live] = {}
        self._failures: dict[str, int] = defaultdict(int)
        self._ended: dict[str, dict[RunKey, RunRecord]] = {cell.name: {} for cell in plan.cells}
        for record in recorder.finished_records().values():
            self._ended.get(record.key.cell, {})[record.key] = record
        held = RDBStorage(f"sqlite:///{storage}") if isinstance(storage, Path) else storage
        self._studies = {cell.name: self._study(cell, held) for cell in plan.cells}
        self._again = {cell.name: self._reconcile(cell) for cell in plan.cells}

    @property
    def done(self) -> bool:
        """Whether nothing is left to run."""
        return not self._live and all(self._next(cell) is None for cell in self._plan.cells)

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        """The next run for Tune: its key and configuration; ``None`` for "not now"; ``FINISHED`` at the end."""
        ready = [(cell, key) for cell in self._plan.cells if (key := self._next(cell)) is not None]
        if not ready:
            return None if self._live else Searcher.FINISHED
        cell, key = min(ready, key=lambda pair: self._begun(pair[0]))
        live = self._begin(cell, key)
        self._live[trial_id] = live
        self._recorder.started(key, live.config)
        return {"cell": key.cell, "kind": key.kind, "number": key.number, "trial": live.config.to_dict()}

    def on_trial_result(self, trial_id: str, result: dict[str, Any]) -> None:
        """Passes an epoch's numbers on."""
        live = self._live.get(trial_id)
        if live is None or result.get("final") or result.get("done"):
            return
        self._note(live, result)

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        """Records how a run ended.

        A run that ends without a final result was stopped by the scheduler if Tune marked its last result as done;
        else it was cut off with the sweep, is not recorded, and will run again when the sweep is resumed.
        """
        live = self._live.pop(trial_id, None)
        if live is None:
            return
        if error:
            self._fail(live)
        elif result and result.get("final"):
            self._end(live, "finished", result)
        elif result and result.get("done"):
            self._note(live, result)
            self._end(live, "stopped", {METRIC: result.get("best_validation_uar", result[METRIC])})

    def save(self, checkpoint_path: str) -> None:
        """Writes nothing of use: the recorder and Optuna's storage hold everything."""
        Path(checkpoint_path).touch()

    def restore(self, checkpoint_path: str) -> None:
        """Nothing to do; see :meth:`save`."""

    def __getstate__(self) -> dict[str, Any]:
        """Tune keeps a pickle of its set-up, which nothing here reads: an empty one will do; see :meth:`save`."""
        return {}

    def _next(self, cell: Cell) -> RunKey | None:
        """The next run of a cell that can begin now."""
        if self._again[cell.name]:
            return self._again[cell.name][0][0]
        keys = {live.key for live in self._live.values()} | self._ended[cell.name].keys()
        search = [RunKey(cell=cell.name, kind="search", number=number) for number in range(self._plan.trials)]
        fresh = [key for key in search if key not in keys]
        if self._deadline is not None and self._clock() > self._deadline:
            # Out of time: the first one alone, and only where nothing else of the cell was ever begun.
            fresh = fresh[:1] if len(fresh) == len(search) else []
        if fresh:
            return fresh[0]
        if any(key in search for key in (live.key for live in self._live.values())):
            return None
        if select(self._ended[cell.name].values()) is None:
            self._problem(f"{cell.name}: not one search trial has finished, so there is nothing to replicate")
            return None
        replicates = [RunKey(cell=cell.name, kind="replicate", number=r) for r in range(self._plan.replicates)]
        return next((key for key in replicates if key not in keys), None)

    def _begun(self, cell: Cell) -> int:
        live = sum(run.key.cell == cell.name for run in self._live.values())
        return live + len(self._ended[cell.name])

    def _begin(self, cell: Cell, key: RunKey) -> _Live:
        if key.kind == "replicate":
            best = select(self._ended[cell.name].values())
            assert best is not None, "replicates come after a selection"
            if self._again[cell.name]:
                self._again[cell.name].pop(0)
            return _Live(key, self._plan.config(key, best.config.hyperparameters), None)
        fixed = self._fixed(cell, key)
        study = self._studies[cell.name]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            # Seeded anew for each trial, so that what is drawn does not depend on when the driver was last started.
            seed = stream_seed(self._plan.seed, "search", cell.name, key.number) % 2**32
            study.sampler = TPESampler(seed=seed, constant_liar=True)
        if fixed is not None:
            study.enqueue_trial(fixed, user_attrs={_NUMBER: key.number})
        trial = study.ask()
        trial.set_user_attr(_NUMBER, key.number)
        return _Live(key, self._plan.config(key, _draw(cell, trial)), trial)

    def _fixed(self, cell: Cell, key: RunKey) -> dict[str, Any] | None:
        """The values that this trial must have; ``None`` where the sampler is free."""
        if self._again[cell.name]:
            return self._again[cell.name].pop(0)[1]
        if key.number == 0:
            return paper_values(cell.space)
        if self._plan.sampler == "random":
            seed = stream_seed(self._plan.seed, "search", cell.name, key.number) % 2**32
            return _draw(cell, optuna.create_study(sampler=RandomSampler(seed=seed)).ask())
        return None

    def _note(self, live: _Live, result: Mapping[str, Any]) -> None:
        metrics = {name: value for name, value in result.items() if _is_ours(name, value)}
        live.history.append(metrics)
        self._recorder.reported(live.key, metrics)

    def _end(self, live: _Live, status: Status, result: Mapping[str, Any]) -> None:
        metrics = {name: float(value) for name, value in result.items() if _is_ours(name, value)}
        record = RunRecord(
            key=live.key,
            config=live.config,
            status=status,
            metrics=metrics,
            history=tuple(live.history),
            confusion=result.get("confusion"),
        )
        self._recorder.ended(record)
        self._ended[live.key.cell][live.key] = record
        if live.trial is not None:
            if status == "stopped":
                live.trial.report(record.metrics[METRIC], step=len(live.history))
            _tell(self._studies[live.key.cell], live.trial, record)

    def _fail(self, live: _Live) -> None:
        name = str(live.key)
        self._failures[name] += 1
        if self._failures[name] < ATTEMPTS:
            if live.trial is not None:
                self._studies[live.key.cell].tell(live.trial, state=TrialState.FAIL)
            drawn = live.trial.params if live.trial is not None else {}
            self._again[live.key.cell].append((live.key, drawn))
            return
        record = RunRecord(
            key=live.key,
            config=live.config,
            status="failed",
            history=tuple(live.history),
            error=f"failed {ATTEMPTS} times; the worker's log says why",
        )
        self._recorder.ended(record)
        self._ended[live.key.cell][live.key] = record
        if live.trial is not None:
            self._studies[live.key.cell].tell(live.trial, state=TrialState.FAIL)
        self._problem(f"{name} {record.error}")

    def _problem(self, text: str) -> None:
        if text not in self.problems:
            self.problems.append(text)

    def _study(self, cell: Cell, storage: optuna.storages.BaseStorage) -> optuna.Study:
        name = f"{self._plan.sweep}/{cell.name}"
        return optuna.create_study(storage=storage, study_name=name, direction="maximize", load_if_exists=True)

    def _reconcile(self, cell: Cell) -> list[tuple[RunKey, dict[str, Any]]]:
        """Brings a cell's study up to what the recorder knows; returns the trials that were cut off, to run again."""
        study = self._studies[cell.name]
        again: dict[RunKey, dict[str, Any]] = {}
        for _ in study.get_trials(deepcopy=False, states=(TrialState.WAITING,)):
            study.tell(study.ask(), state=TrialState.FAIL)  # enqueued by a driver that did not live to ask for it
        for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            number = trial.user_attrs.get(_NUMBER)
            key = None if number is None else RunKey(cell=cell.name, kind="search", number=number)
            record = None if key is None else self._ended[cell.name].get(key)
            if record is not None:
                _tell(study, trial.number, record)
                continue
            study.tell(trial.number, state=TrialState.FAIL)
            if key is not None:
                again[key] = dict(trial.params)
        return sorted(again.items(), key=lambda pair: pair[0].number)


def _draw(cell: Cell, trial: optuna.Trial) -> dict[str, Any]:
    """Draws a cell's parameters in their order, leaving out those whose condition fails."""
    drawn: dict[str, Any] = {}
    for name, parameter in cell.space.items():
        if applies(parameter, drawn):
            drawn[name] = _suggest(trial, name, parameter.distribution)
    return drawn


def _suggest(trial: optuna.Trial, name: str, distribution: BaseDistribution) -> Any:
    if isinstance(distribution, FloatDistribution):
        return trial.suggest_float(
            name, distribution.low, distribution.high, log=distribution.log, step=distribution.step
        )
    if isinstance(distribution, IntDistribution):
        return trial.suggest_int(
            name, distribution.low, distribution.high, log=distribution.log, step=distribution.step
        )
    assert isinstance(distribution, CategoricalDistribution), (
        f"{name}: {distribution} is none of Optuna's distributions"
    )
    return trial.suggest_categorical(name, distribution.choices)


def _tell(study: optuna.Study, trial: optuna.Trial | int, record: RunRecord) -> None:
    if record.status == "finished":
        study.tell(trial, record.metrics[METRIC])
    else:
        study.tell(trial, state=TrialState.PRUNED if record.status == "stopped" else TrialState.FAIL)


_TUNES_OWN = frozenset(
    "timestamp checkpoint_dir_name should_checkpoint done training_iteration trial_id date time_this_iter_s time_total_s "
    "pid hostname node_ip time_since_restore iterations_since_restore experiment_tag final".split()
)


def _is_ours(name: str, value: Any) -> bool:
    """Whether a key of a Tune result is a number that the run itself reported."""
    numeric = isinstance(value, (int, float)) and not isinstance(value, bool)
    return numeric and name not in _TUNES_OWN and not name.startswith("config/")
