"""What a training run tells while it goes on, and what it and its trial leave."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

from trainables.metrics import Scores

Report = Callable[[Mapping[str, float]], None]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a training run leaves.

    Attributes:
        weights: of the networks that predict, at the selected epoch: a state dictionary on the CPU.
        validation: scores of the selected epoch on what selected it; ``None`` where nothing selects.
        predicted: class numbers of the test set by the selected epoch, int64 of shape (test utterances,).
        best_epoch: the selected epoch, from 1.
        history: what was reported after each epoch.
        normalisation: what standardised the features of each corpus (:func:`trainables.batches.statistics`).
        seconds: wall time of training.
    """

    weights: Mapping[str, Tensor]
    validation: Scores | None
    predicted: np.ndarray
    best_epoch: int
    history: tuple[Mapping[str, float], ...]
    normalisation: Mapping[str, Tensor]
    seconds: float


@dataclass(frozen=True, kw_only=True)
class TrialResult:
    """What a trial leaves.

    Attributes:
        metrics: final numbers: ``validation_uar``, ``validation_accuracy``, ``test_uar``, ``test_accuracy``,
            ``test_recall/<class>``, ``best_epoch``, ``epochs_run``, ``train_seconds``, and what else is
            known of the model (:mod:`trainables.validation`, :mod:`trainables.diagnosis`).
        confusion: int64 of shape (classes, classes): test utterances, row = true class, column = predicted class.
        history: what was reported after each epoch.
        weights: state dictionary of the networks that predict.
        normalisation: what standardised the features of each corpus (:func:`trainables.batches.statistics`).
        split: who was what (:func:`trainables.data.describe`).
    """

    metrics: Mapping[str, float]
    confusion: np.ndarray
    history: Sequence[Mapping[str, float]]
    weights: Mapping[str, Tensor]
    normalisation: Mapping[str, Tensor]
    split: Mapping[str, Any]
