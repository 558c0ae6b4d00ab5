"""A cell's runs in Optuna's storage: one study of its search, one of its replicates; a run is one Optuna trial.

A trial is written whole, in one transaction, when its run begins, and stays RUNNING over failed attempts and killed
drivers until its run has ended for good. So whatever moment a driver dies at, the storage holds runs that have ended
and runs to go on with, each under its number in the cell's budget and with its configuration. ``optuna-dashboard``
opens the studies.
"""

from __future__ import annotations

from typing import Any

import optuna
from optuna.distributions import distribution_to_json
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, TrialState

from data_prep.errors import InputError
from orchestrator.plan import Cell, Plan
from orchestrator.records import Kind, RunKey, RunRecord
from orchestrator.sampling import draw, drawn_of
from orchestrator.selection import choose
from trainables.config import TrialConfig

# User attributes of a trial: its number in the budget, its seed, how often it has failed, and how it ended.
_NUMBER, _SEED, _FAILURES, _ENDED = "number", "seed", "failures", "ended"
_PLAN = "plan"  # user attribute of a study: what all its runs share

_STATES = {"finished": TrialState.COMPLETE, "stopped": TrialState.PRUNED, "failed": TrialState.FAIL}


class CellRuns:
    """What has become of one cell's budget, and what of it is next.

    Attributes:
        live: the runs that workers have.
    """

    def __init__(self, plan: Plan, cell: Cell, storage: BaseStorage) -> None:
        self.name = cell.name
        self._plan, self._cell = plan, cell
        kinds: tuple[Kind, ...] = ("search", "replicate")
        self.studies = {kind: RunStudy(plan, cell, kind, storage) for kind in kinds}
        self.live: set[RunKey] = set()

    def records(self) -> list[RunRecord]:
        """All that has ended."""
        return [record for study in self.studies.values() for record in study.ended.values()]

    @property
    def begun(self) -> int:
        """Runs that have ended or that a worker has."""
        return len(self.live) + sum(len(study.ended) for study in self.studies.values())

    @property
    def best(self) -> RunRecord | None:
        """What is replicated, as far as the search has come."""
        return choose(self.studies["search"].ended.values(), self._plan.criterion)

    def next(self, out_of_time: bool) -> RunKey | None:
        """The run that can begin now: first what was cut off or has failed once."""
        for study in self.studies.values():
            for key in map(study.key, sorted(study.running)):
                if key not in self.live:
                    return key
        if (fresh := self._fresh_search(out_of_time)) is not None:
            return fresh
        return self._fresh("replicate", self._plan.replicates) if self.searched(out_of_time) and self.best else None

    def searched(self, out_of_time: bool) -> bool:
        """Whether the search is over."""
        return not self.studies["search"].running and self._fresh_search(out_of_time) is None

    def begin(self, key: RunKey) -> TrialConfig:
        """Begins a run that :meth:`next` gave, or goes on with it."""
        study = self.studies[key.kind]
        config = study.running.get(key.number)
        if config is None:
            config = study.begin(key.number, self._values(key))
        self.live.add(key)
        return config

    def _values(self, key: RunKey) -> dict[str, Any]:
        if key.kind == "search":
            return draw(self._plan, self._cell, key.number, self.studies["search"].trials())
        best = self.best
        assert best is not None, "replicates come after a selection"
        return drawn_of(self._cell, best.config.values)

    def _fresh_search(self, out_of_time: bool) -> RunKey | None:
        if self.studies["replicate"].running or self.studies["replicate"].ended:
            return None  # however much time a resumed driver has: all replicates of a cell are of one configuration
        return self._fresh("search", 1 if out_of_time else self._plan.trials_of(self._cell))

    def _fresh(self, kind: Kind, budget: int) -> RunKey | None:
        """The first run within the budget that has not begun."""
        study = self.studies[kind]
        return next((study.key(n) for n in range(budget) if n not in study.ended and n not in study.running), None)


