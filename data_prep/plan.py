"""What a build has to do: which shards of which corpora, and what the old store may lend to them."""

from __future__ import annotations

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from data_prep import audio
from data_prep import corpora as readers
from data_prep import features as feature_types
from data_prep.corpora import LeftOut, Utterance
from data_prep.errors import InputError, nearest_first
from data_prep.mirror import mirrored
from data_prep.places import Address, Place, Unreachable, place, read_table, within
from data_prep.recipes import recipe
from data_prep.shards import UTTERANCES, OldRow, Shard
from data_prep.store import ROW_SCHEMA, Store, folder, parts

NOTICE = "DEMO_CORPUS.txt"
"""A file of this name, in a corpus's folder or beside it, says that the corpus is synthetic."""

# Columns that say where something is or follow from the rest: they are no content of their own.
_NOT_CONTENT = ("audio", "seconds", "frames")


@dataclass(frozen=True, kw_only=True)
class Job:
    """One feature of one corpus.

    Attributes:
        corpus, feature, reader: names.
        root: the corpus's folder, or the CSV file of a manifest.
        utterances: all of the corpus, by utterance id.
        left_out: what is in ``root`` and cannot be an utterance.
    """

    corpus: str
    feature: str
    reader: str
    root: Place
    utterances: tuple[Utterance, ...]
    left_out: tuple[LeftOut, ...] = ()

    @property
    def demo(self) -> bool:
        """Whether the corpus says that it is synthetic."""
        return any((place / NOTICE).exists() for place in (self.root, self.root.parent))

    def shards(self, old: Store | None, content: Place) -> list[Shard]:
        """The shards that make it in the new store ``content``, and the folder that they write to."""
        target = folder(content, self.feature, self.corpus)
        target.mkdir(parents=True)
        rows = [] if old is None else _old_rows(old, self)
        by_id, by_place = defaultdict(list), defaultdict(list)
        for row in rows:
            by_id[row.values["utterance_id"]].append(row)
            by_place[row.values["audio"], row.values["start"], row.values["end"]].append(row)

        def lent(utterance: Utterance) -> tuple[OldRow, ...]:
            place = (utterance.audio, utterance.start, utterance.end)
            return (*by_id.get(utterance.utterance_id, ()), *by_place.get(place, ()))

        return [
            Shard(
                corpus=self.corpus,
                reader=self.reader,
                feature=self.feature,
                root=self.root if self.root.is_dir() else self.root.parent,
                utterances=self.utterances[first : first + UTTERANCES],
                old=tuple(lent(utterance) for utterance in self.utterances[first : first + UTTERANCES]),
                part=target / f"part-{number:05d}.parquet",
            )
            for number, first in enumerate(range(0, len(self.utterances), UTTERANCES))
        ]


def jobs(corpora: Mapping[str, Place], features: Sequence[str]) -> list[Job]:
    """Reads the corpora; every feature of every one of them.

    Raises:
        InputError: a name is unknown, or a path is not that corpus.
    """
    for feature in features:
        feature_types.load(feature)
    kinds = {name: reader_of(name, path) for name, path in corpora.items()}
    read = {name: corpus_at(kinds[name], path) for name, path in corpora.items()}
    return [
        Job(
            corpus=name,
            feature=feature,
            reader=kinds[name],
            root=path.resolve(),
            utterances=read[name][0],
            left_out=read[name][1],
        )
        for feature in dict.fromkeys(features)
        for name, path in corpora.items()
    ]


def corpus_at(reader: str, root: Place) -> tuple[tuple[Utterance, ...], tuple[LeftOut, ...]]:
    """All utterances of a corpus, wherever it lies, by utterance id, and what is left out; copies are not among that.

    Raises:
        InputError: as :func:`data_prep.corpora.sift`; or nothing answers at its address.
    """
    utterances, left_out = _read(reader, root)
    try:
        with ThreadPoolExecutor(16) as pool:
            copies = list(pool.map(lambda one: _is_copy(root, one), left_out))
    except Unreachable as error:
        raise InputError(str(error)) from error
    return tuple(utterances), tuple(one for one, copy in zip(left_out, copies, strict=True) if not copy)


def _read(reader: str, root: Place) -> tuple[list[Utterance], list[LeftOut]]:
    """What is wrong with a corpus at an address is said of the address."""
    if not isinstance(root, Address):
        return readers.sift(reader, root)
    with mirrored(reader, root) as copy:
        try:
            return readers.sift(reader, copy)
        except InputError as error:
            raise InputError(str(error).replace(str(copy), str(root))) from error


def _is_copy(root: Place, one: LeftOut) -> bool:
    """Whether a file holds the same bytes as the one that was taken in its place."""
    if one.taken is None:
        return False
    try:
        return audio.read(within(root, one.audio)) == audio.read(within(root, one.taken))
    except audio.UnusableAudio:
        return False


def corpus_argument(text: str) -> tuple[str, Place]:
    """Name and path of ``NAME=PATH``.

    Raises:
        InputError: it is not that, or no corpus can have that name.
    """
    name, _, path = text.partition("=")
    if not name or not path:
        raise InputError(f"{text!r} must be NAME=PATH, such as emodb=/data/emodb")
    reader_of(name, place(path))
    return name, place(path)


def corpus_arguments(texts: Iterable[str]) -> dict[str, Place]:
    """The corpora of several ``NAME=PATH``, by name.

    Raises:
        InputError: one is not that, no corpus can have that name, or a name is given twice.
    """
    corpora: dict[str, Place] = {}
    for name, path in map(corpus_argument, texts):
        if name in corpora:
            raise InputError(f"corpus {name} is given twice: {corpora[name]} and {path}")
        corpora[name] = path
    return corpora


def reader_of(name: str, path: Place) -> str:
    """The reader of a corpus called ``name`` at ``path``: the one of that name, or ``manifest`` for a CSV file.

    Raises:
        InputError: there is none, or the name cannot be a folder's.
    """
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_.-]{0,99}", name):
        raise InputError(f"corpus name {name!r} must be letters, digits, '_', '-' and '.', and begin with a letter")
    if path.suffix.lower() == ".csv":
        return "manifest"
    if name not in readers.known():
        raise InputError(
            f"unknown corpus {name!r}; known, nearest first: {', '.join(nearest_first(name, readers.known()))}; "
            f"any other comes as a manifest: {name}=PATH.csv"
        )
    return name


def fingerprint(rows: pa.Table, made_with: Mapping[str, Any]) -> str:
    """Hex digest of a corpus's rows, without its features: they follow from the audio's digests and the recipe.

    Versions of libraries do not count: a run on torch 2.11.0+cpu is of the same data as one on 2.11.0.
    """
    settings = {name: value for name, value in made_with.items() if name != "libraries"}
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    for row in rows.drop_columns(list(_NOT_CONTENT)).to_pylist():
        digest.update(json.dumps(row, sort_keys=True).encode() + b"\n")
    return digest.hexdigest()


def _old_rows(old: Store, job: Job) -> list[OldRow]:
    """The old store's rows of a corpus that were made with today's recipe, to the version of every library."""
    entry = old.entries.get(job.feature, {}).get(job.corpus)
    if entry is None or entry.recipe != recipe(job.feature):
        return []
    found = []
    for part in parts(old.files, job.feature, job.corpus):
        try:
            rows = read_table(part, columns=ROW_SCHEMA.names, partitioning=None).to_pylist()
        except (OSError, pa.ArrowException):
            continue  # damaged: what was in it is computed again
        found += [OldRow(part=part, number=number, rows=len(rows), values=row) for number, row in enumerate(rows)]
    return found
