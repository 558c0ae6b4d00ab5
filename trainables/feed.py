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
        self, granted: Granted, *, seed: int, batch_size: int, crop: int | None, device: torch.device, workers: Workers
    ) -> None:
        """Puts what is granted on the device, standardised.

        Args:
            granted: what the protocol lets training see.
            seed: the run's.
            batch_size: utterances of each side in a step, over all workers.
            crop: frames drawn at random from each utterance; ``None`` for all of it.
            device: where training happens.
            workers: this process's place among data-parallel ones.
        """
        self._granted, self._seed, self._batch_size, self._crop = granted, seed, batch_size, crop
        self._device, self._workers = device, workers
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
            features, lengths = self._gather(self.target, *drawn)
            target = Speech(features, lengths, torch.full_like(lengths, -1))
        places = np.arange(len(pool))
        if not len(pool.target):
            source = self._labelled(pool, self._draw(places, "source", step))
            return Batch(source, source, target)
        labelled = self._labelled(pool, self._draw(places, "labelled", step))
        if target is None:
            return Batch(labelled, labelled)
        return Batch(labelled, self._labelled(pool, self._draw(places[: len(pool.source)], "source", step)), target)

    def _draw(self, rows: np.ndarray, name: str, step: int) -> _Drawn:
        """This worker's part of what is drawn from ``rows`` at a step, in the stream called ``name``."""
        drawn = batch_rows(rows, self._batch_size, step, self._seed, name)
        where = None if self._crop is None else stream(self._seed, "crop", name, step).random(len(drawn))
        return _Drawn(self._workers.part(drawn), None if where is None else self._workers.part(where))

    def _gather(self, held: Utterances, rows: np.ndarray, where: np.ndarray | None) -> tuple[Tensor, Tensor]:
        places = None if where is None else torch.from_numpy(where).to(self._device)
        return held.gather(torch.from_numpy(rows).to(self._device), self._crop, places)

    def _labelled(self, pool: Pool, drawn: _Drawn) -> Speech:
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
        return _Drawn(self.rows[here], None if self.where is None else self.where[here])


def _interleave(sides: Sequence[Speech], order: Tensor) -> Speech:
    """One batch of several, its utterances in ``order`` of them all."""
    return Speech(
        features=torch.cat([side.features for side in sides])[order],
        lengths=torch.cat([side.lengths for side in sides])[order],
        labels=torch.cat([side.labels for side in sides])[order],
        likely=torch.cat([side.likely for side in sides if side.likely is not None])[order],
        attributes={name: torch.cat([side.attributes[name] for side in sides])[order] for name in sides[0].attributes},
    )
