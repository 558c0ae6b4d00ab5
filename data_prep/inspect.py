"""The command that holds corpora against their official counts: ``python -m data_prep.inspect emodb=PATH``.

An incomplete download is noticed before a week of training on it. Of the audio only headers are read, so that it takes
seconds (at an address, whole files); a file whose header makes no sense is decoded, to say why a build would leave it out,
and two files of one utterance are read, to see whether they are copies.
"""

from __future__ import annotations

import argparse
import io
import sys
import textwrap
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import soundfile

from data_prep import audio
from data_prep import corpora as readers
from data_prep.corpora import Corpus, Expected, LeftOut, Utterance
from data_prep.errors import InputError, command
from data_prep.places import Address, Place, Unreachable, within
from data_prep.plan import corpus_arguments, corpus_at, reader_of

_WIDTH = 100
_LISTED = 20  # files that a report lists of a kind
_NAMED = 8  # speakers, or classes, that a verdict names
_NO_LENGTH = 1 << 62  # frames; libsndfile's number for "unknown" is above

_DESCRIPTION = """\
Read corpora as a build would, and compare them with what their authors say is in them:
utterances, classes, speakers and official partitions, found against expected. Shown besides:
genders, languages, sessions, hours of audio, the files that cannot be read, and what a build
would leave out besides, with the reason: misnamed, in no list, there twice. Nothing is written.

Each argument is NAME=PATH: the name of a corpus that there is a reader for and the folder it lies
in, or any name and a manifest, a CSV file with a line per utterance (its columns:
data_prep/corpora/manifest.py). PATH may be an address (data_prep/places.py).
"""
_EXAMPLES = """\
examples:
  python -m data_prep.inspect emodb=/data/emodb
  python -m data_prep.inspect emovo=/data/EMOVO ravdess=/data/RAVDESS lab=/data/lab.csv

how to read it:
  03 49/49          speaker 03 has all of the 49 utterances that there are of that speaker
  08 46/58 (-12)    speaker 08 has 46 of 58: 12 are missing
  found/at least    of this form of the corpus nobody published more than how much there is at least
  speaker, 11/12    11 of 12 speakers are there, of whom nobody published how much each said
  An utterance whose audio is missing or cannot be read is not counted as found.

exit status:
  0  everything is as expected (of a corpus without official counts: every file can be read)
  1  something is missing, is too much or cannot be read
  2  a name or path is wrong, or a folder is not that corpus
"""


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """What was found of a corpus, and what should be.

    Attributes:
        name: the corpus's, as it was given.
        root: its folder, or the CSV file of a manifest.
        corpus: its reader.
        expected: the official counts of the form in which the corpus is there, if there are any.
        utterances: those whose audio can be read.
        lost: how many utterances have audio that cannot be.
        files: audio files that can be read.
        seconds: of speech in ``utterances``.
        unreadable: why a file cannot be read, by its path as the reader gives it.
        left_out: what is there and can be no utterance of the corpus.
    """

    name: str
    root: Place
    corpus: Corpus
    expected: Expected | None
    utterances: tuple[Utterance, ...]
    lost: int
    files: int
    seconds: float
    unreadable: Mapping[str, str]
    left_out: tuple[LeftOut, ...]

    @property
    def as_expected(self) -> bool:
        """Whether every file can be read and all official counts that there are agree."""
        expected, found = self.expected, len(self.utterances)
        counts = expected is None or (expected.met(found, expected.utterances) and not self._differences())
        return counts and not self.unreadable

    @property
    def verdict(self) -> str:
        """One sentence: what is missing or too much, or that nothing is."""
        expected, found = self.expected, len(self.utterances)
        if expected is None:
            return f"There are no official counts of {self.name} to compare with."
        details = self._differences()
        if not details and expected.met(found, expected.utterances):
            whole = f"All {found} utterances are there"
            if expected.at_least:
                whole = f"There are {found} utterances where {expected.utterances} or more are expected"
            details = [
                f"each {kind} has its number{' or more' if expected.at_least else ''}"
                for kind, wanted in self._compared()
                if wanted
            ]
            if expected.speaker_count is not None:
                details.append(f"all {expected.speaker_count} speakers")
        elif found < expected.utterances:
            missing = expected.utterances - found
            whole = f"{missing} of {expected.utterances} utterances {'is' if missing == 1 else 'are'} missing"
        elif not expected.met(found, expected.utterances):
            whole = f"There are {found} utterances where {expected.utterances} are expected"
        else:
            whole = f"There are {found} utterances as expected, but not the right ones"
        return f"{whole}{': ' if details else ''}{'; '.join(details)} (by {expected.source})."

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        expected, found = self.expected, len(self.utterances)
        against = "at least" if expected and expected.at_least else "expected"
        yield from _wrapped(f"{self.name}: {self.corpus.title}")
        yield f"  in {self.root}"
        yield f"  utterances: {self._cell(found, expected.utterances if expected else None)}"
        yield f"  audio: {self.seconds / 3600:.2f} h in {self.files} files"
        for heading, wanted in self._compared():
            counts = self._counts(heading)
            kinds = expected.speaker_count if expected and heading == "speaker" else None
            number = f", {_cell(len(counts), kinds)}" if kinds is not None else ""
            yield f"  {heading}{number}{f', found/{against}' if wanted else ''}:"
            names = sorted({*counts, *wanted})
            yield from _grid([f"{name} {self._cell(counts[name], wanted.get(name))}" for name in names])
        for heading in ("gender", "language", "session"):
            counts = self._counts(heading)
            counted = [f"{name} {counts[name]}" for name in sorted(filter(None, counts))]
            yield from _wrapped(f"  {heading}: {', '.join(counted) or 'none'}")
        if self.unreadable:
            yield f"  cannot be read: {_plural(len(self.unreadable), 'file')}, {_plural(self.lost, 'utterance')}"
            yield from _first([f"{file}: {reason}" for file, reason in self.unreadable.items()])
        if self.left_out:
            yield f"  left out: {len(self.left_out)}"
            yield from _first([f"{one.audio}: {one.reason}" for one in self.left_out])
        yield from _wrapped(f"  {self.verdict}")

    def _cell(self, found: int, expected: int | None) -> str:
        met = self.expected is not None and expected is not None and self.expected.met(found, expected)
        return f"{found}/{expected}" if met else _cell(found, expected)

    def _compared(self) -> list[tuple[str, dict[str, int]]]:
        """What is counted, with the expected counts that are known."""
        expected = self.expected
        labels, speakers = (expected.labels, expected.speakers) if expected else ({}, {})
        splits = [("split", dict(expected.splits))] if expected and expected.splits else []
        return [
            ("class", {_class(self.corpus, label): count for label, count in labels.items()}),
            ("speaker", dict(speakers)),
            *splits,
        ]

    def _counts(self, kind: str) -> Counter[str]:
        if kind == "class":
            return Counter(_class(self.corpus, one.emotion) for one in self.utterances)
        return Counter(getattr(one, kind) for one in self.utterances)

    def _differences(self) -> list[str]:
        """Where the counts are not the expected ones, a phrase each: what is missing wholly, then the largest first."""
        nothing, some = [], []
        if (number := self._lacking_speakers()) is not None:
            nothing.append(number)
        for kind, wanted in reversed(self._compared()):
            wrong = self._wrong(kind, wanted)
            none_of = [name for name, (found, _) in wrong.items() if not found]
            if none_of:
                nothing.append(f"nothing of {kind} {_listed(none_of)}")
            others = sorted(set(wrong) - set(none_of), key=lambda name: (-abs(wrong[name][0] - wrong[name][1]), name))
            some += [f"{kind} {name} has {wrong[name][0]} of {wrong[name][1]}" for name in others[:_NAMED]]
            if len(others) > _NAMED:
                some.append(f"and so on, {len(others)} in all")
        return nothing + some

    def _lacking_speakers(self) -> str | None:
        """How many speakers there are, where that is not the expected number."""
        assert self.expected is not None
        found, wanted = len(self._counts("speaker")), self.expected.speaker_count
        return None if wanted in (None, found) else f"{found} of {wanted} speakers are there"

    def _wrong(self, kind: str, wanted: Mapping[str, int]) -> dict[str, tuple[int, int]]:
        """Found and expected, where they differ."""
        assert self.expected is not None
        found, met = self._counts(kind), self.expected.met
        known = dict(wanted)
        if sum(wanted.values()) == self.expected.utterances:  # every one is known: there are no others
            known = {name: 0 for name in found} | known
        return {name: (found[name], known[name]) for name in sorted(known) if not met(found[name], known[name])}


