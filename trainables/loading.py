"""A task's utterances out of the feature store: those that its label scheme has a class for, cut to their length."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa

from data_prep import features, labels, splits
from data_prep.errors import InputError
from data_prep.features import Length
from data_prep.splits import Protocol
from trainables.config import TaskConfig
from trainables.data import Domain, TaskData, length_of
from trainables.ragged import of_length, starts_of, values_of
from trainables.streamed import Streamed

if TYPE_CHECKING:
    from data_prep.store import Store


@dataclass(frozen=True)
class Room:
    """How much of features is held in memory, and what becomes of the rest.

    Attributes:
        bytes: that there may be in memory.
        folder: where the others are kept (:class:`~trainables.streamed.Streamed`).
        say: is told which those are.
    """

    bytes: int
    folder: Path
    say: Callable[[str], None]


class _Side(NamedTuple):
    """What the utterances of one side of a task depend on: tasks that have it in common share them."""

    feature: str
    corpora: tuple[str, ...]
    scheme: str
    length: Length | None
    labelled: bool


class _Loaded(NamedTuple):
    """A side's utterances, and of all rows of its corpora which recordings they are, and their ids."""

    domain: Domain
    recordings: Sequence[str]
    utterances: Sequence[str]


def load_task(store: Store, task: TaskConfig, room: Room | None = None) -> TaskData:
    """Everything of a task that is in the store.

    Args:
        store: with its features.
        task: whose data.
        room: what features have; ``None`` for all of memory.

    Raises:
        InputError: a corpus or feature is not in the store, the protocol is not one for these corpora, source and
            target share a recording, or one has no utterance of one of the scheme's classes.
    """
    return load_tasks(store, [task], room)[task]


def load_tasks(store: Store, tasks: Iterable[TaskConfig], room: Room | None = None) -> dict[TaskConfig, TaskData]:
    """The data of several tasks; sides of theirs that are the same are there once.

    Raises:
        InputError: as :func:`load_task`.
    """
    sides = {task: _sides(task) for task in tasks}
    every = list(dict.fromkeys(side for both in sides.values() for side in both))
    streamed = set() if room is None else _too_large(store, every, room)
    loaded = {side: _load(store, side, room.folder if room and side in streamed else None) for side in every}
    by_sides: dict[tuple[_Side, _Side], TaskData] = {}
    for task, both in sides.items():
        if both not in by_sides:
            source, target = loaded[both[0]], loaded[both[1]]
            if source is not target:
                _check_apart(source, target, task)
            by_sides[both] = TaskData(source.domain, target.domain, labels.load(task.scheme).classes)
            _check_classes(by_sides[both], task)
    return {task: by_sides[both] for task, both in sides.items()}


def stream(tasks: Iterable[TaskData]) -> None:
    """Streams from the store what of these tasks is not held in memory, where it has not been before.

    Raises:
        InputError: as :meth:`trainables.streamed.Streamed.write`.
    """
    for task in tasks:
        for values in (task.source.values, task.target.values):
            if isinstance(values, Streamed):
                values.write()


def _sides(task: TaskConfig) -> tuple[_Side, _Side]:
    """Source and target: the same where a protocol chooses the target from the source by the split."""
    protocol = splits.load(task.protocol)
    protocol.check(task.sources, task.targets)
    source, target = (
        _Side(task.feature, tuple(dict.fromkeys(corpora)), task.scheme, length_of(task), _has_labels(protocol))
        for corpora in (task.sources, task.targets)
    )
    return source, source if protocol.within else target


def _has_labels(protocol: Protocol) -> bool:
    return protocol.selection != "none"


def _too_large(store: Store, sides: Iterable[_Side], room: Room) -> set[_Side]:
    """Those that do not fit into what the smaller ones leave of the memory."""
    sizes = {side: _bytes(store, side) for side in sides}
    left, found = room.bytes, set()
    for side in sorted(sizes, key=lambda side: sizes[side]):
        if sizes[side] <= left:
            left -= sizes[side]
        else:
            found.add(side)
            room.say(
                f"{side.feature} of {'+'.join(side.corpora)}: {sizes[side] / 2**30:.3g} GiB do not fit into "
                f"{left / 2**30:.3g} GiB of memory: streamed from the store, kept in {room.folder}"
            )
    return found


