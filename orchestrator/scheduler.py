"""Early stopping of hopeless search trials: one ASHA per cell, and none for what must run to its end."""

from __future__ import annotations

from typing import Any

from ray.tune.experiment import Trial
from ray.tune.schedulers import AsyncHyperBandScheduler, TrialScheduler
from ray.tune.schedulers.trial_scheduler import TrialScheduler as Decisions

from orchestrator.plan import Plan

_METRIC = "best_validation_uar"
_REDUCTION = 3


class CellScheduler(TrialScheduler):
    """Stops a search trial that is behind the others of its own cell (ASHA, Li et al. 2020).

    Trials of different cells are never compared. Replicates are never stopped, nor is a cell's first trial, the paper's
    own configuration: both are reported whatever they reach.
    """

    def __init__(self, plan: Plan) -> None:
        """One ASHA for each cell of ``plan``, with its first rung after a quarter of the epochs, and not before two."""
        super().__init__()
        grace = max(2, plan.epochs // 4)
        self._cells = {
            cell.name: AsyncHyperBandScheduler(
                time_attr="epoch",
                metric=_METRIC,
                mode="max",
                max_t=plan.epochs + 1,
                grace_period=grace,
                reduction_factor=_REDUCTION,
            )
            for cell in plan.cells
            if plan.early_stopping and plan.epochs > grace
        }

    @property
    def metric(self) -> str:
        """Read by Tune alone, which wants it in every result."""
        return "validation_uar"

    def set_search_properties(self, metric: str | None, mode: str | None, **spec: Any) -> bool:
        """Each cell's ASHA has its own already."""
        return True

    def on_trial_add(self, tune_controller: Any, trial: Trial) -> None:
        """Passed on to the trial's cell."""
        if scheduler := self._of(trial):
            scheduler.on_trial_add(tune_controller, trial)

    def on_trial_result(self, tune_controller: Any, trial: Trial, result: dict[str, Any]) -> str:
        """The cell's verdict on an epoch; a final result goes through."""
        scheduler = self._of(trial)
        if scheduler is None or result.get("final") or "epoch" not in result:
            return Decisions.CONTINUE
        return scheduler.on_trial_result(tune_controller, trial, result)

    def on_trial_complete(self, tune_controller: Any, trial: Trial, result: dict[str, Any]) -> None:
        """Passed on, unless the result is the final one, which is no epoch's."""
        scheduler = self._of(trial)
        if scheduler is not None and not result.get("final") and "epoch" in result:
            scheduler.on_trial_complete(tune_controller, trial, result)

    def on_trial_error(self, tune_controller: Any, trial: Trial) -> None:
        """Nothing to learn from it."""

    def on_trial_remove(self, tune_controller: Any, trial: Trial) -> None:
        """Nothing to learn from it."""

    def choose_trial_to_run(self, tune_controller: Any) -> Trial | None:
        """The first that is waiting and has its resources."""
        for trial in tune_controller.get_trials():
            if trial.status == Trial.PENDING:
                return trial
        return None

    def debug_string(self) -> str:
        """For Tune's own log."""
        return f"ASHA in each of {len(self._cells)} cells"

    def _of(self, trial: Trial) -> AsyncHyperBandScheduler | None:
        searched = trial.config["kind"] == "search" and trial.config["number"] > 0
        return self._cells.get(trial.config["cell"]) if searched else None
