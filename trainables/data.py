"""A task's data, and the firewall that keeps the target's labels from training.

:class:`TaskData` is what a node's workers share: every utterance of the task once, ragged and raw. A trial draws its
split from it and parts it in two: :class:`Granted`, which the loop trains on and in which no target label is, and
:class:`Evaluator`, which alone holds them and is asked once, with the selected checkpoint.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from data_prep import labels, splits
from data_prep.errors import InputError
from data_prep.splits import Protocol, Split
from trainables.config import TaskConfig
from trainables.metrics import Scores, score
from trainables.streams import stream

if TYPE_CHECKING:
    from data_prep.store import Store


_DRAWS = 100


@dataclass(frozen=True)
class Domain:
    """The utterances of one side of a task that its label scheme has a class for.

    Attributes:
        values: float32 of shape (frames of all utterances, dimensions), one utterance after another.
        starts: int64 of shape (utterances + 1,): utterance i is ``values[starts[i]:starts[i + 1]]``.
        corpora: the corpus of each utterance.
        utterances: ``corpus/utterance id`` of each utterance.
        speakers: ``corpus/speaker`` of each utterance.
        labels: class numbers, int64 of shape (utterances,).
    """

    values: np.ndarray
    starts: np.ndarray
    corpora: tuple[str, ...]
    utterances: tuple[str, ...]
    speakers: tuple[str, ...]
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def longest(self) -> int:
        """Frames of the longest utterance."""
        return int(np.diff(self.starts).max())


@dataclass(frozen=True)
class TaskData:
    """Source and target of a task, and the names of its classes."""

    source: Domain
    target: Domain
    classes: tuple[str, ...]


@dataclass(frozen=True)
class Granted:
    """What a trial's protocol lets training see.

    Attributes:
        source: the source with its labels.
        split: who is what.
        target: the target *without* labels: its ``labels`` are all -1.
        classes: names of the classes.
        frames: what every utterance is padded or cut to.
        normalisation: whose statistics standardise (:class:`~data_prep.splits.Protocol`).
    """

    source: Domain
    target: Domain
    split: Split
    classes: tuple[str, ...]
    frames: int
    normalisation: str


@dataclass(frozen=True)
class Evaluator:
    """The keeper of the target's test labels."""

    _labels: np.ndarray
    _classes: int

    def score(self, predicted: np.ndarray) -> Scores:
        """Scores of the test set's predicted class numbers, int64 of shape (test utterances,)."""
        return score(self._labels, predicted, self._classes)


def load_task(store: Store, task: TaskConfig) -> TaskData:
    """Everything of a task that is in the store.

    Raises:
        InputError: a corpus or feature is not in the store, source and target share a recording, or one has no
            utterance of one of the scheme's classes.
    """
    classes = labels.load(task.scheme).classes
    sources, targets = store.load(task.feature, task.sources), store.load(task.feature, task.targets)
    _check_apart(sources, targets, task)
    source, target = _domain(sources, task), _domain(targets, task)
    for side, domain, names in (("source", source, task.sources), ("target", target, task.targets)):
        missing = [name for number, name in enumerate(classes) if not (domain.labels == number).any()]
        if missing:
            raise InputError(
                f"{'+'.join(names)} has no utterance of class {', '.join(missing)}, which scheme {task.scheme} needs "
                f"in the {side}"
            )
    return TaskData(source, target, classes)


def _check_apart(source: pa.Table, target: pa.Table, task: TaskConfig) -> None:
    """No recording may be both trained and tested on, under whatever names its corpora go."""

    def clips(table: pa.Table) -> list[tuple[Any, ...]]:
        return list(zip(*(table[name].to_pylist() for name in ("audio_sha256", "start", "end")), strict=True))

    trained_on = set(clips(source))
    shared = [
        id for clip, id in zip(clips(target), target["utterance_id"].to_pylist(), strict=True) if clip in trained_on
    ]
    if shared:
        raise InputError(
            f"{len(shared)} recordings of the target {'+'.join(task.targets)} are in the source "
            f"{'+'.join(task.sources)} too ({shared[0]} is the first): what is tested on would be trained on"
        )


