"""The contract of the methods that have no gradient: fit once, predict."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import numpy as np

Side = Literal["source", "target"]


class Examples(NamedTuple):
    """What an estimator is fitted on.

    Attributes:
        features: standardised utterances, padded with zeros and flattened, float32 of shape (utterances, frames x
            dimensions); those of the source first, then those of the target whose labels are granted.
        labels: class numbers, int64 of shape (utterances,).
        sides: the side of each utterance, bool of shape (utterances,): whether it is of the target.
        target: the target without labels, float32 of shape (target utterances, frames x dimensions); none of it where
            the protocol grants none.
        classes: how many there are.
        seed: of the run's noise.
    """

    features: np.ndarray
    labels: np.ndarray
    sides: np.ndarray
    target: np.ndarray
    classes: int
    seed: int


class Fitted(NamedTuple):
    """What fitting leaves.

    Attributes:
        probabilities: (features of shape (utterances, frames x dimensions), side that they are of) to probabilities of
            shape (utterances, classes).
        represent: likewise to what the emotion is read from, of shape (utterances, features).
        weights: all numbers of the model, by name: what is kept of it.
    """

    probabilities: Callable[[np.ndarray, Side], np.ndarray]
    represent: Callable[[np.ndarray, Side], np.ndarray]
    weights: Mapping[str, np.ndarray]


@dataclass(frozen=True, kw_only=True)
class Estimator:
    """A way to fit a model of speech emotion recognition.

    Attributes:
        title: what it is, with its paper and section.
        hyperparameters: a frozen data class whose defaults are the paper's values; it raises
            :class:`~data_prep.errors.InputError` for a value outside its range.
        fit: from examples and hyperparameters to the model.
        normalisation: from the hyperparameters, whose statistics standardise in place of the protocol's
            (:class:`~data_prep.splits.Protocol`); ``None`` for the protocol's.
        adapts: from the hyperparameters, whether it looks at the target's features.
    """

    title: str
    hyperparameters: type
    fit: Callable[[Examples, Any], Fitted]
    normalisation: Callable[[Any], str | None] = field(default=lambda hyperparameters: None)
    adapts: Callable[[Any], bool] = field(default=lambda hyperparameters: False)
