"""A task's utterances out of the feature store: those that its label scheme has a class for, cut to their length."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from data_prep import labels, splits
from data_prep.errors import InputError
from data_prep.features import Length
from trainables.config import TaskConfig
from trainables.data import Domain, TaskData, length_of

if TYPE_CHECKING:
    from data_prep.store import Store


def load_task(store: Store, task: TaskConfig) -> TaskData:
    """Everything of a task that is in the store.

    Raises:
        InputError: a corpus or feature is not in the store, the protocol is not one for these corpora, source and
            target share a recording, or one has no utterance of one of the scheme's classes.
    """
    protocol, classes = splits.load(task.protocol), labels.load(task.scheme).classes
    protocol.check(task.sources, task.targets)
    sources = store.load(task.feature, task.sources)
    labelled = protocol.selection != "none"
    source = target = _domain(sources, task, labelled)
    if not protocol.within:
        targets = store.load(task.feature, task.targets)
        _check_apart(sources, targets, task)
        target = _domain(targets, task, labelled)
    for side, domain, names in (("source", source, task.sources), ("target", target, task.targets)):
        missing = [name for number, name in enumerate(classes) if not (domain.labels == number).any()]
        if missing and labelled:
            raise InputError(
                f"{'+'.join(names)} has no utterance of class {', '.join(missing)}, which scheme {task.scheme} needs "
                f"in the {side}"
            )
    return TaskData(source, target, classes)


def load_tasks(store: Store, tasks: Iterable[TaskConfig]) -> dict[TaskConfig, TaskData]:
    """The data of several tasks; those that differ only in who may see what share it in memory.

    Raises:
        InputError: as :func:`load_task`.
    """
    loaded: dict[tuple[Any, ...], TaskData] = {}
    by_task = {}
    for task in tasks:
        protocol = splits.load(task.protocol)
        targets = () if protocol.within else task.targets  # they are of the source, and chosen from it by the split
        same = (task.sources, targets, task.scheme, task.feature, protocol.within, protocol.selection == "none")
        if same not in loaded:
            loaded[same] = load_task(store, task)
        by_task[task] = loaded[same]
    return by_task


def _check_apart(source: pa.Table, target: pa.Table, task: TaskConfig) -> None:
    """No recording may be both trained and tested on, under whatever names its corpora go."""
    trained_on = set(_recordings(source))
    shared = [
        id
        for recording, id in zip(_recordings(target), target["utterance_id"].to_pylist(), strict=True)
        if recording in trained_on
    ]
    if shared:
        raise InputError(
            f"{len(shared)} recordings of the target {'+'.join(task.targets)} are in the source "
            f"{'+'.join(task.sources)} too ({shared[0]} is the first): what is tested on would be trained on"
        )


def _recordings(table: pa.Table) -> list[str]:
    """What each row's audio is: the file's content, and where in it."""
    columns = (table[name].to_pylist() for name in ("audio_sha256", "start", "end"))
    return [f"{digest} {start} {end}" for digest, start, end in zip(*columns, strict=True)]


def _domain(table: pa.Table, task: TaskConfig, labelled: bool) -> Domain:
    """The utterances of a table that the scheme has a class for; without ``labelled`` all of them, with class -1."""
    scheme = labels.load(task.scheme)
    columns = (table[name].to_pylist() for name in ("reader", "emotion", "arousal", "valence"))
    classes = [
        scheme.target(reader, emotion, arousal=arousal, valence=valence)
        for reader, emotion, arousal, valence in zip(*columns, strict=True)
    ]
    if not labelled:
        classes = [-1] * len(table)
    kept = table.filter(pa.array([number is not None for number in classes], pa.bool_()))
    names = kept["corpus"].to_pylist()
    frames = kept["frames"].to_numpy()
    # flatten() honours the offsets of a filtered list array, as its .values would not.
    flat = pa.chunked_array([chunk.flatten() for chunk in kept["features"].chunks], pa.float32()).to_numpy()
    values = flat.reshape(int(frames.sum()), -1) if len(kept) else np.zeros((0, 1), np.float32)
    starts = np.concatenate([[0], np.cumsum(frames)]).astype(np.int64)
    if (length := length_of(task)) is not None and len(kept):
        values, starts = of_length(values, starts, length)
    return Domain(
        values=values,
        starts=starts,
        corpora=tuple(names),
        utterances=tuple(f"{corpus}/{id}" for corpus, id in zip(names, kept["utterance_id"].to_pylist(), strict=True)),
        speakers=tuple(f"{corpus}/{who}" for corpus, who in zip(names, kept["speaker"].to_pylist(), strict=True)),
        labels=np.array([number for number in classes if number is not None], dtype=np.int64),
        genders=tuple(kept["gender"].to_pylist()),
        languages=tuple(kept["language"].to_pylist()),
        partitions=tuple(kept["split"].to_pylist()),
        recordings=tuple(_recordings(kept)),
    )


def of_length(values: np.ndarray, starts: np.ndarray, length: Length) -> tuple[np.ndarray, np.ndarray]:
    """Utterances cut, and where a feature's paper pads with the minimum padded, to one length.

    Zeros are not padded here but in the batch, after standardisation: a zero before it would be any number after it,
    and would count in the statistics. The minimum is padded before it, and so counts in them: dann.txt pads where it
    describes the features (3.3), standardises where it describes the training (4.1), and does not say that the
    statistics leave the padding out.

    Args:
        values: float32 of shape (frames of all utterances, dimensions), one utterance of 1 frame or more after another.
        starts: int64 of shape (utterances + 1,), as in :class:`Domain`.
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
    if length.padding == "zeros":
        return kept, np.concatenate([[0], np.cumsum(counts)])
    padded = np.repeat(np.minimum.reduceat(values, starts[:-1])[:, None], length.frames, axis=1)
    padded[np.arange(length.frames) < counts[:, None]] = kept
    return padded.reshape(-1, values.shape[1]), np.arange(len(starts)) * length.frames
