"""The folder is the registry: a module of a package is known by its file name, and by nothing else.

Corpora, features, methods and sweeps are all found this way, so that adding one is adding one file. A module
publishes one object under the constant its folder asks for (``CORPUS``, ``FEATURE``, ``METHOD``, ``SWEEP``).
"""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType
from typing import Any

from data_prep.errors import unknown


def names(package: ModuleType) -> list[str]:
    """The names of a package's public modules, sorted."""
    return sorted(module.name for module in pkgutil.iter_modules(package.__path__) if not module.name.startswith("_"))


def find(package: ModuleType, constant: str, name: str) -> Any:
    """The object that the module ``name`` of ``package`` publishes as ``constant``.

    Raises:
        InputError: there is no such module; the message lists the known ones, nearest first.
    """
    if name not in names(package):
        raise unknown(constant.lower(), name, names(package))
    return getattr(importlib.import_module(f"{package.__name__}.{name}"), constant)
