"""One module per corpus: where its files are, what its labels are and who speaks.

A corpus module publishes ``CORPUS``, a :class:`Corpus`. Its ``read`` turns a folder in the corpus's own layout into
:class:`Utterance` rows. It opens no audio, changes no label and drops no utterance: a label scheme does that later,
when a task is loaded, so that one feature store serves every task.
"""

from __future__ import annotations

import functools
import itertools
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from data_prep import registry
from data_prep.errors import InputError, nearest_first

# What a corpus's raw label may mean. Closed: a reader maps each of its labels to one of these words.
EMOTIONS = frozenset(
    {
        *("angry", "anxious", "bored", "calm", "contempt", "despair", "disgusted", "elated", "emphatic", "excited"),
        *("fear", "frustrated", "happy", "interested", "neutral", "other", "panic", "pride", "rest", "sad", "shame"),
        *("surprised", "no_agreement"),
        *("positive", "negative", "non_negative"),  # of classes that hold several emotions
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Utterance:
    """One utterance of a corpus, as the corpus itself labels it.

    Attributes:
        utterance_id: unique in its corpus and stable, usually the file name without its ending.
        audio: path of the audio file relative to the corpus's folder, with forward slashes (absolute where a manifest
            gives it so).
        speaker: the corpus's own name of the speaker.
        gender: ``female``, ``male`` or ``unknown``.
        language: BCP 47 tag (``en-US``, ``de``).
        session: recording session, where the corpus has sessions.
        emotion: raw label, one of the corpus's ``labels``; ``None`` for unlabelled speech.
        arousal, valence, dominance: raw ratings on the corpus's own scale; ``None`` where there are none.
        split: the corpus's official partition, where it has one.
        start, end: seconds into the audio file, for corpora that are recorded in longer pieces; ``None`` is the file's.
    """

    utterance_id: str
    audio: str
    speaker: str
    gender: str
    language: str
    session: str | None = None
    emotion: str | None = None
    arousal: float | None = None
    valence: float | None = None
    dominance: float | None = None
    split: str | None = None
    start: float | None = None
    end: float | None = None


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What the whole corpus holds, by its official description: how an incomplete download is noticed.

    Attributes:
        source: who says so.
        utterances: how many there are.
        labels: how many of each raw emotion label; only those that are known.
        speakers: how many of each speaker, as the reader names them; only those that are known.
        speaker_count: how many speakers there are, where how many utterances each has is not known.
    """

    source: str
    utterances: int
    labels: Mapping[str, int] = field(default_factory=dict)
    speakers: Mapping[str, int] = field(default_factory=dict)
    speaker_count: int | None = None


@dataclass(frozen=True, kw_only=True)
class Corpus:
    """A corpus as it lies on disk.

    Attributes:
        title: full name and reference.
        licence: under which terms people have it.
        layout: one line saying what its folder looks like, shown when a folder is not that corpus.
        labels: the closed vocabulary: each raw emotion label to its meaning, one of :data:`EMOTIONS`.
        read: from the corpus's folder (for ``manifest``, the CSV file) to its utterances; raises
            :class:`~data_prep.errors.InputError` naming the file and line where something is not as it must be.
        expected: the official counts, where there are any.
        labelled: from the corpus's folder to the audio that its label files ought to list; what they do not is in a
            build's quarantine. ``None`` where names say everything, or audio beside the listed is none of the corpus.
    """

    title: str
    licence: str
    layout: str
    labels: Mapping[str, str]
    read: Callable[[Path], Iterable[Utterance]]
    expected: Expected | None = None
    labelled: Callable[[Path], Iterable[Path]] | None = None


def known() -> list[str]:
    """The names of all corpora there is a reader for."""
    return registry.names(sys.modules[__name__])


@functools.cache
def load(name: str) -> Corpus:
    """The corpus called ``name``; an unknown one is an error that lists the known ones, nearest first."""
    return registry.find(sys.modules[__name__], "CORPUS", name)


def read(name: str, root: Path) -> list[Utterance]:
    """All utterances of the corpus ``name`` in the folder ``root``, sorted by utterance id.

    Raises:
        InputError: the path does not exist or cannot be read, is not that corpus, holds a label outside its
            vocabulary, an id twice, or audio whose name is not text.
    """
    corpus = load(name)
    try:
        if not root.exists():
            raise InputError(f"{name}: {root} does not exist; expected {corpus.layout}")
        utterances = sorted(corpus.read(root), key=lambda utterance: utterance.utterance_id)
    except OSError as error:
        raise _unreadable(name, root, error) from error
    if not utterances:
        raise InputError(f"{name}: no utterance found in {root}; expected {corpus.layout}")
    for one, other in itertools.pairwise(utterances):
        if one.utterance_id == other.utterance_id:
            raise InputError(
                f"{name}: {root} holds utterance {one.utterance_id!r} twice, as {one.audio} and {other.audio}; "
                "an id must be unique"
            )
    for utterance in utterances:
        if not _is_text(utterance.audio):
            place = os.fsencode(root / utterance.audio).decode(errors="backslashreplace")
            raise InputError(
                f"{name}: {place} is not named in UTF-8; rename the folders and files that are not, or unpack the "
                "archive again with the encoding of its names"
            )
        if utterance.emotion is not None and utterance.emotion not in corpus.labels:
            raise unknown_label(name, str(root / utterance.audio), utterance.emotion, corpus.labels)
    return utterances


def without_label(name: str, root: Path, utterances: Iterable[Utterance]) -> list[str]:
    """Audio of the corpus ``name`` that should be among ``utterances``, and that no label file lists.

    Returns:
        Paths from ``root``, sorted; a second copy of an utterance's audio is not among them. What is not UTF-8 in a name
        is written with backslashes.

    Raises:
        InputError: a folder cannot be read.
    """
    labelled = load(name).labelled
    listed = {PurePosixPath(utterance.audio).stem for utterance in utterances}
    try:
        files = [file.relative_to(root) for file in (labelled(root) if labelled else ()) if file.stem not in listed]
    except OSError as error:
        raise _unreadable(name, root, error) from error
    return sorted(os.fsencode(file.as_posix()).decode(errors="backslashreplace") for file in files)


def _unreadable(name: str, root: Path, error: OSError) -> InputError:
    return InputError(f"{name}: {error.filename or root} cannot be read: {error.strerror or error}")


def _is_text(path: str) -> bool:
    """Whether it can be written in UTF-8: Python keeps a name that the disk has in another encoding, but not as text."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def unknown_label(name: str, place: str, label: str, labels: Iterable[str]) -> InputError:
    """The error for a label that the corpus ``name`` does not have; ``place`` is its file, with the line if any."""
    known = ", ".join(nearest_first(label, labels))
    return InputError(f"{name}: {place} has the unknown label {label!r}; known, nearest first: {known}")