def inspect(name: str, root: Place) -> Inspection:
    """Reads a corpus and the headers of its audio.

    Args:
        name: a reader's, or any where ``root`` is a manifest.
        root: the corpus's folder, or a CSV file.

    Raises:
        InputError: the name is unknown, or the path is not that corpus.
    """
    reader = reader_of(name, root)
    utterances, left_out = corpus_at(reader, root)
    folder = root if root.is_dir() else root.parent
    files = list(dict.fromkeys(utterance.audio for utterance in utterances))
    with ThreadPoolExecutor() as pool:
        try:
            lengths = dict(zip(files, pool.map(_length, [within(folder, file) for file in files]), strict=True))
        except Unreachable as error:
            raise InputError(str(error)) from error
    seconds = {file: length for file, length in lengths.items() if isinstance(length, float)}
    readable = tuple(utterance for utterance in utterances if utterance.audio in seconds)
    corpus = readers.load(reader)
    return Inspection(
        name=name,
        root=root,
        corpus=corpus,
        expected=corpus.expected.of(utterances) if corpus.expected else None,
        utterances=readable,
        lost=len(utterances) - len(readable),
        files=len(seconds),
        seconds=sum(_spoken(utterance, seconds[utterance.audio]) for utterance in readable),
        unreadable={file: length for file, length in lengths.items() if isinstance(length, str)},
        left_out=left_out,
    )


