"""A shard: some utterances of a corpus, whose features one worker computes and writes as one Parquet file.

Audio and features exist only in the worker; a description goes in and a few numbers come back. Features are written as
soon as they fill a row group: a worker holds one of those and one utterance. So memory stays bounded however many hours
there are and however long an utterance is, and the same shard gives the same file wherever it is computed.
"""

from __future__ import annotations

import errno
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from itertools import chain
from typing import Any

import numpy as np
import pyarrow as pa

from data_prep import audio, staging
from data_prep import features as feature_types
from data_prep.corpora import Utterance
from data_prep.features import Feature
from data_prep.places import Address, Place, Unreachable, row_groups, within, write_tables
from data_prep.store import ROW_SCHEMA, SCHEMA

UTTERANCES = 256
# Of the features in a row group, a quarter of a gigabyte: a worker holds one, and what Parquet makes of it.
VALUES = 1 << 26
# Hardly a value of the features comes twice, and nobody searches for one: a dictionary and statistics of them would take
# as long as the compression. Their bytes, split by place, compress to less and sooner.
_PARQUET = {
    "compression": "zstd",
    "use_dictionary": ROW_SCHEMA.names,
    "write_statistics": ROW_SCHEMA.names,
    "column_encoding": {"features.list.element": "BYTE_STREAM_SPLIT"},
}
_COLUMNS = [field.name for field in fields(Utterance)]
FULL_DISK = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True, kw_only=True)
class OldRow:
    """A row of the old store, computed with the same recipe, that may serve again.

    Attributes:
        part: the Parquet file it is in.
        number: its row there, of ``rows``.
        values: its columns but ``features``.
    """

    part: Place
    number: int
    rows: int
    values: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Shard:
    """What a worker needs to know.

    Attributes:
        corpus, reader, feature: names.
        root: the folder that the utterances' audio paths start from.
        utterances: at most :data:`UTTERANCES`, by utterance id.
        old: for each of them, the rows of the old store that may have its features.
        part: the Parquet file to write; its folder is there.
    """

    corpus: str
    reader: str
    feature: str
    root: Place
    utterances: tuple[Utterance, ...]
    old: tuple[tuple[OldRow, ...], ...]
    part: Place


@dataclass(frozen=True, kw_only=True)
class Quarantined:
    """An utterance that was left out, and why."""

    corpus: str
    reader: str
    feature: str
    utterance_id: str
    audio: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class ShardResult:
    """What became of a shard.

    Attributes:
        corpus, feature: names.
        seconds: of speech in its rows.
        computed, reused: rows by where their features come from.
        quarantined: the utterances left out.
        unchanged: whether the old store had its file.
        size: bytes of the features that it wrote.
        disk_full: whether its file could not be written for want of space.
        unreachable: why nothing can be read or written at an address; ``None`` if all could be.
    """

    corpus: str
    feature: str
    seconds: float
    computed: int
    reused: int
    quarantined: tuple[Quarantined, ...]
    unchanged: bool
    size: int
    disk_full: bool = False
    unreachable: str | None = None

    @property
    def utterances(self) -> int:
        """How many utterances it had, those left out included."""
        return self.computed + self.reused + len(self.quarantined)


@dataclass
class _Row:
    """A row to write: its features as they were computed, flat, or the old row that has them; ``None`` once written."""

    values: Mapping[str, Any]
    features: np.ndarray | OldRow | None
    reused: bool


