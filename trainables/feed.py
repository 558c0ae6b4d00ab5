"""What a step of training sees: utterances drawn from the pool and from the target, gathered on the device."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import one_hot

from trainables.batches import Utterances, attribute_names, attribute_numbers, batch_rows, utterances
from trainables.data import Granted
from trainables.game import Batch, Shape, Speech
from trainables.pool import Pool
from trainables.streams import stream
from trainables.workers import Workers


class Feed:
    """The batches of one run.

    Attributes:
        source, target: all utterances of both sides, on the device.
        shape: what the networks must fit.
    """

    def __init__(
        self,
        granted: Granted,
        *,
        seed: int,
        batch_size: int,
        crop: int | None,
        device: torch.device,
        workers: Workers,
        mixup: float | None = None,
    ) -> None:
        """Puts what is granted on the device, standardised.

        Args:
            granted: what the protocol lets training see.
            seed: the run's.
            batch_size: utterances of each side in a step, over all workers.
            crop: frames drawn at random from each utterance; ``None`` for all of it.
            device: where training happens.
            workers: this process's place among data-parallel ones.
            mixup: the least share of the first of a pair that is mixed; ``None`` for nothing mixed.
        """
        self._granted, self._seed, self._batch_size, self._crop = granted, seed, batch_size, crop
        self._device, self._workers, self._mixup = device, workers, mixup
        self.source, self.target = utterances(granted, device)
        names = attribute_names(granted.source, granted.split.train)
        self._attributes = tuple(attribute_numbers(side, names, device) for side in (granted.source, granted.target))
        self.shape = Shape(
            frames=granted.frames,
            dimensions=granted.source.values.shape[1],
            classes=len(granted.classes),
            attributes={attribute: len(classes) for attribute, classes in names.items()},
        )

    def batch(self, pool: Pool, step: int, adapts: bool) -> Batch:
        """The batch of a step.

        Args:
            pool: what is trained on with labels.
            step: its number, from 0.
            adapts: whether any player looks at the target.
        """
        target = None
        if adapts:
            drawn = self._draw(self._granted.split.adaptation, "target", step)
            features, lengths = self._gather(self.target, *drawn.part(self._workers))
            target = Speech(features, lengths, torch.full_like(lengths, -1))
        places = np.arange(len(pool))
        if not len(pool.target):
            source = self._labelled(pool, places, "source", step)
            return Batch(source, source, target)
        labelled = self._labelled(pool, places, "labelled", step)
        if target is None:
            return Batch(labelled, labelled)
        return Batch(labelled, self._labelled(pool, places[: len(pool.source)], "source", step), target)

    def _draw(self, rows: np.ndarray, name: str, step: int) -> _Drawn:
        """What all workers draw from ``rows`` at a step, in the stream called ``name``."""
        drawn = batch_rows(rows, self._batch_size, step, self._seed, name)
        where = None if self._crop is None else stream(self._seed, "crop", name, step).random(len(drawn))
        return _Drawn(drawn, where)

    def _gather(self, held: Utterances, rows: np.ndarray, where: np.ndarray | None) -> tuple[Tensor, Tensor]:
        places = None if where is None else torch.from_numpy(where).to(self._device)
        return held.gather(torch.from_numpy(rows).to(self._device), self._crop, places)

    def _labelled(self, pool: Pool, places: np.ndarray, name: str, step: int) -> Speech:
        """This worker's part of the batch that is drawn from some places in the pool, mixed if it is to be.

        Pairs and shares are drawn for the whole batch, so they do not depend on how many workers part it.
        """
        drawn = self._draw(places, name, step)
        first = self._of_pool(pool, drawn.part(self._workers))
        if self._mixup is None:
            return first
        rng = stream(self._seed, "mixup", name, step)
        order = rng.permutation(self._batch_size)
        shares = self._mixup + (1.0 - self._mixup) * rng.random(self._batch_size, dtype=np.float32)
        second = self._of_pool(pool, drawn.only(order).part(self._workers))
        return mix(first, second, torch.from_numpy(self._workers.part(shares)).to(self._device))

    def _of_pool(self, pool: Pool, drawn: _Drawn) -> Speech:
        """The utterances of the pool that are drawn, by their places in it."""
        of_target = drawn.rows >= len(pool.source)
        if not of_target.any():
            return self._of_source(pool, drawn)
        if of_target.all():
            return self._of_target(pool, drawn)
        sides = self._of_source(pool, drawn.only(~of_target)), self._of_target(pool, drawn.only(of_target))
        order = np.argsort(np.concatenate([np.flatnonzero(~of_target), np.flatnonzero(of_target)]))
        return _interleave(sides, torch.from_numpy(order).to(self._device))

    def _of_source(self, pool: Pool, drawn: _Drawn) -> Speech:
        rows = pool.source[drawn.rows]
        labels = self.source.labels[torch.from_numpy(rows).to(self._device)]
        # A pretext task's utterances have no labels, and nothing asks for them.
        likely = one_hot(labels.clamp(min=0), self.shape.classes).float()
        return self._speech(self.source, 0, rows, drawn.where, labels, likely)

    def _of_target(self, pool: Pool, drawn: _Drawn) -> Speech:
        places = drawn.rows - len(pool.source)
        likely = torch.from_numpy(pool.likely[places]).to(self._device)
        return self._speech(self.target, 1, pool.target[places], drawn.where, likely.argmax(dim=1), likely)

    def _speech(
        self, held: Utterances, side: int, rows: np.ndarray, where: np.ndarray | None, labels: Tensor, likely: Tensor
    ) -> Speech:
        features, lengths = self._gather(held, rows, where)
        places = torch.from_numpy(rows).to(self._device)
        attributes = {name: numbers[places] for name, numbers in self._attributes[side].items()}
        return Speech(features, lengths, labels, likely, attributes)


class _Drawn(NamedTuple):
    """What a batch is drawn from: places or row numbers, and where in each utterance its crop lies."""

    rows: np.ndarray
    where: np.ndarray | None

    def only(self, here: np.ndarray) -> _Drawn:
        """Those at some indices, or where a mask is true."""
        return _Drawn(self.rows[here], None if self.where is None else self.where[here])

    def part(self, workers: Workers) -> _Drawn:
        """One worker's."""
        return _Drawn(workers.part(self.rows), None if self.where is None else workers.part(self.where))


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


def _interleave(sides: Sequence[Speech], order: Tensor) -> Speech:
    """One batch of several, its utterances in ``order`` of them all."""
    return Speech(
        features=torch.cat([side.features for side in sides])[order],
        lengths=torch.cat([side.lengths for side in sides])[order],
        labels=torch.cat([side.labels for side in sides])[order],
        likely=torch.cat([side.likely for side in sides if side.likely is not None])[order],
        attributes={name: torch.cat([side.attributes[name] for side in sides])[order] for name in sides[0].attributes},
    )
