"""A shard: some utterances of a corpus, whose features one worker computes and writes as one Parquet file.

Audio and features exist only in the worker, one shard at a time; a description goes in and a few numbers come back. So
memory stays bounded however many hours there are, and the same shard gives the same file wherever it is computed.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa

from data_prep import audio, staging
from data_prep import features as feature_types
from data_prep.corpora import Utterance
from data_prep.features import Feature
from data_prep.places import Address, Place, Unreachable, read_table, within, write_tables
from data_prep.store import ROW_SCHEMA, SCHEMA

UTTERANCES = 256
VALUES = 1 << 28  # of the features in a row group, a gigabyte; Arrow counts them in 31 bits
NO_LABEL = "the corpus's label files do not list it"
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


@dataclass(frozen=True)
class _Row:
    """A row to write: its features as they were computed, flat, or the old row that has them."""

    values: Mapping[str, Any]
    features: np.ndarray | OldRow


def write(shard: Shard) -> ShardResult:
    """Computes what is new in a shard, takes the rest from the old store, and writes the shard's file.

    An utterance that anything at all fails for is quarantined, so that one file never ends the build of the others; only
    a module that cannot be imported is no utterance's fault. Where the old store has exactly these rows in one file,
    that file is linked.
    """
    kind = feature_types.load(shard.feature)  # once: finding it by its name reads a folder
    rows: list[_Row] = []
    quarantined: list[Quarantined] = []
    read = lru_cache(maxsize=1)(_read)  # utterances that are parts of one file follow one another
    unreachable: str | None = None
    for utterance, old in zip(shard.utterances, shard.old, strict=True):
        try:
            rows.append(_row(shard, kind, utterance, old, *read(within(shard.root, utterance.audio))))
        except ImportError:
            raise
        except Unreachable as error:
            unreachable = str(error)
            break
        except Exception as error:
            names = {"corpus": shard.corpus, "reader": shard.reader, "feature": shard.feature}
            left_out = {"utterance_id": utterance.utterance_id, "audio": utterance.audio, "reason": _reason(error)}
            quarantined.append(Quarantined(**names, **left_out))
    unchanged = _unchanged(rows)
    disk_full = False
    try:
        if unreachable is not None:
            pass
        elif unchanged is not None:
            staging.link(unchanged, shard.part)
        elif rows:
            groups = _groups(rows, kind.dimensions)
            write_tables((_table(group) for group in groups), SCHEMA, shard.part, **_PARQUET)
    except OSError as error:
        if isinstance(shard.part, Address):
            unreachable = f"{shard.part} cannot be written: {str(error).splitlines()[0]}"
        elif error.errno in FULL_DISK:
            disk_full = True
        else:
            raise
    reused = sum(isinstance(row.features, OldRow) for row in rows)
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
    return _Row({**values, "seconds": seconds, "frames": len(features)}, features.reshape(-1))


def _reused(shard: Shard, utterance: Utterance, old: Sequence[OldRow], digest: str) -> _Row | None:
    """An utterance's row with the features of an old one of the same audio, if there is one."""
    same = (digest, utterance.start, utterance.end)
    for row in old:
        if (row.values["audio_sha256"], row.values["start"], row.values["end"]) == same:
            kept = {name: row.values[name] for name in ("seconds", "frames")}
            return _Row({**_values(shard, utterance, digest), **kept}, row)
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
    for number, row in enumerate(rows):
        old = row.features
        if not isinstance(old, OldRow) or (old.part, old.number, old.values) != (first.part, number, row.values):
            return None
    return first.part


def _groups(rows: Sequence[_Row], dimensions: int) -> Iterator[Sequence[_Row]]:
    """The rows in pieces of at most :data:`VALUES` values: one piece, unless utterances are very long."""
    first, values = 0, 0
    for number, row in enumerate(rows):
        values += row.values["frames"] * dimensions
        if values > VALUES and number > first:
            yield rows[first:number]
            first, values = number, row.values["frames"] * dimensions
    yield rows[first:]


def _table(rows: Sequence[_Row]) -> pa.Table:
    columns = [pa.array([row.values[name] for row in rows], ROW_SCHEMA.field(name).type) for name in ROW_SCHEMA.names]
    old = _OldFeatures()
    features = [old.of(row.features) if isinstance(row.features, OldRow) else row.features for row in rows]
    offsets = pa.array(np.cumsum([0, *map(len, features)]), pa.int32())
    lists = pa.ListArray.from_arrays(offsets, pa.array(np.concatenate(features), pa.float32()))
    return pa.Table.from_arrays([*columns, lists], schema=SCHEMA)


class _OldFeatures:
    """Features of the old store's rows; each of its files is read once."""

    def __init__(self) -> None:
        self._tables: dict[Place, pa.Table] = {}

    def of(self, row: OldRow) -> np.ndarray:
        """The features of a row, flat."""
        if row.part not in self._tables:
            columns = ["utterance_id", "audio_sha256", "features"]
            self._tables[row.part] = read_table(row.part, columns=columns, partitioning=None)
        held = self._tables[row.part].slice(row.number, 1)
        for name in ("utterance_id", "audio_sha256"):
            assert held[name][0].as_py() == row.values[name], f"row {row.number} of {row.part} is another utterance"
        return held["features"].combine_chunks().flatten().to_numpy()