def _length(file: Place) -> float | str:
    """Seconds of an audio file, or why it cannot be read."""
    try:
        header = soundfile.info(io.BytesIO(audio.read(file)) if isinstance(file, Address) else file)
        if 0 < header.frames < _NO_LENGTH:
            return header.frames / header.samplerate
    except (soundfile.LibsndfileError, audio.UnusableAudio):
        pass  # a build's own decoding may know better, and says what is wrong
    try:
        return audio.decode(audio.read(file), 16_000)[1]
    except audio.UnusableAudio as error:
        return str(error)


def _spoken(utterance: Utterance, length: float) -> float:
    end = length if utterance.end is None else min(utterance.end, length)
    return max(0.0, end - (utterance.start or 0.0))


def _class(corpus: Corpus, label: str | None) -> str:
    """A raw label with its meaning, where that is another word."""
    if label is None:
        return "unlabelled"
    meaning = corpus.labels[label]
    return label if label == meaning else f"{label} ({meaning})"


def _cell(found: int, expected: int | None) -> str:
    if expected is None:
        return str(found)
    return f"{found}/{expected}" + ("" if found == expected else f" ({found - expected:+d})")


def _grid(cells: list[str]) -> list[str]:
    """Cells side by side, as many as fit, read line by line."""
    width = max(map(len, cells), default=0) + 3
    across = max(1, (_WIDTH - 4) // width)
    rows = (cells[first : first + across] for first in range(0, len(cells), across))
    return ["    " + "".join(cell.ljust(width) for cell in row).rstrip() for row in rows]


def _first(lines: list[str]) -> Iterator[str]:
    """Some of a report's lines, and how many more there are."""
    for line in lines[:_LISTED]:
        yield from _wrapped(f"    {line}")
    if len(lines) > _LISTED:
        yield f"    and {len(lines) - _LISTED} more"


def _wrapped(line: str) -> list[str]:
    indent = " " * (len(line) - len(line.lstrip()))
    return textwrap.wrap(line, _WIDTH, subsequent_indent=f"{indent}  ", break_long_words=False, break_on_hyphens=False)


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _known() -> str:
    """What there are readers for, and which of them know official counts."""
    counted = [name for name in readers.known() if readers.load(name).expected is not None]
    lines = (f"corpora: {', '.join(readers.known())}", f"with official counts: {', '.join(counted)}")
    return "\n".join(textwrap.fill(line, _WIDTH, subsequent_indent="  ") for line in lines)


@command
def main(arguments: list[str] | None = None) -> int:
    """Inspects corpora; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m data_prep.inspect",
        description=_DESCRIPTION,
        epilog=f"{_EXAMPLES}\n{_known()}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("corpus", nargs="+", metavar="NAME=PATH", help="a corpus and where it lies")
    corpora = corpus_arguments(parser.parse_args(arguments).corpus)
    status = 0
    for number, (name, path) in enumerate(corpora.items()):
        if number:
            print()
        try:
            found = inspect(name, path)
        except InputError as error:  # the other corpora are worth a look all the same
            print(f"error: {error}", file=sys.stderr)
            status = 2
        else:
            print(found, flush=True)
            status = max(status, 0 if found.as_expected else 1)
    return status


if __name__ == "__main__":
    sys.exit(main(None))
