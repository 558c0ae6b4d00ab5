"""One module per sweep: what is compared, what is searched, and what the paper published.

A sweep module publishes ``SWEEP``, a :class:`Sweep`. A file anywhere on disk that does the same is a sweep too:
``python -m orchestrator.sweep my_sweep.py``.
"""

from __future__ import annotations

import functools
import importlib.util
import sys
from pathlib import Path

from data_prep import registry
from data_prep.errors import InputError
from search_spaces._baselines import BASELINES
from search_spaces._check import check, check_task
from search_spaces._sweep import (
    Parameter,
    Preset,
    Published,
    Start,
    Sweep,
    Variant,
    active,
    applies,
    fields_of,
    paper_values,
    row_by_row,
)

__all__ = [
    "BASELINES",
    "Parameter",
    "Preset",
    "Published",
    "Start",
    "Sweep",
    "Variant",
    "active",
    "applies",
    "check",
    "check_task",
    "fields_of",
    "known",
    "load",
    "paper_values",
    "row_by_row",
]


def known() -> list[str]:
    """The names of the sweeps that come with the project."""
    return registry.names(sys.modules[__name__])


def load(name: str) -> Sweep:
    """The sweep called ``name``: a module of this folder, or the path of a Python file that publishes ``SWEEP``.

    Raises:
        InputError: there is no such sweep (the known ones are listed, nearest first), the file has no ``SWEEP``, or the
            sweep does not hold together (:func:`check`).
    """
    return _load_file(Path(name)) if name.endswith(".py") else _load_known(name)


@functools.cache
def _load_known(name: str) -> Sweep:
    return _checked(name, registry.find(sys.modules[__name__], "SWEEP", name))


def _checked(name: str, sweep: Sweep) -> Sweep:
    try:
        check(sweep)
    except InputError as error:
        raise InputError(f"sweep {name}: {error}") from error
    return sweep


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
    return _checked(str(path), module.SWEEP)
