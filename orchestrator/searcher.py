"""The searcher of a whole sweep: one Tune experiment, one Optuna study per cell.

Tune asks :meth:`SweepSearcher.suggest` for the next run whenever a worker is free, and gets one of whichever cell has
had the fewest. A cell's first search trial is the paper's own configuration; when its search is done, it hands out the
replicates of its best. A run that starts from another waits until that one has been handed out, once for all that start
from it, and has ended; its cell begins no other meanwhile. What runs report to Tune is in :mod:`orchestrator.telling`.

What survives a killed driver: a run that has ended is with the recorder, durably, before Optuna is told of it. A new
searcher on the same recorder and storage brings each up to what the other knows, and goes on: nothing that has ended
runs again. What was running does, under the same number and with the configuration that it had, from its last state if
there is one (:mod:`trainables.recovery`), and reports all its epochs again. Tune's own snapshots are therefore empty.
"""

from __future__ import annotations

import json
import math
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from numbers import Real
from pathlib import Path
from typing import Any, Protocol

import optuna
from optuna.storages import BaseStorage, RDBStorage
from ray.tune.result import AUTO_RESULT_KEYS
from ray.tune.search import Searcher

from orchestrator.plan import Plan
from orchestrator.records import RunKey, RunRecord, Status, pretraining_key
from orchestrator.studies import CellRuns
from orchestrator.telling import epochs_of
from trainables.config import TrialConfig

METRIC = "validation_uar"
ATTEMPTS = 2  # a run that fails is tried once more


class Recorder(Protocol):
    """Who is told of every run."""

    def started(self, key: RunKey, config: TrialConfig) -> None:
        """A run begins; again, where an earlier attempt failed or was killed."""

    def reported(self, key: RunKey, metrics: Mapping[str, float]) -> None:
        """An epoch of it has ended."""

    def attach(self, key: RunKey, path: Path) -> None:
        """Its model is the file ``path``, which is the recorder's from now on."""

    def ended(self, record: RunRecord) -> None:
        """It has ended; the record is durable when this returns."""

    def finished_records(self) -> Mapping[str, RunRecord]:
        """All that have ended, of earlier drivers of the same launch too, by ``str(key)``."""


