"""What a table and a report need to know besides their records: the sweep as this launch ran it, fit for JSON."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from optuna.distributions import distribution_to_json

from data_prep import labels, splits
from orchestrator.plan import Plan
from search_spaces import Published, Sweep
from trainables.config import TaskConfig, construct


@dataclass(frozen=True, kw_only=True)
class StudyTask:
    """A column of the table.

    Attributes:
        name: ``iemocap-emodb``.
        title: ``iemocap → emodb``.
        classes: in the order of confusion matrices.
        protocol, grants, selection: the protocol's name, what it lets training see, and what selects.
        max_frames: where longer utterances were cut to their middle; ``None`` if they were not.
        in_turn: whether replicates take turns at what is tested (:class:`~data_prep.splits.Protocol`).
        search_sees_tested: whether labels that the search sees, under its seed's split, may be of utterances that a
            replicate tests under its own: replicates take turns at it.
    """

    name: str
    title: str
    classes: tuple[str, ...]
    protocol: str
    grants: str
    selection: str
    max_frames: int | None
    in_turn: bool = False
    search_sees_tested: bool = False

    @classmethod
    def of(cls, task: TaskConfig) -> StudyTask:
        """What there is to say of a task."""
        protocol = splits.load(task.protocol)
        return cls(
            name=task.name,
            title=task.title,
            classes=labels.load(task.scheme).classes,
            protocol=task.protocol,
            grants=protocol.grants,
            selection=protocol.selection,
            max_frames=task.max_frames,
            in_turn=protocol.in_turn,
            search_sees_tested=protocol.in_turn,
        )

    @property
    def chance(self) -> float:
        """The UAR of guessing: 1 over the number of classes."""
        return 1 / len(self.classes)


@dataclass(frozen=True, kw_only=True)
class Study:
    """A sweep as one launch ran it.

    Attributes:
        name, title, source: the sweep's.
        variants: name to title, in the table's order of rows.
        tasks: the table's columns in their order.
        cells: the planned cells, each with the names of the parameters that are searched in it.
        own_tasks: the task of each cell whose row changes the column's.
        published: a cell's name to the paper's mean and standard deviation, in per cent.
        published_note: what sets these apart from the figures that they stand beside; empty for nothing.
        reference: the variant that the others are compared with.
        space: each searched parameter: ``distribution`` (Optuna's JSON), ``paper`` and ``when``.
        epochs, trials, replicates, seed: the plan's budget.
        time_budget: seconds after which no more search trials began; ``None`` for no such limit.
        demo: whether it ran on demo corpora.
        criterion: what chose the search trial that is replicated.
        search_seeds: how many seeds a search trial's figures are means over.
    """

    name: str
    title: str
    source: str
    variants: Mapping[str, str]
    tasks: tuple[StudyTask, ...]
    cells: Mapping[str, tuple[str, ...]]
    own_tasks: Mapping[str, StudyTask]
    published: Mapping[str, Published]
    reference: str
    space: Mapping[str, Mapping[str, Any]]
    epochs: int
    trials: int
    replicates: int
    seed: int
    time_budget: float | None
    demo: bool
    published_note: str = ""
    criterion: str = "validation"
    search_seeds: int = 1

    @classmethod
    def of(cls, sweep: Sweep, plan: Plan, *, time_budget: float | None = None, demo: bool) -> Study:
        """The study of a plan of a sweep."""
        names = {cell.name for cell in plan.cells}
        published = {f"{variant}/{task}": figure for (variant, task), figure in sweep.published.items()}
        tasks = {cell.column.name: cell.column for cell in plan.cells}
        return cls(
            name=plan.sweep,
            title=sweep.title,
            source=sweep.source,
            variants={cell.variant.name: cell.variant.title or cell.variant.name for cell in plan.cells},
            tasks=tuple(map(StudyTask.of, tasks.values())),
            cells={cell.name: tuple(cell.space) for cell in plan.cells},
            own_tasks={cell.name: StudyTask.of(cell.task) for cell in plan.cells if cell.task != cell.column},
            published={name: figure for name, figure in published.items() if name in names},
            reference=sweep.reference,
            space={
                name: {
                    "distribution": distribution_to_json(parameter.distribution),
                    "paper": parameter.paper,
                    "when": {other: list(values) for other, values in parameter.when.items()},
                }
                for name, parameter in sweep.space.items()
            },
            epochs=plan.epochs,
            trials=plan.trials,
            replicates=plan.replicates,
            seed=plan.seed,
            time_budget=time_budget,
            demo=demo,
            published_note=sweep.published_note,
            criterion=plan.criterion,
            search_seeds=plan.search_seeds,
        )

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON types; :meth:`from_dict` gives it back."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Study:
        """The study of :meth:`to_dict`, through JSON too."""
        tasks = tuple(map(_task_from_dict, values["tasks"]))
        return construct(
            cls,
            {
                **values,
                "tasks": tasks,
                "cells": {name: tuple(parameters) for name, parameters in values["cells"].items()},
                "own_tasks": {name: _task_from_dict(task) for name, task in values["own_tasks"].items()},
                "published": {name: Published(**figure) for name, figure in values["published"].items()},
            },
        )

    def task(self, name: str) -> StudyTask:
        """The task called ``name``."""
        return next(task for task in self.tasks if task.name == name)

    def task_of(self, cell: str) -> StudyTask:
        """What a cell is trained and tested on: its column's task, or its own where its row changes it."""
        return self.own_tasks.get(cell) or self.task(cell.partition("/")[2])

    def searched(self, cell: str, hyperparameters: Mapping[str, Any]) -> dict[str, Any]:
        """Of a run's hyperparameters those that were searched in its cell and meant something there."""
        values: dict[str, Any] = {}
        for name in self.cells[cell]:
            conditions = self.space[name]["when"].items()
            if all(values.get(other) in allowed for other, allowed in conditions):
                values[name] = hyperparameters[name]
        return values


def _task_from_dict(values: Mapping[str, Any]) -> StudyTask:
    return construct(StudyTask, {**values, "classes": tuple(values["classes"])})
