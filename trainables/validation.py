"""How a model does on what its protocol holds out with labels: that selects the checkpoint and the hyperparameters."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from trainables.criteria import HELD_OUT
from trainables.data import Granted
from trainables.estimator import Side
from trainables.metrics import Scores, score


class Model(Protocol):
    """What is trained and can be asked (:class:`~trainables.loop.Training`, :class:`~trainables.fitting.Fitting`)."""

    def probabilities(self, rows: np.ndarray, side: Side) -> np.ndarray:
        """Class probabilities of the utterances ``rows`` of a side, shape (rows, classes)."""
        ...

    def representations(self, rows: np.ndarray, side: Side) -> np.ndarray:
        """What the emotion is read from, shape (rows, features)."""
        ...


def predict(model: Model, rows: np.ndarray, side: Side) -> np.ndarray:
    """Class numbers of the utterances ``rows`` of a side, int64 of shape (rows,): the likeliest ones."""
    return model.probabilities(rows, side).argmax(axis=1)


def validate(model: Model, granted: Granted) -> Scores | None:
    """Scores on all that is held out, of the source and of the target together; ``None`` where nothing is."""
    held_out = list(_held_out(model, granted).values())
    if not held_out:
        return None
    truth, predicted = (np.concatenate(arrays) for arrays in zip(*held_out, strict=True))
    return score(truth, predicted, len(granted.classes))


def held_out_scores(model: Model, granted: Granted) -> dict[str, float]:
    """``criterion/source_val`` and ``criterion/target_dev``: UAR of either part that selects, as far as granted."""
    return {
        f"criterion/{name}": score(truth, predicted, len(granted.classes)).unweighted_average_recall
        for name, (truth, predicted) in _held_out(model, granted).items()
    }


def epoch_metrics(scores: Scores, best: float) -> dict[str, float]:
    """What an epoch reports of its validation, beside the highest UAR so far."""
    return {
        "validation_uar": scores.unweighted_average_recall,
        "validation_accuracy": scores.accuracy,
        "best_validation_uar": best,
    }


def _held_out(model: Model, granted: Granted) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """True and predicted class numbers of each part in :data:`HELD_OUT` that the protocol grants."""
    parts: tuple[tuple[Side, np.ndarray, np.ndarray], ...] = (
        ("source", granted.source.labels, granted.split.validation),
        ("target", granted.target.labels, granted.split.development),
    )
    return {
        name: (labels[rows], predict(model, rows, side))
        for name, (side, labels, rows) in zip(HELD_OUT, parts, strict=True)
        if len(rows)
    }