def _bytes(store: Store, side: _Side) -> int:
    """What a side takes while it is loaded, by what the manifest says of its corpora."""
    shift, whole = features.load(side.feature).frame_shift, 0.0
    for entry in (store.entry(side.feature, corpus) for corpus in side.corpora):
        frames = entry.utterances if shift is None else entry.seconds / shift
        if side.length is not None and side.length.padding == "minimum":
            frames = max(frames, entry.utterances * side.length.frames)
        whole += frames * entry.recipe["dimensions"] * np.dtype(np.float32).itemsize
    return int(whole)


def _check_classes(data: TaskData, task: TaskConfig) -> None:
    """Each side has utterances of all classes, where the protocol has labels at all."""
    if not _has_labels(splits.load(task.protocol)):
        return
    for side, domain, names in (("source", data.source, task.sources), ("target", data.target, task.targets)):
        missing = [name for number, name in enumerate(data.classes) if not (domain.labels == number).any()]
        if missing:
            raise InputError(
                f"{'+'.join(names)} has no utterance of class {', '.join(missing)}, which scheme {task.scheme} needs "
                f"in the {side}"
            )


def _check_apart(source: _Loaded, target: _Loaded, task: TaskConfig) -> None:
    """No recording may be both trained and tested on, under whatever names its corpora go."""
    trained_on = set(source.recordings)
    shared = [id for recording, id in zip(target.recordings, target.utterances, strict=True) if recording in trained_on]
    if shared:
        raise InputError(
            f"{len(shared)} recordings of the target {'+'.join(task.targets)} are in the source "
            f"{'+'.join(task.sources)} too ({shared[0]} is the first): what is tested on would be trained on"
        )


def _recordings(table: pa.Table) -> list[str]:
    """What each row's audio is: the file's content, and where in it."""
    columns = (table[name].to_pylist() for name in ("audio_sha256", "start", "end"))
    return [f"{digest} {start} {end}" for digest, start, end in zip(*columns, strict=True)]


def _load(store: Store, side: _Side, folder: Path | None) -> _Loaded:
    """A side's utterances; with a ``folder``, their features are kept there."""
    if folder is None:
        table = store.load(side.feature, side.corpora)
    else:
        table = store.load(side.feature, side.corpora, values=False)
    classes = _classes(table, side)
    kept = table.filter(pa.array([number is not None for number in classes], pa.bool_()))
    names = kept["corpus"].to_pylist()
    utterances = tuple(f"{corpus}/{id}" for corpus, id in zip(names, kept["utterance_id"].to_pylist(), strict=True))
    starts = starts_of(kept["frames"].to_numpy(), side.length)
    domain = Domain(
        values=_in_memory(kept, side.length)
        if folder is None
        else Streamed(folder, store, side.feature, side.corpora, side.length, utterances, starts),
        starts=starts,
        corpora=tuple(names),
        utterances=utterances,
        speakers=tuple(f"{corpus}/{who}" for corpus, who in zip(names, kept["speaker"].to_pylist(), strict=True)),
        labels=np.array([number for number in classes if number is not None], dtype=np.int64),
        genders=tuple(kept["gender"].to_pylist()),
        languages=tuple(kept["language"].to_pylist()),
        partitions=tuple(kept["split"].to_pylist()),
        recordings=tuple(_recordings(kept)),
    )
    return _Loaded(domain, _recordings(table), table["utterance_id"].to_pylist())


def _in_memory(table: pa.Table, length: Length | None) -> np.ndarray:
    values = values_of(table)
    if length is None or not len(table):
        return values
    return of_length(values, starts_of(table["frames"].to_numpy(), None), length)[0]


def _classes(table: pa.Table, side: _Side) -> list[int | None]:
    """The class number of each row that the scheme has a class for; without labels -1 of all of them."""
    if not side.labelled:
        return [-1] * len(table)
    scheme = labels.load(side.scheme)
    columns = (table[name].to_pylist() for name in ("reader", "emotion", "arousal", "valence"))
    return [
        scheme.target(reader, emotion, arousal=arousal, valence=valence)
        for reader, emotion, arousal, valence in zip(*columns, strict=True)
    ]
