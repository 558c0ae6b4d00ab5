"""What a step of training draws, by number: nothing of an utterance is read yet."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Drawn(NamedTuple):
    """Utterances that are drawn.

    Attributes:
        rows: the number of each in its side, int64 of shape (batch,).
        of_target: whether its side is the target, bool of shape (batch,).
        likely: the labels of those of the target as class probabilities, float32 of shape (of the target, classes);
            ``None`` where nothing is labelled.
        where: where in each its crop lies, from 0 (its beginning) to 1 (its end), float64 of shape (batch,); ``None`` where
            nothing is cut.
    """

    rows: np.ndarray
    of_target: np.ndarray
    likely: np.ndarray | None
    where: np.ndarray | None

    def of_run(self, run: int, sizes: tuple[int, int]) -> Drawn:
        """The same, of the utterances of several runs, one run's after another's (:meth:`Sides.together`).

        Args:
            run: whose they are, from 0.
            sizes: how many utterances a run has in its source and in its target.
        """
        return self._replace(rows=self.rows + run * np.where(self.of_target, sizes[1], sizes[0]))


class Labelled(NamedTuple):
    """Utterances drawn with labels, which may be mixed in pairs.

    Attributes:
        first, second: the pairs, one by one; no second where nothing is mixed.
        shares: of the first, float32 of shape (batch,).
    """

    first: Drawn
    second: Drawn | None = None
    shares: np.ndarray | None = None

    def of_run(self, run: int, sizes: tuple[int, int]) -> Labelled:
        """As :meth:`Drawn.of_run`."""
        second = None if self.second is None else self.second.of_run(run, sizes)
        return self._replace(first=self.first.of_run(run, sizes), second=second)


class Draw(NamedTuple):
    """What a step draws.

    Attributes:
        labelled, source, target: of the parts of a :class:`~trainables.game.Batch`; ``source`` is ``None`` where it is what
            is labelled, ``target`` where nothing looks at it.
    """

    labelled: Labelled
    source: Labelled | None
    target: Drawn | None

    @property
    def form(self) -> tuple[bool, ...]:
        """What draws must have in common to be joined."""
        return self.labelled.second is None, self.source is None, self.target is None

    @property
    def rows(self) -> int:
        """How many utterances are drawn."""
        parts = [self.labelled.first, self.labelled.second, self.target, *(self.source or ())[:2]]
        return sum(len(part.rows) for part in parts if part is not None)

    def of_run(self, run: int, sizes: tuple[int, int]) -> Draw:
        """As :meth:`Drawn.of_run`."""
        return Draw(
            labelled=self.labelled.of_run(run, sizes),
            source=None if self.source is None else self.source.of_run(run, sizes),
            target=None if self.target is None else self.target.of_run(run, sizes),
        )
