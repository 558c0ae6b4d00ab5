"""One module per sweep: what is compared, what is searched, and what the paper published.

A sweep module publishes ``SWEEP``, a :class:`Sweep`. A file anywhere on disk that does the same is a sweep too:
``python -m orchestrator.sweep my_sweep.py``.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from optuna.distributions import BaseDistribution

from data_prep import registry
from data_prep.errors import InputError
from trainables.config import TaskConfig


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
    """How much is spent: epochs of a run at the most, search trials of a cell, replicates of its best configuration."""

    epochs: int
    trials: int
    replicates: int
    max_frames: int | None = None


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
    """The parameters of ``space`` that mean something in ``variant``."""
    return {
        name: parameter for name, parameter in space.items() if not set(parameter.unless_without) & set(variant.without)
    }


def applies(parameter: Parameter, drawn: Mapping[str, Any]) -> bool:
    """Whether a conditional parameter is to be drawn, given the values drawn before it."""
    return all(drawn.get(name) in values for name, values in parameter.when.items())


def paper_values(space: Mapping[str, Parameter]) -> dict[str, Any]:
    """The paper's own configuration in a variant's active ``space``: conditional ones left out where they do not apply."""
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
        InputError: there is no such sweep (the known ones are listed, nearest first), or the file has no ``SWEEP``.
    """
    if not name.endswith(".py"):
        return registry.find(sys.modules[__name__], "SWEEP", name)
    path = Path(name)
    if not path.is_file():
        raise InputError(f"there is no sweep file {path}; give the path of a Python file that publishes SWEEP")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise InputError(f"{path} cannot be loaded: {type(error).__name__}: {error}") from error
    if not isinstance(getattr(module, "SWEEP", None), Sweep):
        raise InputError(f"{path} publishes no SWEEP; it must hold SWEEP = search_spaces.Sweep(...)")
    return module.SWEEP
