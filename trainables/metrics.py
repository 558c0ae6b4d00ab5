"""Scores of predicted emotions, always over the task's fixed list of classes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Scores:
    """Scores in [0, 1].

    Attributes:
        unweighted_average_recall: mean over the task's classes of their recall; a class that is predicted but not in
            the truth counts, with recall 0, so that the number of classes never depends on what was predicted.
        accuracy: share of utterances whose class is right.
        confusion: int64 of shape (classes, classes), row = true class, column = predicted class.
    """

    unweighted_average_recall: float
    accuracy: float
    confusion: np.ndarray


def score(truth: np.ndarray, predicted: np.ndarray, classes: int) -> Scores:
    """Scores of class numbers ``predicted`` against ``truth``, both of shape (utterances,)."""
    from sklearn.metrics import confusion_matrix  # here, for most who import this score nothing

    # Once an epoch: scikit-learn's own recall would count all of it again, and take nearly twice as long.
    confusion = confusion_matrix(y_true=truth, y_pred=predicted, labels=list(range(classes)))
    recalls = confusion.diagonal() / np.maximum(confusion.sum(axis=1), 1)
    return Scores(
        unweighted_average_recall=float(recalls.mean()),
        accuracy=float(np.mean(np.asarray(truth) == np.asarray(predicted))),
        confusion=confusion,
    )