def write(shard: Shard) -> ShardResult:
    """Computes what is new in a shard, takes the rest from the old store, and writes the shard's file.

    An utterance that anything at all fails for is quarantined, so that one file never ends the build of the others; only
    a module that cannot be imported is no utterance's fault. Where the old store has exactly these rows in one file,
    that file is linked.
    """
    kind = feature_types.load(shard.feature)  # once: finding it by its name reads a folder
    rows: list[_Row] = []
    quarantined: list[Quarantined] = []
    coming = _rows(shard, kind, rows, quarantined)
    unreachable: str | None = None
    unchanged: Place | None = None
    disk_full = False
    try:
        while _in_place(rows) and next(coming, None):  # of these only the last can hold features
            pass
        unchanged = _unchanged(rows)
        groups = _groups(chain(tuple(rows), coming), kind.dimensions)
        if unchanged is not None:
            staging.link(unchanged, shard.part)
        elif first := next(groups, None):  # where there is nothing to write, there is to be no file
            tables = (_table(group, kind.dimensions) for group in chain([first], groups))
            write_tables(tables, SCHEMA, shard.part, **_PARQUET)
    except Unreachable as error:
        unreachable = str(error)
    except OSError as error:
        if isinstance(shard.part, Address):
            unreachable = f"{shard.part} cannot be written: {str(error).splitlines()[0]}"
        elif error.errno in FULL_DISK:
            disk_full = True
        else:
            raise
    reused = sum(row.reused for row in rows)
    frames = 0 if unchanged is not None else sum(row.values["frames"] for row in rows)
    return ShardResult(
        corpus=shard.corpus,
        feature=shard.feature,
        seconds=sum(row.values["seconds"] for row in rows),
        computed=len(rows) - reused,
        reused=reused,
        quarantined=tuple(quarantined),
        unchanged=unchanged is not None or not rows,
        size=4 * frames * kind.dimensions,
        disk_full=disk_full,
        unreachable=unreachable,
    )


def up_to_date(shard: Shard) -> bool:
    """Whether the old store has exactly these rows in one file: writing the shard is then to link that.

    Every audio file is read for its digest, and nothing is computed.
    """
    rows: list[_Row] = []
    read = lru_cache(maxsize=1)(_read)
    for utterance, old in zip(shard.utterances, shard.old, strict=True):
        try:
            row = _reused(shard, utterance, old, read(within(shard.root, utterance.audio))[1]) if old else None
        except Exception:  # writing the shard says what it is
            return False
        if row is None:
            return False
        rows.append(row)
    return _unchanged(rows) is not None


def _rows(shard: Shard, kind: Feature, rows: list[_Row], quarantined: list[Quarantined]) -> Iterator[_Row]:
    """The rows of a shard one after another, each noted in ``rows``; what is left out is noted in ``quarantined``."""
    read = lru_cache(maxsize=1)(_read)  # utterances that are parts of one file follow one another
    for utterance, old in zip(shard.utterances, shard.old, strict=True):
        try:
            row = _row(shard, kind, utterance, old, *read(within(shard.root, utterance.audio)))
        except (ImportError, Unreachable):
            raise
        except Exception as error:
            names = {"corpus": shard.corpus, "reader": shard.reader, "feature": shard.feature}
            left_out = {"utterance_id": utterance.utterance_id, "audio": utterance.audio, "reason": _reason(error)}
            quarantined.append(Quarantined(**names, **left_out))
        else:
            rows.append(row)
            yield row


def _reason(error: Exception) -> str:
    """One line; an error that nobody foresaw may be the program's own and shows its type."""
    if isinstance(error, audio.UnusableAudio):
        return str(error)
    return ": ".join([type(error).__name__, *str(error).strip().splitlines()[:1]])


def _read(file: Place) -> tuple[bytes, str]:
    """The content of an audio file and its digest."""
    content = audio.read(file)
    return content, audio.digest(content)


def _row(shard: Shard, kind: Feature, utterance: Utterance, old: Sequence[OldRow], content: bytes, digest: str) -> _Row:
    if (reused := _reused(shard, utterance, old, digest)) is not None:
        return reused
    features, seconds = _compute(shard.feature, kind, content, utterance)
    values = _values(shard, utterance, digest)
    return _Row({**values, "seconds": seconds, "frames": len(features)}, features.reshape(-1), reused=False)


def _reused(shard: Shard, utterance: Utterance, old: Sequence[OldRow], digest: str) -> _Row | None:
    """An utterance's row with the features of an old one of the same audio, if there is one."""
    same = (digest, utterance.start, utterance.end)
    for row in old:
        if (row.values["audio_sha256"], row.values["start"], row.values["end"]) == same:
            kept = {name: row.values[name] for name in ("seconds", "frames")}
            return _Row({**_values(shard, utterance, digest), **kept}, row, reused=True)
    return None