def _domain(table: pa.Table, task: TaskConfig) -> Domain:
    scheme = labels.load(task.scheme)
    classes = [
        scheme.target(reader, emotion)
        for reader, emotion in zip(table["reader"].to_pylist(), table["emotion"].to_pylist(), strict=True)
    ]
    kept = table.filter(pa.array([number is not None for number in classes], pa.bool_()))
    names = kept["corpus"].to_pylist()
    frames = kept["frames"].to_numpy()
    # flatten() honours the offsets of a filtered list array, as its .values would not.
    features = pa.chunked_array([chunk.flatten() for chunk in kept["features"].chunks], pa.float32()).to_numpy()
    return Domain(
        values=features.reshape(int(frames.sum()), -1) if len(kept) else np.zeros((0, 1), np.float32),
        starts=np.concatenate([[0], np.cumsum(frames)]).astype(np.int64),
        corpora=tuple(names),
        utterances=tuple(f"{corpus}/{id}" for corpus, id in zip(names, kept["utterance_id"].to_pylist(), strict=True)),
        speakers=tuple(f"{corpus}/{who}" for corpus, who in zip(names, kept["speaker"].to_pylist(), strict=True)),
        labels=np.array([number for number in classes if number is not None], dtype=np.int64),
    )


def draw(data: TaskData, task: TaskConfig, seed: int) -> tuple[Granted, Evaluator]:
    """What a run of this seed trains on, and what it is tested with: its protocol's split, parted by :func:`grant`.

    A split that leaves a class out of the training or the validation part, as can happen in a small corpus, is drawn
    again from the same stream. Only the source's labels say so, which every protocol grants.

    Raises:
        InputError: a class is missing from a part in every one of many draws.
    """
    protocol, numbers = splits.load(task.protocol), stream(seed, "split")
    for _ in range(_DRAWS):
        split = protocol.split(data.source.speakers, data.target.speakers, numbers)
        lacking = _lacking(data, split)
        if lacking is None:
            return grant(data, task, protocol, split)
    raise InputError(
        f"protocol {protocol.name} with seed {seed} leaves {lacking} of {'+'.join(task.sources)} in each of {_DRAWS} "
        "draws; more source utterances or speakers are needed"
    )


def _lacking(data: TaskData, split: Split) -> str | None:
    """Which class a split leaves out of which part of the source, in words."""
    for part in ("train", "validation"):
        present = set(data.source.labels[getattr(split, part)].tolist())
        missing = [name for number, name in enumerate(data.classes) if number not in present]
        if missing:
            return f"no {', '.join(missing)} utterance in the {part} part"
    return None


def describe(data: TaskData, split: Split) -> dict[str, Any]:
    """What a split is, for a run's record: the utterances in each part, and a digest of which ones they are."""
    parts = {item.name: getattr(split, item.name) for item in fields(split)}
    names = {
        part: data.source.utterances if part in ("train", "validation") else data.target.utterances for part in parts
    }
    listed = {part: [names[part][row] for row in rows] for part, rows in parts.items()}
    digest = hashlib.sha256(json.dumps(listed, sort_keys=True).encode()).hexdigest()
    return {**{part: len(rows) for part, rows in parts.items()}, "digest": digest[:16]}


def grant(data: TaskData, task: TaskConfig, protocol: Protocol, split: Split) -> tuple[Granted, Evaluator]:
    """Parts a task's data into what training may see and what only the evaluator knows."""
    longest = max(data.source.longest, data.target.longest)
    unlabelled = replace(data.target, labels=np.full(len(data.target), -1, dtype=np.int64))
    granted = Granted(
        source=data.source,
        target=unlabelled,
        split=split,
        classes=data.classes,
        frames=min(longest, task.max_frames or longest),
        normalisation=protocol.normalisation,
    )
    return granted, Evaluator(data.target.labels[split.test], len(data.classes))
