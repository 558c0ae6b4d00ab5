"""One module per demo corpus: who says what where, and the label files around it.

A layout module publishes ``LAYOUT``, a :class:`Layout`. It is a play: it casts no voice and opens no audio. The stage
(:mod:`data_prep.demo`) speaks its turns and writes its label files, so that adding a demo corpus is adding one module.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from data_prep import registry
from data_prep.demo.channel import Channel
from data_prep.demo.prosody import Delivery

SIZES = ("tiny", "small", "full")


@dataclass(frozen=True, kw_only=True)
class Turn:
    """One utterance to be spoken.

    Attributes:
        audio: path of the file in the corpus's folder, with forward slashes; wav, flac or sph. Turns that follow each
            other and have the same are one recording.
        speaker: one of the layout's speakers.
        text: what is said, in the layout's language.
        emotion: what is acted, one of :data:`data_prep.demo.prosody.EMOTIONS`.
        label: what the corpus says was heard, in the corpus's own words; ``None`` where it says nothing.
        intensity: a factor on the layout's strength, for corpora in which the same is acted more and less strongly.
    """

    audio: str
    speaker: str
    text: str
    emotion: str
    label: str | None
    intensity: float = 1.0


LabelFiles = Callable[[Sequence[Turn], Sequence[tuple[float, float]], np.random.Generator], Mapping[str, str]]


@dataclass(frozen=True, kw_only=True)
class Layout:
    """A demo corpus.

    Attributes:
        folder: the name of the corpus's folder.
        language: espeak-ng's name of the language.
        speakers: the corpus's own name of each speaker to ``female`` or ``male``.
        strength: how strongly emotion is acted, a factor on each direction of :data:`data_prep.demo.prosody.EMOTIONS`.
        channel: the recording conditions.
        script: from a size, one of ``SIZES``, and a random generator to the turns.
        label_files: from the turns, the start and end of each in its file (seconds) and a random generator to the text
            of each label file by its path in the corpus's folder; ``None`` where the file names say everything.
        pause: seconds of silence before a turn, on average, in recordings of several turns.
        vocal_tract: a factor on all frequencies of everybody's vocal tract: above 1 for children.
    """

    folder: str
    language: str
    speakers: Mapping[str, str]
    strength: Delivery
    channel: Channel
    script: Callable[[str, np.random.Generator], list[Turn]]
    label_files: LabelFiles | None = None
    pause: float = 0.0
    vocal_tract: float = 1.0


def known() -> list[str]:
    """The names of all demo corpora."""
    return registry.names(sys.modules[__name__])


def load(name: str) -> Layout:
    """The demo corpus called ``name``; an unknown one is an error that lists the known ones, nearest first."""
    layout: Layout = registry.find(sys.modules[__name__], "LAYOUT", name)
    return layout


def apportion(shares: Mapping[Any, float], total: int) -> dict[Any, int]:
    """``total`` divided in proportion to ``shares`` by the method of the largest remainder."""
    exact = {key: share * total / sum(shares.values()) for key, share in shares.items()}
    counts = {key: int(share) for key, share in exact.items()}
    missing = total - sum(counts.values())
    for key in sorted(exact, key=lambda key: counts[key] - exact[key])[:missing]:
        counts[key] += 1
    return counts
