"""Early stopping of hopeless search trials: one ASHA per cell, and none for what must run to its end."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ray import cloudpickle
from ray.tune.experiment import Trial
from ray.tune.schedulers import AsyncHyperBandScheduler, FIFOScheduler

from orchestrator.plan import Plan
from orchestrator.records import RunKey, RunRecord
from orchestrator.telling import epochs_of

_REDUCTION = 3
_PATIENCE = 5  # epochs before the learning rate can fall for the first time (addi.txt, 4.3)


class CellScheduler(FIFOScheduler):
    """Stops a search trial that is behind the others of its own cell (ASHA, Li et al. 2020).

    A trial is judged by its best validation UAR, the mean over its seeds where it has several, first after a ninth of the
    plan's epochs, but never before the fifth, and again after three times as many; never in the last third of its epochs,
    where little would be saved. Of those that have come as far, it must be in the upper third. Trials of different cells
    are never compared. Replicates are never stopped, nor is a cell's first trial, the paper's own configuration: both are
    reported whatever they reach.
    """

    def __init__(
        self, plan: Plan, records: Iterable[RunRecord] = (), explain: Callable[[str, str], None] | None = None
    ) -> None:
        """One ASHA for each cell of ``plan``.

        Args:
            plan: whose ``early_stopping`` and ``epochs`` count.
            records: what has ended under earlier drivers: new trials are compared with it too.
            explain: called with the id of a trial that fails and the reason in one line.
        """
        super().__init__()
        self._explain = explain
        first, last = max(_PATIENCE, plan.epochs // _REDUCTION**2), plan.epochs * 2 // 3
        self._cells = {
            cell.name: AsyncHyperBandScheduler(
                time_attr="epoch",
                metric="best_validation_uar",
                mode="max",
                grace_period=first,
                max_t=last,
                reduction_factor=_REDUCTION,
                stop_last_trials=False,  # else it stops every trial at max_t
            )
            for cell in plan.cells
            if plan.early_stopping and first <= last
        }
        for record in records:
            for epoch in record.history:
                self._judge(record.key, dict(epoch))

    def on_trial_result(self, tune_controller: Any, trial: Trial, result: dict[str, Any]) -> str:
        """The verdict on the epochs of a report: that on the first of them after which the trial should be stopped."""
        key = _key(trial)
        verdicts = (self._judge(key, epoch) for epoch in epochs_of(result))
        return next((verdict for verdict in verdicts if verdict != self.CONTINUE), self.CONTINUE)

    def on_trial_complete(self, tune_controller: Any, trial: Trial, result: dict[str, Any]) -> None:
        """Has the others compared with the last epochs of a trial that has come to its end, too."""
        if result.get("final"):
            for epoch in epochs_of(result):
                self._judge(_key(trial), epoch)

    def on_trial_error(self, tune_controller: Any, trial: Trial) -> None:
        """Passes the reason on: Tune tells nobody else before it completes the trial."""
        if self._explain is not None:
            self._explain(trial.trial_id, _reason(trial.pickled_error_file))

    def debug_string(self) -> str:
        """For Tune's own log."""
        return f"ASHA in each of {len(self._cells)} cells"

    def _judge(self, key: RunKey, epoch: dict[str, Any]) -> str:
        scheduler = self._cells.get(key.cell)
        if scheduler is None or key.kind != "search":
            return self.CONTINUE
        run = _Run(str(key))
        scheduler.on_trial_add(None, run)
        verdict = scheduler.on_trial_result(None, run, epoch)
        return self.CONTINUE if key.number == 0 else verdict


def _key(trial: Trial) -> RunKey:
    return RunKey(**{name: trial.config[name] for name in ("cell", "kind", "number")})


@dataclass(frozen=True)
class _Run:
    """All that ASHA wants of a trial. Named after the run, so that a second attempt is not taken for another trial."""

    trial_id: str


def _reason(file: str | None) -> str:
    """The error that Tune has just written to ``file``, in one line."""
    try:
        error = cloudpickle.loads(Path(file or "").read_bytes())
    except Exception:  # whatever a pickle can raise: an error may be of a class that is not here
        return "the worker's log says why"
    cause = getattr(error, "cause", None) or error
    text = next((line.strip() for line in str(cause).splitlines() if line.strip()), "")
    return f"{type(cause).__name__}: {text}" if text else type(cause).__name__
