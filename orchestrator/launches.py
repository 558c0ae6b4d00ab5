"""A launch: one run of a sweep, with its settings in a folder of its own, so that it can be gone on with."""

from __future__ import annotations

import dataclasses
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data_prep.errors import InputError, nearest_first
from orchestrator import RUNS
from orchestrator.environment import command_line
from orchestrator.plan import Plan, cells
from orchestrator.prepare import DataSource
from search_spaces import Sweep, load
from trainables.config import TaskConfig, construct

_SETTINGS = "launch.json"
_DONE = "done"


@dataclass(frozen=True, kw_only=True)
class Launch:
    """Everything that a launch was started with.

    Attributes:
        sweep: as it was named: a module of ``search_spaces/`` or the path of a file.
        name: short name, which is the MLflow experiment's.
        tasks: the table's columns, as this launch has them.
        cells: the names of the cells that it has, in the table's order.
        epochs, trials, replicates, seed, sampler, early_stopping, time_budget, criterion, search_seeds: the plan.
        data: where the data comes from.
        preset: the preset that the budget began from.
        workers, trials_per_gpu, pack, address: how it is run.
        memory: GiB of features that are held in memory at the most; ``None`` for the default.
        tracking_uri: MLflow's; ``None`` for the default.
        command: as it was typed.
        directory: its folder, once it has one.
    """

    sweep: str
    name: str
    tasks: tuple[TaskConfig, ...]
    epochs: int
    trials: int
    replicates: int
    cells: tuple[str, ...]
    seed: int
    sampler: str
    early_stopping: bool
    time_budget: float | None
    data: DataSource
    preset: str
    workers: int
    trials_per_gpu: int
    address: str | None
    tracking_uri: str | None
    command: str
    directory: Path | None = None
    criterion: str = "validation"
    pack: int = 1
    memory: float | None = None
    search_seeds: int = 1

    def load_sweep(self) -> Sweep:
        """The sweep, with the tasks of this launch."""
        return dataclasses.replace(load(self.sweep), tasks=self.tasks)

    def corpora(self) -> dict[str, list[str]]:
        """The corpora that its cells need, by feature."""
        needed = [task for cell in self.plan(lambda task: "").cells for task in cell.tasks]
        return {
            feature: sorted({name for task in needed if task.feature == feature for name in task.corpora})
            for feature in dict.fromkeys(task.feature for task in needed)
        }

    def plan(self, fingerprint: Callable[[TaskConfig], str]) -> Plan:
        """The plan, given the way to the fingerprint of a task's data.

        Raises:
            InputError: the sweep no longer has a cell that the launch began with.
        """
        there = {cell.name: cell for cell in cells(self.load_sweep(), fingerprint)}
        if gone := [name for name in self.cells if name not in there]:
            raise InputError(
                f"the sweep {self.sweep} has changed since this launch began: it has no cell {', '.join(gone)} any more; "
                "put it back, or start a new launch"
            )
        return Plan(
            sweep=self.name,
            cells=tuple(there[name] for name in self.cells),
            epochs=self.epochs,
            trials=self.trials,
            replicates=self.replicates,
            seed=self.seed,
            early_stopping=self.early_stopping,
            sampler=self.sampler,
            criterion=self.criterion,
            search_seeds=self.search_seeds,
        )

    def resume_command(self) -> str:
        """What to type to go on with it."""
        assert self.directory is not None, "a launch that runs has a folder"
        runs = self.directory.parent.parent
        where = [] if runs == RUNS else ["--runs", str(runs)]
        return command_line("orchestrator.sweep", self.sweep, "--resume", *where)

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON types, without its folder."""
        return {**dataclasses.asdict(self), "directory": None}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Launch:
        """The launch of :meth:`to_dict`."""
        return construct(
            cls,
            {
                **values,
                "tasks": tuple(map(TaskConfig.from_dict, values["tasks"])),
                "cells": tuple(values["cells"]),
                "data": construct(DataSource, values["data"]),
            },
        )


def start(runs: Path, launch: Launch) -> Launch:
    """The launch with a new folder ``runs/<sweep>/<time>`` that holds its settings."""
    stamp = time.strftime("%Y-%m-%d_%H-%M-%S")
    directory = runs / launch.name / f"{stamp}-{os.getpid()}"
    try:
        directory.mkdir(parents=True)
        (directory / _SETTINGS).write_text(json.dumps(launch.to_dict(), indent=2))
    except OSError as error:
        raise InputError(f"{directory} cannot be written: {error.strerror}; give another folder with --runs") from error
    return dataclasses.replace(launch, directory=directory)


def finish(launch: Launch) -> None:
    """Marks a launch as done: there is nothing left to go on with."""
    assert launch.directory is not None
    (launch.directory / _DONE).touch()


def latest(runs: Path, name: str) -> Launch:
    """The latest launch of the sweep ``name`` that did not end.

    Raises:
        InputError: there is none.
    """
    directories = sorted((path.parent for path in (runs / name).glob(f"*/{_SETTINGS}")), reverse=True)
    for directory in directories:
        if not (directory / _DONE).exists():
            launch = Launch.from_dict(json.loads((directory / _SETTINGS).read_text()))
            return dataclasses.replace(launch, directory=directory)
    if directories:
        raise InputError(f"every launch of {name} in {runs / name} has ended; there is nothing to resume")
    started = sorted(path.parent.parent.name for path in runs.glob(f"*/*/{_SETTINGS}"))
    others = f"; there are launches of {', '.join(nearest_first(name, set(started)))}" if started else ""
    raise InputError(f"no launch of {name} in {runs.resolve()} to resume{others}")
