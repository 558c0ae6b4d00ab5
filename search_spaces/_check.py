"""Finds what is wrong with a sweep before anything of it runs."""

from __future__ import annotations

import dataclasses
import fnmatch
from collections.abc import Mapping, Sequence
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import create_trial

from data_prep import demo, features, labels, splits
from data_prep.errors import InputError, unknown
from search_spaces._sweep import Parameter, Sweep, Variant, active, fields_of, paper_values
from trainables import methods
from trainables.config import START, TaskConfig, construct
from trainables.estimator import Estimator
from trainables.game import Method, Shape, play, rehearse


def check(sweep: Sweep) -> None:
    """Finds what would go wrong only hours into a sweep, or never be noticed.

    Raises:
        InputError: a name in it is unknown or stands for two things, no method has a use for a searched parameter, or a
            method would refuse a value that could be drawn.
    """
    variants, tasks = [variant.name for variant in sweep.variants], [task.name for task in sweep.tasks]
    _check_names("variant", variants)
    _check_names("task", tasks)
    if sweep.reference not in variants:
        raise unknown("reference variant", sweep.reference, variants)
    for task in sweep.tasks:
        check_task(task)
    cells = [f"{variant}/{task}" for variant in variants for task in tasks]
    for cell in map("/".join, sweep.published):
        if cell not in cells:
            raise unknown("published cell", cell, cells)
    for name, preset in sweep.presets.items():
        if min(preset.epochs, preset.trials, preset.replicates) < 1:
            raise InputError(f"preset {name!r} must have 1 or more of epochs, of trials and of replicates")
        for pattern in preset.cells:
            if not fnmatch.filter(cells, pattern):
                raise unknown(f"cell in preset {name!r}:", pattern, cells)
        if preset.demo not in demo.layouts.SIZES:
            raise unknown(f"size of demo corpora in preset {name!r}:", preset.demo, demo.layouts.SIZES)
    _check_space(sweep)
    rehearsed: set[tuple[Any, ...]] = set()
    for variant in sweep.variants:
        try:
            _check_variant(variant, sweep, rehearsed)
        except InputError as error:
            raise InputError(f"variant {variant.name!r}: {error}") from error


def check_task(task: TaskConfig) -> None:
    """Raises :class:`~data_prep.errors.InputError` for a task with a name that is unknown, or corpora that do not fit."""
    labels.load(task.scheme)
    splits.load(task.protocol).check(task.sources, task.targets)
    features.load(task.feature)


def _check_variant(variant: Variant, sweep: Sweep, rehearsed: set[tuple[Any, ...]]) -> None:
    method, space = methods.load(variant.method), active(sweep.space, variant)
    for name, value in variant.paper.items():
        if name not in space:
            raise unknown("searched parameter in its paper:", name, space)
        _must_hold(name, space[name].distribution, value, "the paper's value")
    values = paper_values(space)
    for column in sweep.tasks:
        row, task = variant.in_column(column), variant.on(column)
        check_task(task)
        hyperparameters = _accepts(row.method, row.values(paper_values(active(sweep.space, row))))
        if isinstance(method, Method):
            _rehearse_once(row.method, row.without, hyperparameters, task, rehearsed)
    if not isinstance(method, Method) and (variant.without or variant.start is not None):
        raise InputError(f"{variant.method} is fitted, not trained: it has nothing to remove or to start from")
    if variant.start is not None:
        begun = variant.start_values(values)
        if isinstance(methods.load(variant.start.method), Estimator):
            raise InputError(f"nothing can start from {variant.start.method}: it is fitted, not trained")
        hyperparameters = _accepts(variant.start.method, begun)
        for task in map(variant.start.task, sweep.tasks):
            check_task(task)
            _rehearse_once(variant.start.method, (), hyperparameters, task, rehearsed)


def _rehearse_once(
    name: str, without: tuple[str, ...], hyperparameters: Any, task: TaskConfig, rehearsed: set[tuple[Any, ...]]
) -> None:
    """Rehearses what is left of a game on a shape of data, unless that has been: settings do not remove anything."""
    method, shape = methods.load(name), _shape(task)
    assert isinstance(method, Method), "it has a game"
    if (name, without, shape[:3]) not in rehearsed:
        rehearse(play(method, without), hyperparameters, shape)
        rehearsed.add((name, without, shape[:3]))


def _shape(task: TaskConfig) -> Shape:
    """Of a second of speech, as the task's feature has it."""
    feature = features.load(task.feature)
    frames = 1 if feature.frame_shift is None else round(1 / feature.frame_shift)
    return Shape(frames, feature.dimensions, len(labels.load(task.scheme).classes))


def _check_names(kind: str, names: Sequence[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"{names.count(name)} {kind}s are called {name!r}; give each a name of its own")
        if not name or "/" in name:
            raise InputError(f"{name!r} cannot be the name of a {kind}: it must have characters, and no '/'")


def _check_space(sweep: Sweep) -> None:
    games = [
        method for method in (methods.load(variant.method) for variant in sweep.variants) if isinstance(method, Method)
    ]
    parts = {name for game in games for name in (*game.networks, *(player.name for player in game.players))}
    searched = {variant.name: fields_of(variant) for variant in sweep.variants}
    everywhere = set[str]().union(*searched.values())
    earlier: dict[str, Parameter] = {}
    for name, parameter in sweep.space.items():
        if name not in everywhere:
            raise unknown("hyperparameter in the search space", name, everywhere)
        for part in parameter.unless_without:
            if part not in parts:
                raise unknown(f"player or network in unless_without of {name}", part, parts)
        _must_hold(name, parameter.distribution, parameter.paper, "the paper's value")
        for other, values in parameter.when.items():
            if other not in earlier:
                raise unknown(f"parameter before {name}, in its when:", other, earlier)
            for value in values:
                _must_hold(other, earlier[other].distribution, value, f"the value in when of {name}")
        for variant in sweep.variants:
            if name in searched[variant.name]:
                for value in _extremes(parameter.distribution):
                    if name.startswith(START):
                        assert variant.start is not None
                        _accepts(variant.start.method, variant.start_values({name: value}))
                    else:
                        _accepts(variant.method, variant.values({name: value}))
        earlier[name] = parameter


def _must_hold(name: str, distribution: BaseDistribution, value: Any, what: str) -> None:
    try:
        create_trial(params={name: value}, distributions={name: distribution}, value=0.0)
    except ValueError:
        raise InputError(f"{name}: {what}, {value!r}, is not in {distribution}") from None


def _accepts(method: str, values: Mapping[str, Any]) -> Any:
    try:
        return construct(methods.load(method).hyperparameters, values)
    except TypeError as error:
        usual = dataclasses.asdict(methods.load(method).hyperparameters())
        unusual = {name: value for name, value in values.items() if value != usual[name]}
        raise InputError(f"{unusual} is of a wrong type for {methods.load(method).title}: {error}") from error


def _extremes(distribution: BaseDistribution) -> tuple[Any, ...]:
    if isinstance(distribution, CategoricalDistribution):
        return distribution.choices
    assert isinstance(distribution, (FloatDistribution, IntDistribution)), "Optuna has no others"
    return distribution.low, distribution.high
