"""From ragged utterances to standardised, padded batches on the device that trains."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from trainables.data import Domain, Granted
from trainables.streams import stream


class Scaler:
    """Standardises each feature dimension by the mean and deviation of the utterances it was fitted on."""

    def __init__(self, domain: Domain, rows: np.ndarray) -> None:
        """Fits on the utterances ``rows`` of ``domain``, every frame counting once."""
        chosen = np.zeros(len(domain.values), dtype=bool)
        for row in rows:
            chosen[domain.starts[row] : domain.starts[row + 1]] = True
        values = domain.values[chosen].astype(np.float64)
        self.mean = values.mean(axis=0)
        self.scale = np.maximum(values.std(axis=0), 1e-8)


class Utterances:
    """One domain's utterances on a device, standardised; a batch is gathered from them by row numbers."""

    def __init__(self, domain: Domain, scaler: Scaler, frames: int, device: torch.device) -> None:
        self._frames = frames
        # The domain's values may be a read-only view of memory that all workers share; the difference is this trial's.
        standardised = (domain.values - scaler.mean.astype(np.float32)) / scaler.scale.astype(np.float32)
        self._values = torch.from_numpy(standardised).to(device)
        lengths = np.diff(domain.starts)
        # A longer utterance is cut in its middle: both its ends go.
        starts = domain.starts[:-1] + np.maximum(lengths - frames, 0) // 2
        self._starts = torch.from_numpy(starts).to(device)
        self._lengths = torch.from_numpy(np.minimum(lengths, frames)).to(device)
        self._positions = torch.arange(frames, device=device)
        self.labels = torch.from_numpy(np.array(domain.labels)).to(device)

    def __getitem__(self, rows: Tensor) -> Tensor:
        """Features of the utterances ``rows``, shape (rows, frames, dimensions), zeros after an utterance's end."""
        inside = self._positions < self._lengths[rows].unsqueeze(1)
        places = torch.where(inside, self._starts[rows].unsqueeze(1) + self._positions, 0)
        return self._values[places] * inside.unsqueeze(2)


def utterances(granted: Granted, device: torch.device) -> tuple[Utterances, Utterances]:
    """Source and target on ``device``, standardised by what the protocol grants."""
    source = Scaler(granted.source, granted.split.train)
    target = source
    if granted.normalisation == "corpus":
        target = Scaler(granted.target, granted.split.adaptation)
    return (
        Utterances(granted.source, source, granted.frames, device),
        Utterances(granted.target, target, granted.frames, device),
    )


def batch_rows(rows: np.ndarray, size: int, step: int, seed: int, domain: str) -> np.ndarray:
    """The utterances of batch number ``step`` (from 0): an endless cycle through ``rows``, shuffled anew each time round.

    Every batch has ``size`` utterances, and source and target each cycle at their own length, so neither is cut to
    the other's. What a step draws depends on the seed, the domain's name and the step alone.
    """
    first, last = step * size, (step + 1) * size
    rounds = range(first // len(rows), (last - 1) // len(rows) + 1)
    ordered = np.concatenate([_shuffled(len(rows), seed, domain, number) for number in rounds])
    offset = rounds[0] * len(rows)
    return rows[ordered[first - offset : last - offset]]


@lru_cache(maxsize=16)
def _shuffled(count: int, seed: int, domain: str, number: int) -> np.ndarray:
    return stream(seed, "order", domain, number).permutation(count)
