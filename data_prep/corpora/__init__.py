"""One module per corpus: where its files are, what its labels are and who speaks.

A corpus module publishes ``CORPUS``, a :class:`Corpus`. Its ``read`` turns a folder in the corpus's own layout into
:class:`Utterance` rows. It opens no audio, changes no label and drops no utterance: a label scheme does that later,
when a task is loaded, so that one feature store serves every task. What is in the folder and cannot be an utterance is a
:class:`LeftOut`, which goes into a build's quarantine; an error is for what makes nonsense of the whole corpus.
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
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


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """Something of a corpus that cannot be one of its utterances: a row of a build's quarantine.

    Attributes:
        utterance_id: of what it might have been, or the file's name without its ending.
        audio: path of the audio file, as an utterance's.
        reason: why it is left out, for a person; files in it are paths from the corpus's folder.
        taken: path of the audio that was taken in its place, where it is another file of the same utterance: if the two
            hold the same bytes, it is a copy, and nothing is left out.
    """

    utterance_id: str
    audio: str
    reason: str
    taken: str | None = None


NO_LABEL = "the corpus's label files do not list it"
_NOT_TEXT = (
    "it is not named in UTF-8; rename the folders and files that are not, or unpack the archive again with the encoding "
    "of its names"
)


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What the whole corpus holds, by its official description: how an incomplete download is noticed.

    Attributes:
        source: who says so.
        utterances: how many there are.
        labels: how many of each raw emotion label; only those that are known.
        speakers: how many of each speaker, as the reader names them; only those that are known.
        speaker_count: how many speakers there are, where how many utterances each has is not known.
        splits: how many utterances of each official partition; only those that are known.
        at_least: whether there may be more than these utterances, in all and of each kind.
        others: what other forms of the corpus hold: with other label files, or as another release.
        is_read: of all utterances of a copy, whether they are of this form; asked of ``others``.
    """

    source: str
    utterances: int
    labels: Mapping[str, int] = field(default_factory=dict)
    speakers: Mapping[str, int] = field(default_factory=dict)
    speaker_count: int | None = None
    splits: Mapping[str, int] = field(default_factory=dict)
    at_least: bool = False
    others: tuple[Expected, ...] = ()
    is_read: Callable[[Sequence[Utterance]], bool] = lambda utterances: True

    def of(self, utterances: Sequence[Utterance]) -> Expected:
        """What the form holds that all utterances of a copy are of: one of the others, or else the usual one."""
        return next((other for other in self.others if other.is_read(utterances)), self)

    def met(self, found: int, wanted: int) -> bool:
        """Whether so many are as wanted."""
        return found == wanted or (self.at_least and found > wanted)


@dataclass(frozen=True, kw_only=True)
class Corpus:
    """A corpus as it lies on disk.

    Attributes:
        title: full name and reference.
        licence: under which terms people have it.
        layout: one line saying what its folder looks like, shown when a folder is not that corpus.
        labels: the closed vocabulary: each raw emotion label to its meaning, one of :data:`EMOTIONS`.
        read: from the corpus's folder (for ``manifest``, the CSV file) to its utterances and what cannot be one. Of two
            with the same id the first is taken. It raises :class:`~data_prep.errors.InputError` naming the file and line
            where a label file is not as it must be.
        expected: the official counts, where there are any.
        labelled: from the corpus's folder to the audio that its label files ought to list; what they do not is in a
            build's quarantine. ``None`` where names say everything, or audio beside the listed is none of the corpus.
    """

    title: str
    licence: str
    layout: str
    labels: Mapping[str, str]
    read: Callable[[Path], Iterable[Utterance | LeftOut]]
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
    """All utterances of the corpus ``name`` in the folder ``root``, sorted by utterance id; errors as of :func:`sift`."""
    return sift(name, root)[0]


def sift(name: str, root: Path) -> tuple[list[Utterance], list[LeftOut]]:
    """What is in the folder ``root`` of the corpus ``name``: its utterances, by utterance id, and what cannot be one.

    Left out are audio with a name that the corpus does not have or that is not UTF-8, audio that no label file lists, and
    a second row or file of an utterance. Audio is not opened here, so a copy of what was taken is still among them; what
    is not UTF-8 in a name is written with backslashes.

    Raises:
        InputError: the path does not exist, is not that corpus or holds none of its utterances; a folder or label file of
            it cannot be read; or a label is outside its vocabulary.
    """
    corpus = load(name)
    utterances: dict[str, Utterance] = {}
    left_out: list[LeftOut] = []
    try:
        if not root.exists():
            raise InputError(f"{name}: {root} does not exist; expected {corpus.layout}")
        for found in corpus.read(root):
            if isinstance(found, LeftOut):
                left_out.append(found)
                continue
            if found.emotion is not None and found.emotion not in corpus.labels:
                raise unknown_label(name, str(root / found.audio), found.emotion, corpus.labels)
            if not _is_text(found.audio):
                left_out.append(LeftOut(utterance_id=found.utterance_id, audio=found.audio, reason=_NOT_TEXT))
            elif found.utterance_id in utterances:
                left_out.append(_second(found.utterance_id, found.audio, utterances[found.utterance_id].audio))
            else:
                utterances[found.utterance_id] = found
        left_out += _without_label(corpus, root, utterances.values(), left_out)
    except OSError as error:
        raise _unreadable(name, root, error) from error
    left_out = sorted(map(_in_text, left_out), key=lambda one: (one.audio, one.utterance_id, one.reason))
    if not utterances:
        first = f" (the first file: {left_out[0].audio}: {left_out[0].reason})" if left_out else ""
        raise InputError(f"{name}: no utterance found in {root}; expected {corpus.layout}{first}")
    return [utterances[utterance_id] for utterance_id in sorted(utterances)], left_out


def _without_label(
    corpus: Corpus, root: Path, utterances: Iterable[Utterance], left_out: Iterable[LeftOut]
) -> list[LeftOut]:
    """The audio that label files ought to list, and that is neither among ``utterances`` nor ``left_out`` already."""
    files = [file.relative_to(root).as_posix() for file in (corpus.labelled(root) if corpus.labelled else ())]
    paths = {utterance.audio for utterance in utterances}
    known = {one.audio for one in left_out} | paths
    named = {PurePosixPath(utterance.audio).stem: utterance for utterance in utterances}
    # Where files lie in folders that matter, others may have the same name: an utterance's id says which is meant.
    taken = {stem: one.audio for stem, one in named.items() if one.utterance_id.startswith(stem)}
    found = []
    for audio in (audio for audio in files if audio not in known):
        stem = PurePosixPath(audio).stem
        if stem in taken and _is_text(audio):
            found.append(_second(stem, audio, taken[stem]))
        else:
            found.append(LeftOut(utterance_id=stem, audio=audio, reason=_NOT_TEXT if stem in taken else NO_LABEL))
    return found


def _second(utterance_id: str, audio: str, taken: str) -> LeftOut:
    reason = f"{taken} was taken for this utterance, and this file is no copy of it"
    return LeftOut(utterance_id=utterance_id, audio=audio, reason=reason, taken=taken)


def _in_text(one: LeftOut) -> LeftOut:
    """The same, in UTF-8."""
    utterance_id, audio, reason = (
        os.fsencode(text).decode(errors="backslashreplace") for text in (one.utterance_id, one.audio, one.reason)
    )
    return LeftOut(utterance_id=utterance_id, audio=audio, reason=reason, taken=one.taken)


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