class SweepSearcher(Searcher):
    """Hands out every run of a plan, once."""

    def __init__(
        self,
        plan: Plan,
        storage: Path | BaseStorage,
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
            time_budget: seconds from now after which no new search trial begins, but for the paper's own configuration
                in a cell that had not even come to it.
            clock: seconds, for the budget.

        Raises:
            InputError: the storage holds runs that are not comparable with the plan's.
        """
        super().__init__()
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._recorder, self._clock = recorder, clock
        self._deadline = math.inf if time_budget is None else clock() + time_budget
        self._live: dict[str, _Live] = {}
        # Runs that others start from, by identity: how each ended, how often it failed, and who waits for it.
        self._pretrained: dict[str, RunRecord] = {}
        self._failures: Counter[str] = Counter()
        self._waiting: dict[str, list[RunKey]] = {}
        self._broken: Exception | None = None
        held = RDBStorage(f"sqlite:///{storage}") if isinstance(storage, Path) else storage
        self._cells = {cell.name: CellRuns(plan, cell, held) for cell in plan.cells}
        self._reconcile()

    @property
    def done(self) -> bool:
        """Whether nothing is left to run.

        Raises:
            Exception: what the recorder or the storage raised, if that is what ended the sweep.
        """
        if self._broken is not None:
            raise self._broken
        return not self._live and not self._ready()

    @property
    def problems(self) -> list[str]:
        """What went wrong, one line each: runs that failed, and cells with nothing to replicate."""
        failed = [record for record in self._pretrained.values() if record.status == "failed"]
        found = [f"{record.key} failed {ATTEMPTS} times: {record.error}" for record in failed]
        missing = {record.config.identity for record in failed}
        for cell in self._cells.values():
            failed = [
                record
                for record in cell.records()
                if record.status == "failed"
                and (record.config.start is None or record.config.start.identity not in missing)
            ]
            found += [f"{record.key} failed {ATTEMPTS} times: {record.error}" for record in failed]
            if cell.searched(self._out_of_time) and cell.best is None:
                found.append(f"{cell.name}: not one search trial has finished, so there is nothing to replicate")
        return found

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        """The next run for Tune: its key and configuration; ``None`` for "not now"; ``FINISHED`` at the end."""
        if self._broken is not None:
            raise self._broken
        while ready := self._ready():
            cell, key = min(ready, key=lambda pair: pair[0].begun)
            config = cell.begin(key)
            if config.start is None or self._may_begin(key, config, config.start):
                return self._hand_out(trial_id, key, config)
            if self._waiting.get(config.start.identity) == [key]:
                return self._hand_out(trial_id, pretraining_key(config.start), config.start)
        return None if self._live else Searcher.FINISHED

    def explain(self, trial_id: str, reason: str) -> None:
        """Says why a trial fails, in one line, before it is completed with an error: Tune tells the scheduler alone."""
        if trial_id in self._live:
            self._live[trial_id].error = reason

    def on_trial_result(self, trial_id: str, result: dict[str, Any]) -> None:
        """Passes the numbers of epochs on."""
        live = self._live.get(trial_id)
        if live is not None:
            self._unless_broken(self._note, live, result)

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        """Records how a run ended.

        A run that ends without a final result was stopped by the scheduler if Tune marked its last report as done;
        else it was cut off with the sweep, is not recorded, and will run again when the sweep is resumed.
        """
        live = self._live.get(trial_id)
        if live is not None:
            self._unless_broken(self._complete, live, result or {}, error)
            del self._live[trial_id]

    def save(self, checkpoint_path: str) -> None:
        """Writes nothing of use: the recorder and Optuna's storage hold everything."""
        Path(checkpoint_path).touch()

    def restore(self, checkpoint_path: str) -> None:
        """Nothing to do; see :meth:`save`."""

    def __getstate__(self) -> dict[str, Any]:
        """Tune keeps a pickle of its set-up, which nothing here reads: an empty one will do; see :meth:`save`."""
        return {}

    @property
    def _out_of_time(self) -> bool:
        return self._clock() >= self._deadline

    def _ready(self) -> list[tuple[CellRuns, RunKey]]:
        """The cells that have a run to begin now, each with that run."""
        late = self._out_of_time
        waiting = {key.cell for keys in self._waiting.values() for key in keys}
        cells = [cell for cell in self._cells.values() if cell.name not in waiting]
        return [(cell, key) for cell in cells if (key := cell.next(late)) is not None]

    def _hand_out(self, trial_id: str, key: RunKey, config: TrialConfig) -> dict[str, Any]:
        self._live[trial_id] = _Live(key, config)
        self._recorder.started(key, config)
        return {"cell": key.cell, "kind": key.kind, "number": key.number, "trial": config.to_dict()}

    def _may_begin(self, key: RunKey, config: TrialConfig, start: TrialConfig) -> bool:
        """Whether what a run starts from is there. Else the run waits for it or, where there is none to be had, fails."""
        ended = self._pretrained.get(start.identity)
        if ended is None:
            self._waiting.setdefault(start.identity, []).append(key)
        elif ended.status == "failed":
            self._cells[key.cell].live.discard(key)
            self._recorder.started(key, config)
            self._end(
                _Live(key, config), "failed", {}, error=f"{ended.key}, which it starts from, failed: {ended.error}"
            )
        return ended is not None and ended.status == "finished"

    def _complete(self, live: _Live, result: Mapping[str, Any], error: bool) -> None:
        pretraining = live.key.kind == "pretraining"
        for key in self._waiting.pop(live.config.identity, []) if pretraining else [live.key]:
            self._cells[key.cell].live.discard(key)
        if error:
            self._fail(live, live.error or "the worker's log says why")
        elif result.get("final"):
            self._note(live, result)
            if not pretraining and not math.isfinite(result.get(METRIC, math.nan)):
                self._fail(live, f"its final result has {METRIC} {result.get(METRIC)}")
            else:
                self._recorder.attach(live.key, Path(result["model"]))
                origin = json.loads(result.get("origin", "{}"))
                self._end(live, "finished", _numbers(result), confusion=result.get("confusion"), origin=origin)
        elif result.get("done"):
            # Tune shows the searcher every report but the one after which the scheduler stops the trial.
            if self._note(live, result):
                self._end(live, "stopped", _metrics_so_far(live.history))
            else:
                self._fail(live, "it returned without a final result")

    def _note(self, live: _Live, result: Mapping[str, Any]) -> bool:
        """Notes the epochs that a report tells of; whether there was a new one among them."""
        known = live.history[-1]["epoch"] if live.history else 0
        new = [_numbers(epoch) for epoch in epochs_of(result) if epoch.get("epoch", 0) > known]
        for epoch in new:
            live.history.append(epoch)
            self._recorder.reported(live.key, epoch)
        return bool(new)

    def _fail(self, live: _Live, reason: str) -> None:
        if live.key.kind == "pretraining":
            identity = live.config.identity
            self._failures[identity] += 1
            if self._failures[identity] == ATTEMPTS:  # else those that waited ask for it again
                self._end(live, "failed", {}, error=reason)
            return
        study = self._cells[live.key.cell].studies[live.key.kind]
        if study.failures(live.key.number) + 1 < ATTEMPTS:
            study.fail_once(live.key.number)  # it has begun and is not live: it is handed out again
        else:
            self._end(live, "failed", {}, error=reason)

    def _end(self, live: _Live, status: Status, metrics: Mapping[str, float], **more: Any) -> None:
        record = RunRecord(
            key=live.key,
            config=live.config,
            status=status,
            metrics=metrics,
            history=tuple(live.history),
            **more,
        )
        self._recorder.ended(record)
        if live.key.kind == "pretraining":
            self._pretrained[live.config.identity] = record
        else:
            self._cells[live.key.cell].studies[live.key.kind].end(record)

    def _reconcile(self) -> None:
        """Tells Optuna of the ends that the recorder alone knows, and the recorder of those that Optuna alone knows."""
        every = self._recorder.finished_records()
        recorded = {name: record for name, record in every.items() if record.status != "killed"}
        for record in recorded.values():
            if record.key.kind == "pretraining":
                self._pretrained[record.config.identity] = record
                continue
            cell = self._cells.get(record.key.cell)
            if cell is not None and record.key.number not in cell.studies[record.key.kind].ended:
                cell.studies[record.key.kind].end(record)
        for cell in self._cells.values():
            for record in cell.records():
                if str(record.key) not in recorded:
                    self._recorder.started(record.key, record.config)
                    self._recorder.ended(record)

    def _unless_broken(self, action: Callable[..., object], *arguments: Any) -> None:
        """Does what must not fail; once it has, nothing more is recorded and the next question ends the sweep.

        Tune would take an error raised here for one of the trial's, and would have the searcher try it again for ever.
        """
        if self._broken is None:
            try:
                action(*arguments)
            except Exception as error:
                self._broken = error


@dataclass
class _Live:
    """A run that a worker has."""

    key: RunKey
    config: TrialConfig
    history: list[dict[str, float]] = field(default_factory=list)
    error: str = ""


def _metrics_so_far(history: list[dict[str, float]]) -> dict[str, float]:
    """The final numbers of a run that was stopped: as far as they are known without a test."""
    best = max(history, key=lambda epoch: epoch[METRIC])
    last = history[-1]
    # Over several seeds it is the mean of each one's best, as at the end, and so may be higher than any epoch's mean.
    metrics = {METRIC: last["best_validation_uar"], "best_epoch": best["epoch"], "epochs_run": last["epoch"]}
    return metrics | {name: last[name] for name in ("train_seconds",) if name in last}


def _numbers(result: Mapping[str, Any]) -> dict[str, float]:
    """The numbers in a Tune result that the run itself reported."""
    return {
        name: value if isinstance(value, int) else float(value)
        for name, value in result.items()
        if isinstance(value, Real) and not isinstance(value, bool)
        if name not in AUTO_RESULT_KEYS and not name.startswith("config/")
    }
