"""Source and target on the device, from which the batches are gathered that one run has drawn, or several."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import one_hot

from trainables.batches import Utterances
from trainables.draws import Draw, Drawn, Labelled, joined
from trainables.game import Batch, Speech

_AT_ONCE = 2**18  # values that are gathered at once, as far as one batch has not more: 1 MiB, which caches hold
# The attributes of a side's utterances: class numbers by name, int64 of shape (utterances,).
Attributes = Mapping[str, Tensor]


@dataclass(frozen=True, eq=False)
class Sides:
    """Both sides' utterances.

    Attributes:
        utterances: of the source and of the target.
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
    def values_each(self) -> int:
        """How many values are gathered of an utterance."""
        frames, dimensions = self.utterances[0].shape
        return (frames if self.crop is None else min(self.crop, frames)) * dimensions

    def gather(self, draw: Draw) -> Batch:
        """The batch that is drawn."""
        target = None
        if draw.target is not None:
            features, lengths = self._gather(1, self._tensor(draw.target.rows), draw.target.where)
            target = Speech(features, lengths, torch.full_like(lengths, -1))
        labelled = self._labelled(draw.labelled)
        return Batch(labelled, labelled if draw.source is None else self._labelled(draw.source), target)

    def gather_each(self, draws: Sequence[Draw]) -> list[Batch]:
        """The batches of draws of one form and size, gathered at once."""
        if len(draws) == 1:
            return [self.gather(draws[0])]
        whole, count = self.gather(joined(draws)), len(draws)
        labelled = _parts(whole.labelled, count)
        source = labelled if whole.source is whole.labelled else _parts(whole.source, count)
        target = [None] * count if whole.target is None else _parts(whole.target, count)
        return [Batch(*parts) for parts in zip(labelled, source, target, strict=True)]

    def _labelled(self, drawn: Labelled) -> Speech:
        first = self._speech(drawn.first)
        if drawn.second is None or drawn.shares is None:
            return first
        return mix(first, self._speech(drawn.second), self._tensor(drawn.shares))

    def _speech(self, drawn: Drawn) -> Speech:
        of_target = drawn.of_target
        if not of_target.any():
            return self._of_source(drawn)
        if of_target.all():
            return self._of_target(drawn)
        sides = self._of_source(drawn.of(False)), self._of_target(drawn.of(True))
        order = np.argsort(np.concatenate([np.flatnonzero(~of_target), np.flatnonzero(of_target)]))
        return _interleave(sides, self._tensor(order))

    def _of_source(self, drawn: Drawn) -> Speech:
        rows = self._tensor(drawn.rows)
        features, lengths = self._gather(0, rows, drawn.where)
        labels = self.utterances[0].labels[rows]
        return Speech(features, lengths, labels, self._likely[rows], self._attributes(0, rows))

    def _of_target(self, drawn: Drawn) -> Speech:
        assert drawn.likely is not None, "it is labelled"
        rows = self._tensor(drawn.rows)
        features, lengths = self._gather(1, rows, drawn.where)
        likely = self._tensor(drawn.likely).to(features.dtype)
        return Speech(features, lengths, likely.argmax(dim=1), likely, self._attributes(1, rows))

    def _gather(self, side: int, rows: Tensor, where: np.ndarray | None) -> tuple[Tensor, Tensor]:
        return self.utterances[side].gather(rows, self.crop, None if where is None else self._tensor(where))

    def _attributes(self, side: int, rows: Tensor) -> Attributes:
        numbers = self._numbers[side].index_select(1, rows).unbind()
        return dict(zip(self.attributes[side], numbers, strict=True))

    @cached_property
    def _likely(self) -> Tensor:
        """The labels of the source as class probabilities; a pretext task's has none, and nothing asks for them."""
        return one_hot(self.utterances[0].labels.clamp(min=0), self.classes).float()

    @cached_property
    def _numbers(self) -> tuple[Tensor, Tensor]:
        """The attributes of either side in one tensor, int64 of shape (attributes, utterances)."""
        source, target = (torch.stack(list(side.values())) for side in self.attributes)
        return source, target

    def _tensor(self, values: np.ndarray) -> Tensor:
        return torch.from_numpy(values).to(self.device)


class Batches:
    """The batches of an epoch's draws, which all have one form and size: small ones are gathered several at a time.

    To look up a few rows takes as long as to look up many.
    """

    def __init__(self, sides: Sides, draws: Sequence[Draw]) -> None:
        self._sides, self._draws = sides, draws
        self._at_once = max(1, _AT_ONCE // (sides.values_each * draws[0].rows))
        self._gathered: dict[int, Batch] = {}

    def take(self, number: int) -> Batch:
        """The batch of a draw, by its number from 0; each once."""
        if number not in self._gathered:
            some = self._draws[number : number + self._at_once]
            self._gathered = dict(enumerate(self._sides.gather_each(some), number))
        return self._gathered.pop(number)


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


def _parts(speech: Speech, count: int) -> list[Speech]:
    """As many batches, one after another."""
    tensors = [value.chunk(count) for value in speech[:3]]
    likely = [None] * count if speech.likely is None else speech.likely.chunk(count)
    attributes = {name: numbers.chunk(count) for name, numbers in speech.attributes.items()}
    each = [{name: parts[number] for name, parts in attributes.items()} for number in range(count)]
    return [Speech(*parts) for parts in zip(*tensors, likely, each, strict=True)]


def _interleave(sides: Sequence[Speech], order: Tensor) -> Speech:
    """One batch of several, its utterances in ``order`` of them all."""
    return Speech(
        features=torch.cat([side.features for side in sides])[order],
        lengths=torch.cat([side.lengths for side in sides])[order],
        labels=torch.cat([side.labels for side in sides])[order],
        likely=torch.cat([side.likely for side in sides if side.likely is not None])[order],
        attributes={name: torch.cat([side.attributes[name] for side in sides])[order] for name in sides[0].attributes},
    )
