"""One module per method. A method module publishes ``METHOD``: a :class:`~trainables.game.Method`, which is trained by
gradient, or an :class:`~trainables.estimator.Estimator`, which is fitted."""

from __future__ import annotations

import sys

from data_prep import registry
from trainables.estimator import Estimator
from trainables.game import Method


def known() -> list[str]:
    """The names of all methods."""
    return registry.names(sys.modules[__name__])


def load(name: str) -> Method | Estimator:
    """The method called ``name``; an unknown one is an error that lists the known ones, nearest first."""
    return registry.find(sys.modules[__name__], "METHOD", name)