class RunStudy:
    """The runs of one kind in one cell: ``<sweep>/<cell>`` in Optuna, or ``<sweep>/<cell>/replicates``.

    Attributes:
        ended: what has ended, by number. Records read back from the storage lack the history.
        running: the configurations of what has begun and not ended, by number.
    """

    def __init__(self, plan: Plan, cell: Cell, kind: Kind, storage: BaseStorage) -> None:
        """Begins the study, or reads what is there.

        Raises:
            InputError: the study was begun with another search space, or with runs that no run of this plan is like.
        """
        self._plan, self._cell, self._kind, self._storage = plan, cell, kind, storage
        name = f"{plan.sweep}/{cell.name}" + ("/replicates" if kind == "replicate" else "")
        self._study = optuna.create_study(storage=storage, study_name=name, direction="maximize", load_if_exists=True)
        self._study_id = storage.get_study_id_from_name(name)
        self._hold_to_the_plan(name)
        self.ended: dict[int, RunRecord] = {}
        self.running: dict[int, TrialConfig] = {}
        self._ids: dict[int, int] = {}
        self._failures: dict[int, int] = {}
        for trial in self.trials():
            if _NUMBER in trial.user_attrs:  # one that this project began
                self._read(trial)

    def key(self, number: int) -> RunKey:
        """The run ``number`` of this study."""
        return RunKey(cell=self._cell.name, kind=self._kind, number=number)

    def trials(self) -> list[FrozenTrial]:
        """All that have begun, as a sampler wants them."""
        return self._study.get_trials(deepcopy=False)

    def begin(self, number: int, drawn: dict[str, Any]) -> TrialConfig:
        """Begins the run ``number`` with the drawn values, durably; returns its configuration."""
        config = self._plan.config(self.key(number), drawn)
        template = optuna.create_trial(
            state=TrialState.RUNNING,
            params=drawn,
            distributions={name: self._cell.space[name].distribution for name in drawn},
            user_attrs={_NUMBER: number, _SEED: config.seed},
        )
        self._ids[number] = self._storage.create_new_trial(self._study_id, template)
        self.running[number] = config
        return config

    def failures(self, number: int) -> int:
        """How many attempts at the run ``number`` have failed and were to be followed by another."""
        return self._failures.get(number, 0)

    def fail_once(self, number: int) -> None:
        """Notes, durably, that an attempt has failed; the run is not at its end."""
        self._failures[number] = self.failures(number) + 1
        self._storage.set_trial_user_attr(self._ids[number], _FAILURES, self._failures[number])

    def end(self, record: RunRecord) -> None:
        """Ends a run, durably; one that another driver saw the whole of is begun and ended at once."""
        number = record.key.number
        if number not in self._ids:
            self.begin(number, drawn_of(self._cell, record.config.values))
        trial, value = self._ids[number], record.metrics.get("validation_uar")
        values = None if value is None or record.status == "failed" else [value]
        how = {
            "status": record.status,
            "metrics": dict(record.metrics),
            "confusion": None if record.confusion is None else [list(row) for row in record.confusion],
            "origin": dict(record.origin),
            "error": record.error,
        }
        self._storage.set_trial_user_attr(trial, _ENDED, how)
        if values and record.status == "stopped":
            # What TPE ranks a stopped trial by: how far it came, then how good it was there.
            self._storage.set_trial_intermediate_value(trial, len(record.history), values[0])
        self._storage.set_trial_state_values(trial, _STATES[record.status], values)
        self.running.pop(number, None)
        self.ended[number] = record

    def _read(self, trial: FrozenTrial) -> None:
        number: int = trial.user_attrs[_NUMBER]
        config = self._plan.config(self.key(number), trial.params)
        self._ids[number] = self._storage.get_trial_id_from_study_id_trial_number(self._study_id, trial.number)
        self._failures[number] = trial.user_attrs.get(_FAILURES, 0)
        if trial.state.is_finished():
            self.ended[number] = RunRecord(key=self.key(number), config=config, **trial.user_attrs[_ENDED])
        else:
            self.running[number] = config

    def _hold_to_the_plan(self, name: str) -> None:
        """Refuses to mix runs that differ in anything but what is searched; notes what that is in a new study."""
        space = {name: distribution_to_json(parameter.distribution) for name, parameter in self._cell.space.items()}
        shared = {
            **self._plan.config(self.key(0), {}).to_dict(),
            "search space": space,
            "sampler": self._plan.sampler,
        }
        before = self._study.user_attrs.get(_PLAN)
        if before is None:
            self._study.set_user_attr(_PLAN, shared)
        elif changed := [key for key in {**before, **shared} if before.get(key) != shared.get(key)]:
            raise InputError(
                f"{name} was begun with another {', '.join(changed)} than it has now; start a new launch, "
                "so that its runs can be compared"
            )
