"""One module per sweep: what is compared, what is searched, and what the paper published.

A sweep module publishes ``SWEEP``, a :class:`Sweep`. A file anywhere on disk that does the same is a sweep too:
``python -m orchestrator.sweep my_sweep.py``.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import create_trial

from data_prep import demo, features, labels, registry, splits
from data_prep.errors import InputError, unknown
from trainables import methods
from trainables.config import TaskConfig, construct
from trainables.game import Method, play, rehearse


@dataclass(frozen=True)
class Variant:
    """One row of an ablation table: a method, and the players and networks of its game that are removed."""

    name: str
    method: str
    without: tuple[str, ...] = ()
    title: str = ""


@dataclass(frozen=True)
class Parameter:
    """One searched hyperparameter.

    Attributes:
        distribution: where its values are drawn from.
        paper: the paper's own value, tried first in every cell; what this project chose where the paper gives none.
        when: other parameters and the values they must have for this one to mean anything.
        unless_without: it means nothing in a variant that removes one of these players or networks.
    """

    distribution: BaseDistribution
    paper: Any
    when: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    unless_without: tuple[str, ...] = ()


@dataclass(frozen=True)
class Published:
    """A figure of the paper: UAR in per cent, mean and standard deviation over its runs."""

    mean: float
    std: float | None = None


@dataclass(frozen=True)
class Preset:
    """How much is spent.

    Attributes:
        epochs: of a run, at the most.
        trials: search trials of a cell, the paper's own configuration included.
        replicates: of each cell's best configuration.
        max_frames: where longer utterances are cut to their middle; ``None`` cuts nothing.
        demo: size of the demo corpora, where the user has given no data: ``tiny``, ``small`` or ``full``.
    """

    epochs: int
    trials: int
    replicates: int
    max_frames: int | None = None
    demo: str = "small"


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """The cells of a table (variants x tasks), the space searched in each, and what was published.

    Attributes:
        title: what the table shows.
        source: paper and table.
        variants: the table's rows, in its order.
        tasks: the table's columns, in its order.
        space: the searched hyperparameters, in the order in which they are drawn (a parameter's ``when`` names only
            earlier ones).
        published: (variant name, task name) to the paper's figure.
        reference: the variant that the others are compared with.
        presets: by name; ``demo`` is the default.
    """

    title: str
    source: str
    variants: Sequence[Variant]
    tasks: Sequence[TaskConfig]
    space: Mapping[str, Parameter]
    published: Mapping[tuple[str, str], Published]
    reference: str
    presets: Mapping[str, Preset]


def active(space: Mapping[str, Parameter], variant: Variant) -> dict[str, Parameter]:
    """The parameters of ``space`` that mean something in ``variant``.

    Those are the hyperparameters of its method, less those of players and networks that it removes.
    """
    known = {item.name for item in dataclasses.fields(methods.load(variant.method).hyperparameters)}
    return {
        name: parameter
        for name, parameter in space.items()
        if name in known and not set(parameter.unless_without) & set(variant.without)
    }


def applies(parameter: Parameter, drawn: Mapping[str, Any]) -> bool:
    """Whether a conditional parameter is to be drawn, given the values drawn before it."""
    return all(drawn.get(name) in values for name, values in parameter.when.items())


def paper_values(space: Mapping[str, Parameter]) -> dict[str, Any]:
    """The paper's own configuration in a variant's active ``space``, without what does not apply."""
    values: dict[str, Any] = {}
    for name, parameter in space.items():
        if applies(parameter, values):
            values[name] = parameter.paper
    return values


def known() -> list[str]:
    """The names of the sweeps that come with the project."""
    return registry.names(sys.modules[__name__])


def load(name: str) -> Sweep:
    """The sweep called ``name``: a module of this folder, or the path of a Python file that publishes ``SWEEP``.

    Raises:
        InputError: there is no such sweep (the known ones are listed, nearest first), the file has no ``SWEEP``, or the
            sweep does not hold together (:func:`check`).
    """
    sweep = _load_file(Path(name)) if name.endswith(".py") else registry.find(sys.modules[__name__], "SWEEP", name)
    try:
        check(sweep)
    except InputError as error:
        raise InputError(f"sweep {name}: {error}") from error
    return sweep


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
        labels.load(task.scheme)
        splits.load(task.protocol).check(task.sources, task.targets)
        features.load(task.feature)
    cells = [f"{variant}/{task}" for variant in variants for task in tasks]
    for cell in map("/".join, sweep.published):
        if cell not in cells:
            raise unknown("published cell", cell, cells)
    for name, preset in sweep.presets.items():
        if min(preset.epochs, preset.trials, preset.replicates) < 1:
            raise InputError(f"preset {name!r} must have 1 or more of epochs, of trials and of replicates")
        if preset.demo not in demo.layouts.SIZES:
            raise unknown(f"size of demo corpora in preset {name!r}:", preset.demo, demo.layouts.SIZES)
    _check_space(sweep.space, [methods.load(variant.method) for variant in sweep.variants])
    for variant in sweep.variants:
        _check_variant(variant, sweep.space)


def _check_variant(variant: Variant, space: Mapping[str, Parameter]) -> None:
    try:
        game = play(methods.load(variant.method), variant.without)
        values = paper_values(active(space, variant))
        _accepts(game.method, values)
        rehearse(game, construct(game.method.hyperparameters, values))
    except InputError as error:
        raise InputError(f"variant {variant.name!r}: {error}") from error


def _check_names(kind: str, names: Sequence[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"{names.count(name)} {kind}s are called {name!r}; give each a name of its own")
        if not name or "/" in name:
            raise InputError(f"{name!r} cannot be the name of a {kind}: it must have characters, and no '/'")


def _check_space(space: Mapping[str, Parameter], played: Sequence[Method]) -> None:
    parts = {name for method in played for name in (*method.networks, *(player.name for player in method.players))}
    fields = {item.name for method in played for item in dataclasses.fields(method.hyperparameters)}
    earlier: dict[str, Parameter] = {}
    for name, parameter in space.items():
        if name not in fields:
            raise unknown("hyperparameter in the search space", name, fields)
        for part in parameter.unless_without:
            if part not in parts:
                raise unknown(f"player or network in unless_without of {name}", part, parts)
        _must_hold(name, parameter.distribution, parameter.paper, "the paper's value")
        for other, values in parameter.when.items():
            if other not in earlier:
                raise unknown(f"parameter before {name}, in its when:", other, earlier)
            for value in values:
                _must_hold(other, earlier[other].distribution, value, f"the value in when of {name}")
        for method in played:
            if name in {item.name for item in dataclasses.fields(method.hyperparameters)}:
                for value in _extremes(parameter.distribution):
                    _accepts(method, {name: value})
        earlier[name] = parameter


def _must_hold(name: str, distribution: BaseDistribution, value: Any, what: str) -> None:
    try:
        create_trial(params={name: value}, distributions={name: distribution}, value=0.0)
    except ValueError:
        raise InputError(f"{name}: {what}, {value!r}, is not in {distribution}") from None


def _accepts(method: Method, values: Mapping[str, Any]) -> None:
    try:
        construct(method.hyperparameters, values)
    except TypeError as error:
        raise InputError(f"{values} is of a wrong type for {method.title}: {error}") from error


def _extremes(distribution: BaseDistribution) -> tuple[Any, ...]:
    if isinstance(distribution, CategoricalDistribution):
        return distribution.choices
    assert isinstance(distribution, (FloatDistribution, IntDistribution)), "Optuna has no others"
    return distribution.low, distribution.high


def _load_file(path: Path) -> Sweep:
    if not path.is_file():
        raise InputError(f"there is no sweep file {path}; give the path of a Python file that publishes SWEEP")
    spec = importlib.util.spec_from_file_location(f"sweep_{path.stem}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # a data class in it looks for its module there
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        what = " ".join(f"{type(error).__name__}: {error}".split())
        raise InputError(f"{path} cannot be loaded: {what}") from error
    if not isinstance(getattr(module, "SWEEP", None), Sweep):
        raise InputError(f"{path} publishes no SWEEP; it must hold SWEEP = search_spaces.Sweep(...)")
    return module.SWEEP
