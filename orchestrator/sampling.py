"""What a search trial tries: drawn from the cell's space, from the seed, and from how earlier trials went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers import RandomSampler, TPESampler
from optuna.trial import FrozenTrial

from orchestrator.plan import Cell, Plan
from search_spaces import applies, paper_values
from trainables.streams import stream_seed


def draw(plan: Plan, cell: Cell, number: int, trials: Sequence[FrozenTrial]) -> dict[str, Any]:
    """The values of the search trial ``number`` of ``cell``, those left out whose condition does not hold.

    The first is the paper's own configuration. The others depend on the plan's seed, the cell's name and their number;
    with the sampler ``tpe`` on ``trials`` too, and with ``random`` on nothing else, so that the list of configurations
    is the same whatever the order in which trials end. TPE takes a trial that still runs for a bad one, so that trials
    which run at the same time are unlike each other; it learns nothing from the first ten.

    Args:
        trials: the cell's search trials that have begun, those that run included.
    """
    if number == 0:
        return paper_values(cell.space)
    # Seeded anew for each trial, so that what is drawn does not depend on when the driver was last started.
    seed = stream_seed(plan.seed, "search", cell.name, number) % 2**32
    if plan.sampler == "tpe":
        study = optuna.create_study(direction="maximize", sampler=TPESampler(seed=seed, constant_liar=True))
        study.add_trials(trials)
    else:
        study = optuna.create_study(sampler=RandomSampler(seed=seed))
    trial = study.ask()
    drawn: dict[str, Any] = {}
    for name, parameter in cell.space.items():
        if applies(parameter, drawn):
            drawn[name] = _suggest(trial, name, parameter.distribution)
    return drawn


def drawn_of(cell: Cell, values: Mapping[str, Any]) -> dict[str, Any]:
    """What must have been drawn for a run of ``cell`` to have these :attr:`~trainables.config.TrialConfig.values`."""
    drawn: dict[str, Any] = {}
    for name, parameter in cell.space.items():
        if applies(parameter, drawn):
            drawn[name] = values[name]
    return drawn


def _suggest(trial: optuna.Trial, name: str, of: BaseDistribution) -> Any:
    if isinstance(of, FloatDistribution):
        return trial.suggest_float(name, of.low, of.high, step=of.step, log=of.log)
    if isinstance(of, IntDistribution):
        return trial.suggest_int(name, of.low, of.high, step=of.step, log=of.log)
    assert isinstance(of, CategoricalDistribution), f"{name}: {of} is none of Optuna's distributions"
    return trial.suggest_categorical(name, of.choices)
