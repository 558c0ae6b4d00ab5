"""Frames of long waveforms, computed a minute at a time: at once, an hour of them takes gigabytes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

FRAMES = 6000
"""How many frames are computed at once."""


def in_blocks(
    compute: Callable[[np.ndarray], np.ndarray], waveform: np.ndarray, window: int, hop: int, dimensions: int
) -> np.ndarray:
    """The frames of a waveform, as ``compute`` makes them of at most :data:`FRAMES` windows' samples at once.

    Args:
        compute: from samples to one frame for every ``window`` samples, each ``hop`` after the last, that fit wholly.
        waveform: of any length, none included.
        window, hop: in samples.
        dimensions: values per frame.
    """
    frames = max(0, 1 + (len(waveform) - window) // hop)
    starts = range(0, frames, FRAMES)
    ends = [min(start + FRAMES, frames) for start in starts]
    parts = [compute(waveform[start * hop : (end - 1) * hop + window]) for start, end in zip(starts, ends, strict=True)]
    return np.concatenate([np.zeros((0, dimensions), np.float32), *parts])
