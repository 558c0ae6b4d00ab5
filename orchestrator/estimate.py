"""How long a plan should take: a few real training steps of every variant, on noise of the task's size."""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch
from optuna.distributions import CategoricalDistribution

from orchestrator.plan import Cell, Plan
from trainables import methods
from trainables.config import START, TaskConfig, TrialConfig, construct
from trainables.data import Domain, Granted, TaskData, draw, frames_of
from trainables.estimator import Estimator
from trainables.fitting import Fitting
from trainables.loop import Training
from trainables.trainable import prepare_process

# A run that is stopped early, or by its learning rate, ends sooner: the estimate is of the longest that it may take.
_START_SECONDS = 20.0


def seconds_per_cell(plan: Plan, tasks: Mapping[TaskConfig, TaskData]) -> dict[str, float]:
    """Seconds of one core (or GPU share) for one whole run of each cell under one seed, without what it starts from.

    All epochs of a game, timed over one short one; one fit of what has no epochs.
    """
    prepare_process()
    return {cell.name: _seconds(cell.config({}, epochs=plan.epochs, seed=0), tasks) for cell in plan.cells}


def seconds_of_starts(plan: Plan, tasks: Mapping[TaskConfig, TaskData]) -> float:
    """Seconds of one core (or GPU share) for the runs that others start from, each of which is trained once.

    As many as there can be: the paper's, and those that the search can ask for.
    """
    prepare_process()
    starts: dict[str, TrialConfig] = {}
    sharing: dict[str, list[Cell]] = defaultdict(list)
    for cell in plan.cells:
        start = cell.config({}, epochs=plan.epochs, seed=0).start
        if start is not None:
            starts[start.identity] = start
            sharing[start.identity].append(cell)
    return sum(_configurations(sharing[key], plan.trials) * _seconds(start, tasks) for key, start in starts.items())


def seconds_of_plan(
    plan: Plan, per_run: Mapping[str, float], concurrent: int, time_budget: float | None = None
) -> float:
    """Wall-clock seconds of the whole plan when ``concurrent`` runs train at a time, without those that others start from."""
    once = sum(per_run[cell.name] for cell in plan.cells) / concurrent
    trials = sum(plan.trials_of(cell) * per_run[cell.name] for cell in plan.cells) / concurrent
    search = plan.search_seeds * trials
    if time_budget is not None:  # the paper's own configuration runs, and what has begun ends
        search = max(plan.search_seeds * once, min(search, time_budget + plan.search_seeds * max(per_run.values())))
    return _START_SECONDS + search + plan.replicates * once


def _configurations(cells: Sequence[Cell], trials: int) -> int:
    """How many configurations of the run that all these cells start from there can be."""
    searched = [parameter for name, parameter in cells[0].space.items() if name.startswith(START)]
    lists = [len(p.distribution.choices) for p in searched if isinstance(p.distribution, CategoricalDistribution)]
    others = len(cells) * (trials - 1)
    return 1 + (min(others, math.prod(lists) - 1) if len(lists) == len(searched) else others)


def _seconds(config: TrialConfig, tasks: Mapping[TaskConfig, TaskData]) -> float:
    data = tasks[config.task]
    if isinstance(methods.load(config.method), Estimator):
        return Fitting(config, draw(data, config.task, config.seed)[0]).run().seconds
    return _seconds_per_epoch(replace(config, start=None), data) * config.epochs


def _seconds_per_epoch(config: TrialConfig, data: TaskData) -> float:
    hyperparameters = construct(methods.load(config.method).hyperparameters, config.hyperparameters)
    batch, steps = hyperparameters.batch_size, 3
    training = Training(config, _noise(data, frames_of(data, config.task), batch * steps))
    training.run_epoch()
    started = time.perf_counter()
    with torch.random.fork_rng(devices=[]):
        training.run_epoch()
    whole = 0.8 * len(data.source) / batch
    return (time.perf_counter() - started) * whole / steps


def _noise(data: TaskData, frames: int, count: int) -> Granted:
    from data_prep.splits import Split

    rows, dimensions = count + len(data.classes), data.source.values.shape[1]
    values = np.random.default_rng(0).standard_normal((rows * frames, dimensions)).astype(np.float32)
    # Two of each attribute, for methods that tell them apart.
    names = tuple(f"noise {row % 2}" for row in range(rows))
    domain = Domain(
        values=values,
        starts=np.arange(rows + 1) * frames,
        corpora=names,
        utterances=names,
        speakers=names,
        labels=np.arange(rows) % len(data.classes),
        genders=names,
        languages=names,
    )
    split = Split(
        train=np.arange(count), validation=np.arange(count, rows), adaptation=np.arange(count), test=np.arange(1)
    )
    return Granted(domain, domain, split, data.classes, frames, "source")
