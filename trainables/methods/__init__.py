"""One module per method. A method module publishes ``METHOD``, a :class:`~trainables.game.Method`."""

from __future__ import annotations

import sys

from data_prep import registry
from trainables.game import Method


def known() -> list[str]:
    """The names of all methods."""
    return registry.names(sys.modules[__name__])


def load(name: str) -> Method:
    """The method called ``name``; an unknown one is an error that lists the known ones, nearest first."""
    return registry.find(sys.modules[__name__], "METHOD", name)
