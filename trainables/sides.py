"""Source and target on the device, from which the batches are gathered that one run has drawn, or several."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import one_hot

from trainables.batches import Frames, Utterances, find_frames
from trainables.draws import Draw, Drawn, Labelled
from trainables.game import Batch, Speech
from trainables.trees import joined, parted

# Frames that are found, and values that are read, at once, as far as one batch has not more: 2 MiB, and 1 MiB, which caches hold.
_FRAMES_AT_ONCE, _VALUES_AT_ONCE = 2**18, 2**18
# The attributes of a side's utterances: class numbers by name, int64 of shape (utterances,).
Attributes = Mapping[str, Tensor]


class Unread(NamedTuple):
    """Utterances as a :class:`Speech` has them, their features not yet read.

    Attributes:
        frames: where their frames are.
        of_target: whether each is of the target, bool of shape (utterances,).
        labels, likely, attributes: as a :class:`Speech` has them.
    """

    frames: Frames
    of_target: np.ndarray
    labels: Tensor
    likely: Tensor | None
    attributes: Attributes


class Pairs(NamedTuple):
    """The utterances of a :class:`~trainables.draws.Labelled`, their features not yet read.

    Attributes:
        first, second, shares: as there.
    """

    first: Unread
    second: Unread | None = None
    shares: Tensor | None = None


class Found(NamedTuple):
    """The utterances of a :class:`~trainables.draws.Draw`, or of several joined, their features not yet read.

    Attributes:
        labelled, source, target: as there.
    """

    labelled: Pairs
    source: Pairs | None
    target: Unread | None


@dataclass(frozen=True, eq=False)
class Sides:
    """Both sides' utterances.

    Attributes:
        utterances: of the source and of the target, padded to the same number of frames.
        attributes: theirs.
        classes: how many emotions there are.
        crop: frames that are taken of each; ``None`` for all of it.
        device: where they are.
    """

    utterances: tuple[Utterances, Utterances]
    attributes: tuple[Attributes, Attributes]
    classes: int
    crop: int | None
    device: torch.device

    @classmethod
    def together(cls, runs: Sequence[Sides]) -> Sides:
        """The sides of runs that have the same :attr:`features`: each with all runs' utterances, one run's after another's.

        Features are not copied. What is drawn of a run is drawn of these by :meth:`Draw.of_run`.
        """
        first = runs[0]
        sources, targets = zip(*(run.utterances for run in runs), strict=True)
        attributes = [
            {name: torch.cat([run.attributes[side][name] for run in runs]) for name in first.attributes[side]}
            for side in (0, 1)
        ]
        both = Utterances.together(sources), Utterances.together(targets)
        return cls(both, (attributes[0], attributes[1]), first.classes, first.crop, first.device)

    @property
    def features(self) -> Hashable:
        """Which features they are, and how much of each is read: runs that have the same can be read at once."""
        return *(side.features for side in self.utterances), self.classes, self.crop

    @property
    def sizes(self) -> tuple[int, int]:
        """How many utterances either side has."""
        return len(self.utterances[0]), len(self.utterances[1])

    @property
    def shape(self) -> tuple[int, int]:
        """The frames that are read of an utterance, and their dimensions."""
        frames, dimensions = self.utterances[0].shape
        return frames if self.crop is None else min(self.crop, frames), dimensions

    def gather(self, draw: Draw) -> Batch:
        """The batch that is drawn."""
        return self.read(self.find(draw), 1)[0]

    def find(self, draw: Draw) -> Found:
        """All that there is to know of what is drawn, but for its features."""
        source = None if draw.source is None else self._find_pairs(draw.source)
        target = None if draw.target is None else self._find(draw.target)
        return Found(self._find_pairs(draw.labelled), source, target)

    def read(self, found: Found, count: int) -> list[Batch]:
        """The batches of ``count`` draws of one form and size, which have been found as one."""
        labelled = parted(self._read_pairs(found.labelled), count)
        source = labelled if found.source is None else parted(self._read_pairs(found.source), count)
        target = parted(None if found.target is None else self._read(found.target), count)
        return [Batch(*parts) for parts in zip(labelled, source, target, strict=True)]

    def _find_pairs(self, drawn: Labelled) -> Pairs:
        if drawn.second is None or drawn.shares is None:
            return Pairs(self._find(drawn.first))
        return Pairs(self._find(drawn.first), self._find(drawn.second), self._tensor(drawn.shares))

    def _read_pairs(self, pairs: Pairs) -> Speech:
        first = self._read(pairs.first)
        if pairs.second is None or pairs.shares is None:
            return first
        return mix(first, self._read(pairs.second), pairs.shares)

    def _find(self, drawn: Drawn) -> Unread:
        rows = self._tensor(drawn.rows + drawn.of_target * len(self.utterances[0]))
        index = self._index.index_select(1, rows)
        where = None if drawn.where is None else self._tensor(drawn.where)
        frames = find_frames(index[:3], self.utterances[0].shape[0], self.crop, where)
        labels, *numbers = index[3:].unbind()
        if drawn.likely is None:
            return Unread(frames, drawn.of_target, labels, None, {})
        likely = self._likely.index_select(0, rows)
        if drawn.of_target.any():
            there, given = self._tensor(np.flatnonzero(drawn.of_target)), self._tensor(drawn.likely).float()
            labels, likely = labels.index_copy(0, there, given.argmax(dim=1)), likely.index_copy(0, there, given)
        return Unread(frames, drawn.of_target, labels, likely, dict(zip(self.attributes[0], numbers, strict=True)))

    def _read(self, unread: Unread) -> Speech:
        return Speech(
            self._features(unread.frames, unread.of_target),
            unread.frames.lengths,
            unread.labels,
            unread.likely,
            unread.attributes,
        )

    def _features(self, frames: Frames, of_target: np.ndarray) -> Tensor:
        source, target = self.utterances
        if not of_target.any():
            return source.read(frames)
        if of_target.all():
            return target.read(frames)
        here = [self._tensor(np.flatnonzero(of_target == side)) for side in (False, True)]
        parts = [
            side.read(Frames(*(each.index_select(0, rows) for each in frames)))
            for side, rows in zip((source, target), here, strict=True)
        ]
        return torch.cat(parts).index_select(0, torch.cat(here).argsort())

    @cached_property
    def _index(self) -> Tensor:
        """What is known of the source's utterances, and then of the target's, int64 of shape (4 + attributes, utterances).

        All in one tensor, for one look into it: their :attr:`Utterances.index`, their labels (the target's are not
        granted here, but drawn), their attributes.
        """
        sides = zip(
            self.utterances,
            (self.utterances[0].labels, torch.full_like(self.utterances[1].labels, -1)),
            self.attributes,
            strict=True,
        )
        return torch.cat(
            [
                torch.stack([*held.index, labels, *(told[name] for name in self.attributes[0])])
                for held, labels, told in sides
            ],
            dim=1,
        )

    @cached_property
    def _likely(self) -> Tensor:
        """The labels as class probabilities; where there is none (a pretext task's, the target's) nothing asks for them."""
        return one_hot(self._index[3].clamp(min=0), self.classes).float()

    def _tensor(self, values: np.ndarray) -> Tensor:
        return torch.from_numpy(values).to(self.device)


class Batches:
    """The batches of an epoch's draws, which all have one form and size.

    To look up a few rows takes as long as to look up many: what is drawn is found for many batches at once, and the features
    of small ones are read several at a time.
    """

    def __init__(self, sides: Sides, draws: Sequence[Draw]) -> None:
        self._sides, self._draws = sides, draws
        frames, dimensions = sides.shape
        self._read_at_once = max(1, _VALUES_AT_ONCE // (frames * dimensions * draws[0].rows))
        groups = _FRAMES_AT_ONCE // (frames * draws[0].rows * self._read_at_once)
        self._found_at_once = max(1, groups) * self._read_at_once
        self._found: dict[int, Found] = {}
        self._batches: dict[int, Batch] = {}

    def take(self, number: int) -> Batch:
        """The batch of a draw, by its number from 0; each once."""
        if number not in self._batches:
            if number not in self._found:
                self._find(number)
            count = min(self._read_at_once, len(self._draws) - number)
            self._batches = dict(enumerate(self._sides.read(self._found.pop(number), count), number))
        return self._batches.pop(number)

    def _find(self, first: int) -> None:
        some = self._draws[first : first + self._found_at_once]
        parts = parted(self._sides.find(joined(some)), len(some), self._read_at_once)
        self._found = dict(zip(range(first, first + len(some), self._read_at_once), parts, strict=True))


def mix(first: Speech, second: Speech, shares: Tensor) -> Speech:
    """Convex combinations of pairs of labelled utterances (pseudo_label.txt, equations (6) and (7)).

    A pair is as long as the longer of the two; the shorter is followed by zeros. Its class number and attributes, which
    cannot be mixed, are those of whichever has the larger share.

    Args:
        first, second: the pairs, one by one.
        shares: of the first, float32 of shape (batch,), in [0, 1].
    """
    assert first.likely is not None and second.likely is not None, "what is mixed is labelled"
    larger = shares >= 0.5

    def combined(one: Tensor, other: Tensor) -> Tensor:
        weights = shares.view(-1, *[1] * (one.dim() - 1))
        return weights * one + (1.0 - weights) * other

    return Speech(
        features=combined(first.features, second.features),
        lengths=torch.maximum(first.lengths, second.lengths),
        labels=torch.where(larger, first.labels, second.labels),
        likely=combined(first.likely, second.likely),
        attributes={
            name: torch.where(larger, numbers, second.attributes[name]) for name, numbers in first.attributes.items()
        },
    )
