"""The ranges that hyperparameters are held to, each called with the values by name: ``positive(learning_rate=1e-3)``.

The error says the value's name, what it is, and what would be right.
"""

from __future__ import annotations

import math
from typing import Any

from data_prep.errors import InputError


def positive(**values: float) -> None:
    """Raises InputError for the first value that is not above 0 and finite."""
    for name, value in values.items():
        _hold(0 < value < math.inf, name, value, "above 0 and finite")


def not_negative(**values: float) -> None:
    """Raises InputError for the first value that is not 0 or more, and finite."""
    for name, value in values.items():
        _hold(0 <= value < math.inf, name, value, "0 or more, and finite")


def share(**values: float) -> None:
    """Raises InputError for the first value that is not between 0 and 1, both included."""
    for name, value in values.items():
        _hold(0 <= value <= 1, name, value, "between 0 and 1")


def below_one(**values: float) -> None:
    """Raises InputError for the first value that is not 0 or more, and below 1."""
    for name, value in values.items():
        _hold(0 <= value < 1, name, value, "0 or more, and below 1")


def whole(least: int, **values: int) -> None:
    """Raises InputError for the first value that is not a whole number, ``least`` or more."""
    for name, value in values.items():
        _hold(isinstance(value, int) and value >= least, name, value, f"a whole number, {least} or more")


def _hold(within: bool, name: str, value: Any, right: str) -> None:
    if not within:
        raise InputError(f"{name} is {value}; it must be {right}")
