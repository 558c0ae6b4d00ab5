"""The plan of a sweep: its cells, what each may spend, and what each run of it is, resolved before anything starts."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from optuna.distributions import CategoricalDistribution

from data_prep.errors import InputError, nearest_first
from orchestrator.records import RunKey
from search_spaces import Parameter, Sweep, Variant, active
from trainables.config import TaskConfig, TrialConfig, seeds_of


@dataclass(frozen=True, kw_only=True)
class Cell:
    """Variant x task: one entry of the table, searched on its own.

    Attributes:
        variant: the row, as it is in this column.
        column: the column's task.
        fingerprint: from a task to the fingerprint of its data.
        space: the parameters that mean something in this variant.
    """

    variant: Variant
    column: TaskConfig
    fingerprint: Callable[[TaskConfig], str]
    space: Mapping[str, Parameter]

    @property
    def name(self) -> str:
        """``full/iemocap-emodb``."""
        return f"{self.variant.name}/{self.column.name}"

    @property
    def task(self) -> TaskConfig:
        """What it is trained and tested on: the column's task, as the row changes it."""
        return self.variant.on(self.column)

    @property
    def start_task(self) -> TaskConfig | None:
        """What the run that its runs start from is trained on, if there is one."""
        return None if self.variant.start is None else self.variant.start.task(self.column)

    @property
    def tasks(self) -> tuple[TaskConfig, ...]:
        """All whose data it needs."""
        return (self.task,) if self.start_task is None else (self.task, self.start_task)

    @property
    def batch_sizes(self) -> list[int]:
        """Every batch size that a run of it may have, as far as that is a list."""
        searched = self.space.get("batch_size")
        if searched is not None and isinstance(searched.distribution, CategoricalDistribution):
            return [int(size) for size in searched.distribution.choices if isinstance(size, int)]
        fixed = self.variant.values({}).get("batch_size")
        return [] if fixed is None else [fixed]

    def config(
        self, drawn: Mapping[str, Any], *, epochs: int, seed: int, start_seed: int = 0, seeds: int = 1
    ) -> TrialConfig:
        """The run that trains this cell with the drawn values; what was not drawn has the variant's or default value.

        Args:
            drawn: searched values by name.
            epochs: of the run, and of the one that it starts from, at the most.
            seed: of the run.
            start_seed: of the run that it starts from, which is the same for all that start from it.
            seeds: how many it is trained under, ``seed`` the first of them.
        """
        return TrialConfig(
            method=self.variant.method,
            without=self.variant.without,
            task=self.task,
            hyperparameters=self.variant.values(drawn),
            epochs=epochs,
            seed=seed,
            data=self.fingerprint(self.task),
            start=self._start(drawn, epochs, start_seed),
            seeds=seeds,
        )

    def _start(self, drawn: Mapping[str, Any], epochs: int, seed: int) -> TrialConfig | None:
        start, task = self.variant.start, self.start_task
        if start is None or task is None:
            return None
        return TrialConfig(
            method=start.method,
            task=task,
            hyperparameters=self.variant.start_values(drawn),
            epochs=epochs,
            seed=seed,
            data=self.fingerprint(task),
        )


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Everything that a sweep's searcher needs to know.

    Attributes:
        sweep: the sweep's name, which is the MLflow experiment's.
        cells: in the table's order, row by row.
        epochs, trials, replicates: the budget, the same for every cell. ``trials`` counts the paper's own
            configuration; with 1 there is no search. A cell with nothing to search has one trial.
        seed: search trials train with it, replicate ``r`` with ``seed + 1 + r``: a configuration is never reported on
            the seed that selected it, and replicate ``r`` of every cell has the same split, so cells can be paired.
        search_seeds: how many seeds a search trial is trained under, whose mean is its score. The others are further
            from ``seed`` than a million replicates (:func:`~trainables.config.seeds_of`), so what holds of it does of
            them, and every search trial has the same ones.
        early_stopping: whether hopeless search trials are stopped (ASHA).
        sampler: ``tpe``, or ``random`` for a list of configurations that is the same in whatever order runs end.
        criterion: what chooses the search trial that is replicated (:data:`~orchestrator.selection.CHOOSERS`).
    """

    sweep: str
    cells: tuple[Cell, ...]
    epochs: int
    trials: int
    replicates: int
    seed: int = 0
    early_stopping: bool = True
    sampler: str = "tpe"
    criterion: str = "validation"
    search_seeds: int = 1

    @property
    def runs(self) -> int:
        """How many runs it takes, a search trial counting as one however many seeds it has."""
        return sum(self.trials_of(cell) + self.replicates for cell in self.cells)

    def trials_of(self, cell: Cell) -> int:
        """How many search trials a cell may spend: where nothing is searched, all would be the same run."""
        return self.trials if cell.space else 1

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds of the search and those of the replicates."""
        replicates = range(self.seed + 1, self.seed + 1 + self.replicates)
        return (*seeds_of(self.seed, self.search_seeds), *replicates)

    def cell(self, name: str) -> Cell:
        """The cell called ``name``."""
        return next(cell for cell in self.cells if cell.name == name)

    def config(self, key: RunKey, drawn: Mapping[str, Any]) -> TrialConfig:
        """The run ``key`` with the drawn values."""
        search = key.kind == "search"
        return self.cell(key.cell).config(
            drawn,
            epochs=self.epochs,
            seed=self.seed if search else self.seed + 1 + key.number,
            start_seed=self.seed,
            seeds=self.search_seeds if search else 1,
        )


def cells(sweep: Sweep, fingerprint: Callable[[TaskConfig], str], patterns: Sequence[str] = ("*",)) -> tuple[Cell, ...]:
    """The sweep's cells whose name matches one of the shell patterns, row by row.

    Args:
        fingerprint: from a task to the fingerprint of its data.

    Raises:
        InputError: no cell matches one of them; the message lists the cells, nearest first.
    """
    every = [
        Cell(variant=row, column=column, fingerprint=fingerprint, space=active(sweep.space, row))
        for variant in sweep.variants
        for column in sweep.tasks
        for row in (variant.in_column(column),)
    ]
    for pattern in patterns:
        if not any(fnmatch.fnmatchcase(cell.name, pattern) for cell in every):
            names = nearest_first(pattern, (cell.name for cell in every))
            raise InputError(f"no cell matches {pattern!r}; the cells, nearest first: {', '.join(names)}")
    return tuple(cell for cell in every if any(fnmatch.fnmatchcase(cell.name, pattern) for pattern in patterns))
