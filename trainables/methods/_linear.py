"""What linear classifiers share: their settings' range, scores of every class, one thread."""

from __future__ import annotations

import numpy as np
from threadpoolctl import threadpool_limits

from data_prep.errors import unknown
from trainables import ranges

BALANCE = {"balanced": "balanced", "equal": None}


def check(C: float, class_weight: str) -> None:
    """Refuses settings that no linear classifier can be fitted with.

    Raises:
        InputError: one of them is out of its range.
    """
    ranges.positive(C=C)
    if class_weight not in BALANCE:
        raise unknown("class_weight", class_weight, BALANCE)


def one_thread() -> threadpool_limits:
    """Sums in one thread: in another number of them their order, and so their last bits, would be others."""
    return threadpool_limits(limits=1)


def scores(features: np.ndarray, coefficients: np.ndarray, intercepts: np.ndarray) -> np.ndarray:
    """How much speaks for each class, float64 of shape (utterances, classes)."""
    with one_thread():
        return features.astype(np.float64) @ coefficients.T + intercepts


def softmax(values: np.ndarray) -> np.ndarray:
    """Of each row, in a form that no value overflows."""
    powers = np.exp(values - values.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def of_every_class(
    coefficients: np.ndarray, intercepts: np.ndarray, present: np.ndarray, classes: int
) -> tuple[np.ndarray, np.ndarray]:
    """Weights of every class from scikit-learn's, which has one row for two classes and none for an absent one.

    Args:
        coefficients, intercepts: scikit-learn's ``coef_`` and ``intercept_``.
        present: class numbers that it was fitted on, ascending.
        classes: how many there are.

    Returns:
        Float64 of shapes (classes, features) and (classes,). An absent class can never be predicted.
    """
    if len(present) == 2:
        coefficients, intercepts = np.concatenate([-coefficients, coefficients]), np.tile(intercepts, 2) * [-1, 1]
    everywhere = np.zeros((classes, coefficients.shape[1])), np.full(classes, -1e9)
    everywhere[0][present], everywhere[1][present] = coefficients, intercepts
    return everywhere
