"""Weights that vary over training, as functions of progress: steps done over steps planned, from 0 to 1.

One family for every such weight (alpha, beta, lambda). Among a method's hyperparameters, a weight called ``alpha`` has
four fields, flat so that each can be searched and stored: ``alpha`` itself, ``alpha_ramp``, ``alpha_gamma`` and
``alpha_delay``. A weight called ``adversarial_weight`` has ``adversarial_ramp`` and so on.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from data_prep.errors import InputError, unknown

Schedule = Callable[[float], float]


def _step(progress: float, gamma: float) -> float:
    steps = math.ceil(gamma)
    # Progress is itself a ratio of steps: what falls short of a tread's edge by a rounding error has reached it.
    return min(math.floor((steps + 1) * progress + 1e-9), steps) / steps


# The share of the weight that is reached, from progress in [0, 1] and gamma.
_SHAPES: dict[str, Callable[[float, float], float]] = {
    "constant": lambda progress, gamma: 1.0,
    "linear": lambda progress, gamma: progress,
    "sigmoid": lambda progress, gamma: 2.0 / (1.0 + math.exp(-gamma * progress)) - 1.0,
    "step": _step,
    # (exp(gamma * progress) - 1) / (exp(gamma) - 1), in a form that no gamma overflows.
    "exponential": lambda progress, gamma: (
        math.exp(gamma * (progress - 1.0)) * math.expm1(-gamma * progress) / math.expm1(-gamma)
    ),
}

RAMPS = tuple(_SHAPES)


def ramp(kind: str, weight: float, gamma: float = 10.0, delay: float = 0.0) -> Schedule:
    """A weight that comes in over training.

    Args:
        kind: how it comes in. With p the progress:

            - ``constant``: ``weight`` from the start;
            - ``linear``: ``weight`` * p;
            - ``sigmoid``: ``weight`` * (2 / (1 + exp(-gamma * p)) - 1), the schedule of domain-adversarial training
              (Ganin et al. 2016, section 5.2.2): early, and just short of ``weight`` at the end;
            - ``step``: ``gamma`` equal steps up, equally far apart: gamma + 1 treads, the first at 0, the last at
              ``weight``. With gamma one less than the epochs it is alpha of gradient reversal in attributes.txt,
              section 4: linear with each epoch, from 0 in the first to ``weight`` in the last;
            - ``exponential``: ``weight`` * (exp(gamma * p) - 1) / (exp(gamma) - 1): late.

        weight: what it comes up to; any finite number.
        gamma: above 0: the steepness of the sigmoid (at 10 it has reached 0.85 of ``weight`` after a quarter of
            training), the rate of the exponential, the number of steps, rounded up; the others do without.
        delay: the share of training, in [0, 1), before it starts. Until then the weight is 0; the ramp then takes the
            rest of training, so that it ends where it would without a delay.

    Raises:
        InputError: there is no such kind.
    """
    if kind not in _SHAPES:
        raise unknown("ramp", kind, RAMPS)
    shape = _SHAPES[kind]

    def schedule(progress: float) -> float:
        if progress < delay:
            return 0.0
        return weight * shape((progress - delay) / (1.0 - delay), gamma)

    return schedule


def schedules_of(*names: str) -> Callable[[Any], Mapping[str, Schedule]]:
    """From the hyperparameters of a method to the schedules of those of its weights that are called ``names``."""

    def schedules(hyperparameters: Any) -> dict[str, Schedule]:
        return {name: ramp(*_fields(hyperparameters, name)) for name in names}

    return schedules


def check_ramp(hyperparameters: Any, name: str, most: float = math.inf) -> None:
    """Refuses hyperparameters that make no schedule.

    Args:
        hyperparameters: they have the four fields of the weight.
        name: the weight's own field: ``alpha``, ``adversarial_weight``. The names of the others follow from it.
        most: the largest weight that makes sense.

    Raises:
        InputError: one of them is out of its range; it says which field, and what would be right.
    """
    stem = _stem(name)
    kind, weight, gamma, delay = _fields(hyperparameters, name)
    if not (0 <= weight <= most and math.isfinite(weight)):
        right = "0 or more, and finite" if most == math.inf else f"between 0 and {most:g}"
        raise InputError(f"{name} is {weight}; it must be {right}")
    if kind not in RAMPS:
        raise unknown(f"{stem}_ramp", kind, RAMPS)
    if not 0 < gamma < math.inf:
        raise InputError(f"{stem}_gamma is {gamma}; it must be above 0 and finite")
    if not 0 <= delay < 1:
        raise InputError(f"{stem}_delay is {delay}; it must be 0 or more, and below 1: it is a share of training")


def _stem(name: str) -> str:
    return name.removesuffix("_weight")


def _fields(hyperparameters: Any, name: str) -> tuple[str, float, float, float]:
    """The four fields of the weight ``name``, in the order in which :func:`ramp` takes them."""
    kind, gamma, delay = (getattr(hyperparameters, f"{_stem(name)}_{field}") for field in ("ramp", "gamma", "delay"))
    return kind, getattr(hyperparameters, name), gamma, delay
