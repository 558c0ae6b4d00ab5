"""Memory that a process frees stays with it, for what it allocates next.

The C library gives a block of 32 MiB or more back to the kernel as it is freed, and smaller ones as they gather; what is
allocated next comes page by page, each filled with zeros first. Features and activations are such blocks, step after step,
and fetching their pages may take longer than calculating them. The settings are glibc's; other C libraries ignore them.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Mapping

# Of each environment variable its value, and what it is for mallopt (malloc.h). There is one arena for all threads, for those of
# further ones are parts of 64 MiB, and what is larger would come from the kernel again.
_SETTINGS = {
    "MALLOC_ARENA_MAX": ("1", (-8, 1)),
    "MALLOC_MMAP_MAX_": ("0", (-4, 0)),
    "MALLOC_TRIM_THRESHOLD_": (str(2**40), (-1, -1)),
}


def keep_in_children() -> None:
    """Has all processes that are started from here keep what they free; what the user has set stays."""
    for name, (value, _) in _settings().items():
        os.environ.setdefault(name, value)


def keep() -> None:
    """Has this process keep what it frees, as far as that can be said once it runs; what the user has set stays.

    Threads that have an arena of their own keep it, and later ones may be given one of those.
    """
    for name, (value, parameter) in _settings().items():
        if os.environ.get(name, value) == value:
            _call("mallopt", *parameter)


def give_back() -> None:
    """Gives the kernel what this process keeps and does not use."""
    _call("malloc_trim", 0)


def _settings() -> Mapping[str, tuple[str, tuple[int, int]]]:
    """What there is to set: nothing where the user has tuned glibc's allocation in glibc's other way."""
    return {} if "glibc.malloc." in os.environ.get("GLIBC_TUNABLES", "") else _SETTINGS


def _call(name: str, *arguments: int) -> None:
    function = getattr(ctypes.CDLL(None), name, None)
    if function is not None:
        function(*arguments)
