"""Utterances of different lengths one after another in one array: out of a table of the store, and cut to their length."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from data_prep.features import Length


def values_of(table: pa.Table) -> np.ndarray:
    """The features of all rows: float32 of shape (frames of all utterances, dimensions).

    Args:
        table: rows of a store, or some that were chosen of them.
    """
    if not len(table):
        return np.zeros((0, 1), np.float32)
    # flatten() honours the offsets of a filtered list array, as its .values would not.
    flat = pa.chunked_array([chunk.flatten() for chunk in table["features"].chunks], pa.float32()).to_numpy()
    return flat.reshape(int(table["frames"].to_numpy().sum()), -1)


def starts_of(frames: np.ndarray, length: Length | None) -> np.ndarray:
    """Where each utterance starts, as in :class:`~trainables.data.Domain`, once all are of their length.

    Args:
        frames: of each utterance in the store, integers of shape (utterances,).
        length: what they are cut and padded to (:func:`of_length`); ``None`` for nothing.

    Returns:
        Int64 of shape (utterances + 1,).
    """
    if length is not None:
        frames = np.minimum(frames, length.frames) if length.padding == "zeros" else np.full_like(frames, length.frames)
    return np.concatenate([[0], np.cumsum(frames)]).astype(np.int64)


def of_length(values: np.ndarray, starts: np.ndarray, length: Length) -> tuple[np.ndarray, np.ndarray]:
    """Utterances cut, and where a feature's paper pads with the minimum padded, to one length.

    Zeros are not padded here but in the batch, after standardisation: a zero before it would be any number after it,
    and would count in the statistics. The minimum is padded before it, and so counts in them: dann.txt pads where it
    describes the features (3.3), standardises where it describes the training (4.1), and does not say that the
    statistics leave the padding out.

    Args:
        values: float32 of shape (frames of all utterances, dimensions), one utterance of 1 frame or more after another.
        starts: int64 of shape (utterances + 1,), as in :class:`~trainables.data.Domain`.
        length: what to cut and pad to.

    Returns:
        ``values`` and ``starts`` of the same utterances: each of ``length.frames`` frames, or with zeros as padding of
        no more than these.
    """
    lengths = np.diff(starts)
    counts = np.minimum(lengths, length.frames)
    skipped = (lengths - counts) // 2 if length.keep == "middle" else np.zeros_like(lengths)
    places = np.arange(len(values)) - np.repeat(starts[:-1] + skipped, lengths)
    kept = values[(places >= 0) & (places < np.repeat(counts, lengths))]
    if length.padding == "minimum":
        padded = np.repeat(np.minimum.reduceat(values, starts[:-1])[:, None], length.frames, axis=1)
        padded[np.arange(length.frames) < counts[:, None]] = kept
        kept = padded.reshape(-1, values.shape[1])
    return kept, starts_of(lengths, length)
