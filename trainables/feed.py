"""What a step of training sees: utterances drawn from the pool and from the target."""

from __future__ import annotations

import numpy as np
import torch

from trainables.batches import attribute_names, attribute_numbers, batch_rows, utterances
from trainables.data import Granted
from trainables.draws import Draw, Drawn, Labelled
from trainables.game import Shape
from trainables.pool import Pool
from trainables.sides import Sides
from trainables.streams import stream
from trainables.workers import Workers


class Feed:
    """The batches of one run.

    Attributes:
        source, target: all utterances of both sides, on the device.
        sides: the two, from which what is drawn is gathered.
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
        self._granted, self._seed, self._batch_size = granted, seed, batch_size
        self._workers, self._mixup = workers, mixup
        self.source, self.target = utterances(granted, device)
        names = attribute_names(granted.source, granted.split.train)
        attributes = [attribute_numbers(side, names, device) for side in (granted.source, granted.target)]
        self.sides = Sides(
            (self.source, self.target), (attributes[0], attributes[1]), len(granted.classes), crop, device
        )
        self.shape = Shape(
            frames=granted.frames,
            dimensions=granted.source.values.shape[1],
            classes=len(granted.classes),
            attributes={attribute: len(classes) for attribute, classes in names.items()},
        )

    def draw(self, pool: Pool, step: int, adapts: bool) -> Draw:
        """What the batch of a step is gathered of.

        Args:
            pool: what is trained on with labels.
            step: its number, from 0.
            adapts: whether any player looks at the target.
        """
        target = None
        if adapts:
            rows, where = self._part(*self._places(self._granted.split.adaptation, "target", step))
            target = Drawn(rows, np.ones(len(rows), bool), None, where)
        places = np.arange(len(pool))
        if not len(pool.target):
            return Draw(self._labelled(pool, places, "source", step), None, target)
        labelled = self._labelled(pool, places, "labelled", step)
        source = self._labelled(pool, places[: len(pool.source)], "source", step) if adapts else None
        return Draw(labelled, source, target)

    def _places(self, rows: np.ndarray, name: str, step: int) -> tuple[np.ndarray, np.ndarray | None]:
        """What all workers draw from ``rows`` at a step, in the stream called ``name``, and where each one's crop lies."""
        drawn = batch_rows(rows, self._batch_size, step, self._seed, name)
        return drawn, None if self.sides.crop is None else stream(self._seed, "crop", name, step).random(len(drawn))

    def _part(self, rows: np.ndarray, where: np.ndarray | None) -> tuple[np.ndarray, np.ndarray | None]:
        """This worker's."""
        return self._workers.part(rows), None if where is None else self._workers.part(where)

    def _labelled(self, pool: Pool, places: np.ndarray, name: str, step: int) -> Labelled:
        """This worker's part of what is drawn from some places in the pool, to be mixed if it is to be.

        Pairs and shares are drawn for the whole batch, so they do not depend on how many workers part it.
        """
        drawn, where = self._places(places, name, step)
        first = _of_pool(pool, *self._part(drawn, where))
        if self._mixup is None:
            return Labelled(first)
        rng = stream(self._seed, "mixup", name, step)
        order = rng.permutation(self._batch_size)
        shares = self._mixup + (1.0 - self._mixup) * rng.random(self._batch_size, dtype=np.float32)
        second = _of_pool(pool, *self._part(drawn[order], None if where is None else where[order]))
        return Labelled(first, second, self._workers.part(shares))


def _of_pool(pool: Pool, places: np.ndarray, where: np.ndarray | None) -> Drawn:
    """The utterances of the pool that are drawn, by their places in it."""
    of_target = places >= len(pool.source)
    in_target = places[of_target] - len(pool.source)
    rows = np.empty_like(places)
    rows[~of_target] = pool.source[places[~of_target]]
    rows[of_target] = pool.target[in_target]
    return Drawn(rows, of_target, pool.likely[in_target], where)