def _values(shard: Shard, utterance: Utterance, digest: str) -> dict[str, Any]:
    return {name: getattr(utterance, name) for name in _COLUMNS} | {"reader": shard.reader, "audio_sha256": digest}


def _compute(feature: str, kind: Feature, content: bytes, utterance: Utterance) -> tuple[np.ndarray, float]:
    if "torch" in kind.libraries:  # others do without what takes a second and 200 MB to import
        import torch

        torch.set_num_threads(1)  # a worker has one core
    waveform, seconds = audio.decode(content, kind.sample_rate, utterance.start, utterance.end)
    features = kind.compute(waveform)
    if len(features) == 0:
        raise audio.UnusableAudio(f"{seconds * 1000:.0f} ms are too short for one frame of {feature}")
    if not np.isfinite(features).all():
        raise audio.UnusableAudio(f"its {feature} has values that are not finite")
    assert features.shape[1] == kind.dimensions, f"{feature} gives {features.shape[1]} values a frame"
    return features.astype(np.float32, copy=False), seconds


def _unchanged(rows: Sequence[_Row]) -> Place | None:
    """The old file that holds exactly these rows, if there is one."""
    first = rows[0].features if rows else None
    if not isinstance(first, OldRow) or first.rows != len(rows):
        return None
    return first.part if all(_in_place(rows, number) for number in range(len(rows))) else None


def _in_place(rows: Sequence[_Row], number: int = -1) -> bool:
    """Whether the row of that number, or the last, is where it was in the old file of the first; true where there is none."""
    if not rows:
        return True
    first, row = rows[0].features, rows[number]
    place = number % len(rows)
    if not isinstance(first, OldRow) or not isinstance(row.features, OldRow):
        return False
    return (row.features.part, row.features.number, row.features.values) == (first.part, place, row.values)


def _groups(rows: Iterable[_Row], dimensions: int) -> Iterator[list[_Row]]:
    """The rows in pieces of at most :data:`VALUES` values: one piece, unless utterances are very long."""
    group: list[_Row] = []
    values = 0
    for row in rows:
        size = row.values["frames"] * dimensions
        if values + size > VALUES and group:
            yield group
            group, values = [], 0
        group.append(row)
        values += size
    if group:
        yield group


def _table(rows: Sequence[_Row], dimensions: int) -> pa.Table:
    """The rows as they are written. Each lets go of its features as they are taken over."""
    columns = [pa.array([row.values[name] for row in rows], ROW_SCHEMA.field(name).type) for name in ROW_SCHEMA.names]
    ends = np.cumsum([0, *(row.values["frames"] * dimensions for row in rows)])
    features = np.empty(ends[-1], np.float32)
    lent = defaultdict(list)
    for row, first, last in zip(rows, ends, ends[1:], strict=False):
        given, row.features = row.features, None
        if isinstance(given, OldRow):
            lent[given.part].append((given, features[first:last]))
        else:
            features[first:last] = given
    for part, wanted in lent.items():
        _lend(part, wanted)
    lists = pa.ListArray.from_arrays(pa.array(ends, pa.int32()), pa.array(features, pa.float32()))
    return pa.Table.from_arrays([*columns, lists], schema=SCHEMA)


def _lend(part: Place, wanted: Sequence[tuple[OldRow, np.ndarray]]) -> None:
    """Puts features of the old store's file where they are wanted. Each of its row groups is read once and let go."""
    for numbers, read in row_groups(part, ["utterance_id", "audio_sha256", "features"]):
        if here := [(row, place) for row, place in wanted if row.number in numbers]:
            _copy(read(), numbers.start, here)


def _copy(group: pa.Table, first: int, wanted: Sequence[tuple[OldRow, np.ndarray]]) -> None:
    for row, place in wanted:
        held = group.slice(row.number - first, 1)
        for name in ("utterance_id", "audio_sha256"):
            assert held[name][0].as_py() == row.values[name], f"row {row.number} of {row.part} is another utterance"
        place[:] = held["features"].combine_chunks().flatten().to_numpy()
