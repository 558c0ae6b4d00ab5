"""The plan of a sweep: its cells, what each may spend, and what each run of it is, resolved before anything starts."""

from __future__ import annotations

import dataclasses
import fnmatch
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from optuna.distributions import CategoricalDistribution

from data_prep.errors import InputError, nearest_first
from orchestrator.records import RunKey
from search_spaces import Parameter, Sweep, Variant, active
from trainables import methods
from trainables.config import TaskConfig, TrialConfig


@dataclass(frozen=True, kw_only=True)
class Cell:
    """Variant x task: one entry of the table, searched on its own.

    Attributes:
        variant: the row.
        task: the column.
        space: the parameters that mean something in this variant.
        data: fingerprint of the task's data.
    """

    variant: Variant
    task: TaskConfig
    space: Mapping[str, Parameter]
    data: str

    @property
    def name(self) -> str:
        """``full/iemocap-emodb``."""
        return f"{self.variant.name}/{self.task.name}"

    @property
    def batch_sizes(self) -> list[int]:
        """Every batch size that a run of it may have, as far as that is a list."""
        searched = self.space.get("batch_size")
        if searched is not None and isinstance(searched.distribution, CategoricalDistribution):
            return [int(size) for size in searched.distribution.choices if isinstance(size, int)]
        return [methods.load(self.variant.method).hyperparameters().batch_size]

    def config(self, drawn: Mapping[str, Any], *, epochs: int, seed: int) -> TrialConfig:
        """The run that trains this cell with the drawn values; what was not drawn has the method's default."""
        defaults = dataclasses.asdict(methods.load(self.variant.method).hyperparameters())
        return TrialConfig(
            method=self.variant.method,
            without=self.variant.without,
            task=self.task,
            hyperparameters={**defaults, **drawn},
            epochs=epochs,
            seed=seed,
            data=self.data,
        )


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Everything that a sweep's searcher needs to know.

    Attributes:
        sweep: the sweep's name, which is the MLflow experiment's.
        cells: in the table's order, row by row.
        epochs, trials, replicates: the budget, the same for every cell. ``trials`` counts the paper's own
            configuration; with 1 there is no search.
        seed: search trials train with it, replicate ``r`` with ``seed + 1 + r``: a configuration is never reported on
            the seed that selected it, and replicate ``r`` of every cell has the same split, so cells can be paired.
        early_stopping: whether hopeless search trials are stopped (ASHA).
        sampler: ``tpe``, or ``random`` for a list of configurations that is the same in whatever order runs end.
    """

    sweep: str
    cells: tuple[Cell, ...]
    epochs: int
    trials: int
    replicates: int
    seed: int = 0
    early_stopping: bool = True
    sampler: str = "tpe"

    @property
    def runs(self) -> int:
        """How many runs it takes."""
        return len(self.cells) * (self.trials + self.replicates)

    @property
    def seeds(self) -> range:
        """The seed of the search and those of the replicates."""
        return range(self.seed, self.seed + 1 + self.replicates)

    def cell(self, name: str) -> Cell:
        """The cell called ``name``."""
        return next(cell for cell in self.cells if cell.name == name)

    def config(self, key: RunKey, drawn: Mapping[str, Any]) -> TrialConfig:
        """The run ``key`` with the drawn values."""
        seed = self.seed if key.kind == "search" else self.seed + 1 + key.number
        return self.cell(key.cell).config(drawn, epochs=self.epochs, seed=seed)


def cells(sweep: Sweep, fingerprints: Mapping[str, str], pattern: str = "*") -> tuple[Cell, ...]:
    """The sweep's cells whose name matches the shell pattern, row by row.

    Args:
        fingerprints: the data's fingerprint by task name.

    Raises:
        InputError: no cell matches; the message lists them, nearest first.
    """
    every = [
        Cell(variant=variant, task=task, space=active(sweep.space, variant), data=fingerprints[task.name])
        for variant in sweep.variants
        for task in sweep.tasks
    ]
    chosen = tuple(cell for cell in every if fnmatch.fnmatchcase(cell.name, pattern))
    if not chosen:
        names = nearest_first(pattern, (cell.name for cell in every))
        raise InputError(f"no cell matches {pattern!r}; the cells, nearest first: {', '.join(names)}")
    return chosen
