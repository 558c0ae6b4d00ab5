"""A task's data, and the firewall that keeps the target's labels from training.

:class:`TaskData` is what a node's workers share: every utterance of the task once, ragged and raw. A trial draws its
split from it and parts it in two: :class:`Granted`, which the loop trains on and in which are no labels but those that
its protocol grants, and :class:`Evaluator`, which alone holds the test set's and is asked once, with the selected
checkpoint.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from data_prep import features, splits
from data_prep.errors import InputError
from data_prep.features import Length
from data_prep.splits import SOURCE_PARTS, Protocol, Side, Split
from trainables.config import TaskConfig, TrialConfig
from trainables.metrics import Scores, score
from trainables.streamed import Streamed
from trainables.streams import stream

_DRAWS = 100


@dataclass(frozen=True)
class Domain:
    """The utterances of one side of a task that its label scheme has a class for.

    Attributes:
        values: float32 of shape (frames of all utterances, dimensions), one utterance after another; in a file where
            they do not fit into memory.
        starts: int64 of shape (utterances + 1,): utterance i is ``values[starts[i]:starts[i + 1]]``.
        corpora: the corpus of each utterance.
        utterances: ``corpus/utterance id`` of each utterance.
        speakers: ``corpus/speaker`` of each utterance.
        labels: class numbers, int64 of shape (utterances,).
        genders, languages, partitions, recordings: of each utterance (:class:`~data_prep.splits.Side`).
    """

    values: np.ndarray | Streamed
    starts: np.ndarray
    corpora: tuple[str, ...]
    utterances: tuple[str, ...]
    speakers: tuple[str, ...]
    labels: np.ndarray
    genders: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    partitions: tuple[str | None, ...] = ()
    recordings: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def longest(self) -> int:
        """Frames of the longest utterance."""
        return int(np.diff(self.starts).max())

    @property
    def side(self) -> Side:
        """What a protocol may know of it."""
        return Side(**{item.name: getattr(self, item.name) for item in fields(Side)})


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
        source: the source with the labels of its training and validation parts.
        split: who is what.
        target: the target with the labels of its labelled and development parts, which most protocols leave empty.
            Any other label, of either, is -1.
        classes: names of the classes.
        frames: what every utterance is padded or cut to (:func:`frames_of`).
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


def length_of(task: TaskConfig) -> Length | None:
    """What the paper of the task's feature gives every utterance, or what ``max_frames`` leaves of it."""
    length = features.load(task.feature).length
    return length and replace(length, frames=min(length.frames, task.max_frames or length.frames))


def frames_of(data: TaskData, task: TaskConfig) -> int:
    """Frames of every utterance in a batch: what the feature's paper says, else the longest utterance of the task.

    ``max_frames`` of the task is the most that it can be.
    """
    length = length_of(task)
    frames = max(data.source.longest, data.target.longest) if length is None else length.frames
    return min(frames, task.max_frames or frames)


def draw(data: TaskData, task: TaskConfig, seed: int) -> tuple[Granted, Evaluator]:
    """What a run of this seed trains on, and what it is tested with: its protocol's split, parted by :func:`grant`.

    A split that leaves a class out of the training or the validation part, as can happen in a small corpus, is drawn
    again from the same stream. Only the source's labels say so, which every protocol grants; within one corpus they
    are not all granted, and nothing is drawn again. Within several corpora, of what is left out of all of them only the
    targets' part is tested: tasks that differ in their targets alone train on the same utterances.

    Raises:
        InputError: a class is missing from a part of the source in every one of many draws.
    """
    protocol, numbers = splits.load(task.protocol), stream(seed, "split")
    parts: tuple[str, ...] = ("train",) if protocol.within else SOURCE_PARTS
    draws = 1 if protocol.within else _DRAWS
    if protocol.selection == "none":
        parts = ()
    for _ in range(draws):
        split = protocol.split(data.source.side, data.target.side, numbers, seed)
        if protocol.within and set(task.targets) < set(task.sources):
            tested = np.isin(np.array(data.target.corpora)[split.test], task.targets)
            split = replace(split, test=split.test[tested])
        lacking = lacking_classes(data, split, parts)
        if not lacking:
            break
    else:
        raise InputError(
            f"protocol {protocol.name} with seed {seed} leaves {lacking[0]} of {'+'.join(task.sources)}"
            f"{'' if draws == 1 else f' in each of {draws} draws'}; more source utterances or speakers are needed"
        )
    return grant(data, task, protocol, split)


def lacking_classes(data: TaskData, split: Split, parts: Iterable[str]) -> list[str]:
    """Which class a split leaves out of which part, in words; a part that has no utterance was meant to have none."""
    found = []
    for part in parts:
        rows = getattr(split, part)
        present = set(domain_of(data, part).labels[rows].tolist())
        missing = [name for number, name in enumerate(data.classes) if number not in present]
        if missing and len(rows):
            found.append(f"no {', '.join(missing)} utterance in the {part} part")
    return found


def domain_of(data: TaskData, part: str) -> Domain:
    """The side of the task that a part of its split is of."""
    return data.source if part in SOURCE_PARTS else data.target


def describe(data: TaskData, split: Split) -> dict[str, Any]:
    """What a split is, for a run's record: the utterances in each part, and digests of which they are and are tested.

    Target parts with labels are there if the protocol grants any.
    """
    listed = {
        part: [domain_of(data, part).utterances[row] for row in rows]
        for part, rows in split.parts.items()
        if len(rows) or part not in ("labelled", "development")
    }
    sizes = {part: len(rows) for part, rows in listed.items()}
    return {**sizes, "digest": _digest(listed), "test_digest": _digest(listed["test"])}


def _digest(listed: Any) -> str:
    return hashlib.sha256(json.dumps(listed, sort_keys=True).encode()).hexdigest()[:16]


def grant(data: TaskData, task: TaskConfig, protocol: Protocol, split: Split) -> tuple[Granted, Evaluator]:
    """Parts a task's data into what training may see and what only the evaluator knows."""
    granted = Granted(
        source=_labelled(data.source, split.train, split.validation),
        target=_labelled(data.target, split.labelled, split.development),
        split=split,
        classes=data.classes,
        frames=frames_of(data, task),
        normalisation=protocol.normalisation,
    )
    return granted, Evaluator(data.target.labels[split.test], len(data.classes))


def check_adaptation(config: TrialConfig, granted: Granted) -> None:
    """Refuses a run that adapts to the target where nothing of the target is granted.

    Raises:
        InputError: nothing is; it says which method and which protocol do not go together.
    """
    if not len(granted.split.adaptation):
        raise InputError(
            f"{config.method} adapts to the target, of which protocol {config.task.protocol} grants "
            "nothing; take another protocol, or a method or variant that does not adapt"
        )


def _labelled(domain: Domain, *parts: np.ndarray) -> Domain:
    """A domain with the labels of some rows alone; the others' are -1."""
    rows = np.concatenate(parts)
    labels = np.full(len(domain), -1, dtype=np.int64)
    labels[rows] = domain.labels[rows]
    return replace(domain, labels=labels)
