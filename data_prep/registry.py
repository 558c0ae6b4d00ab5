"""The folder is the registry: a module of a package is known by its file name, and by nothing else.

Corpora, features, methods and sweeps are all found this way, so that adding one is adding one file. A module
publishes one object under the constant its folder asks for (``CORPUS``, ``FEATURE``, ``METHOD``, ``SWEEP``).
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from types import ModuleType
from typing import Any

from data_prep.errors import unknown


def names(package: ModuleType | str) -> list[str]:
    """The names of a package's public modules, sorted; a package that is given by its name is not imported."""
    spec = importlib.util.find_spec(package) if isinstance(package, str) else package.__spec__
    path = None if spec is None else spec.submodule_search_locations
    return sorted(module.name for module in pkgutil.iter_modules(path) if not module.name.startswith("_"))


def check(package: ModuleType | str, constant: str, name: str) -> None:
    """Raises an :class:`InputError` where there is no such module; the message lists the known ones, nearest first."""
    if name not in names(package):
        raise unknown(constant.lower(), name, names(package))


def find(package: ModuleType, constant: str, name: str) -> Any:
    """The object that the module ``name`` of ``package`` publishes as ``constant``.

    Raises:
        InputError: as :func:`check`.
    """
    check(package, constant, name)
    return getattr(importlib.import_module(f"{package.__name__}.{name}"), constant)
