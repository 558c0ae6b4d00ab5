"""Weights that vary over training, as functions of progress: steps done over steps planned, from 0 to 1."""

from __future__ import annotations

import math
from collections.abc import Callable

from data_prep.errors import unknown

Schedule = Callable[[float], float]

RAMPS = ("constant", "linear", "sigmoid")


def ramp(kind: str, weight: float, gamma: float = 10.0) -> Schedule:
    """A weight that ramps up to ``weight``.

    Args:
        kind: ``constant``; ``linear``, from 0 up to ``weight``; or ``sigmoid``, the schedule of domain-adversarial
            training, weight * (2 / (1 + exp(-gamma * progress)) - 1) (Ganin et al. 2016, section 5.2.2).
        gamma: steepness of the sigmoid; at 10 it has reached 0.85 of ``weight`` after a quarter of training.
    """
    if kind == "constant":
        return lambda progress: weight
    if kind == "linear":
        return lambda progress: weight * progress
    if kind == "sigmoid":
        return lambda progress: weight * (2.0 / (1.0 + math.exp(-gamma * progress)) - 1.0)
    raise unknown("ramp", kind, RAMPS)
