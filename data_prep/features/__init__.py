"""One module per feature type. A feature module publishes ``FEATURE``, a :class:`Feature`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from data_prep import registry


@dataclass(frozen=True)
class Length:
    """The one length that a paper gives to every utterance.

    Attributes:
        frames: how many.
        padding: what follows the end of a shorter utterance: ``zeros``, in what the networks are given, so after any
            standardisation; or the ``minimum`` of each dimension over the utterance's own frames, before it.
        keep: which frames of a longer one stay: those in the ``middle``, or those from the ``start``.
    """

    frames: int
    padding: Literal["zeros", "minimum"] = "zeros"
    keep: Literal["middle", "start"] = "middle"


@dataclass(frozen=True, kw_only=True)
class Feature:
    """A feature type: what it is computed from, and how.

    Attributes:
        title: what it is and which paper uses it.
        sample_rate: Hz; audio is resampled to it before ``compute`` sees it.
        dimensions: values per frame.
        frame_shift: seconds from one frame to the next; ``None`` where an utterance has one frame, however long it is.
        settings: every number that ``compute`` depends on; part of the store's fingerprint.
        libraries: the distributions that compute it; their versions are recorded in the store.
        version: raised whenever ``compute`` would give other values for the same audio and settings.
        compute: from a mono waveform, float32 of shape (samples,) in [-1, 1] at ``sample_rate``, to float32 of shape
            (frames, ``dimensions``); zero frames when the waveform is too short for one.
        length: what the paper pads or cuts every utterance to; ``None`` where it does not. A store holds all frames of
            every utterance as they are: this is applied when a task is loaded (:func:`trainables.ragged.of_length`).
    """

    title: str
    sample_rate: int
    dimensions: int
    frame_shift: float | None
    settings: Mapping[str, object]
    libraries: tuple[str, ...]
    version: int
    compute: Callable[[np.ndarray], np.ndarray]
    length: Length | None = None


def known() -> list[str]:
    """The names of all feature types."""
    return registry.names(sys.modules[__name__])


def load(name: str) -> Feature:
    """The feature called ``name``; an unknown one is an error that lists the known ones, nearest first."""
    return registry.find(sys.modules[__name__], "FEATURE", name)
