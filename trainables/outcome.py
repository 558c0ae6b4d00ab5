"""What a training run tells while it goes on, and what it leaves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

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
