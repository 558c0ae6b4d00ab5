"""What a run trains on with emotion labels: the source, and target utterances with granted labels or pseudo-labels."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from trainables.data import Granted
from trainables.recipe import Relabel


@dataclass(frozen=True)
class Pool:
    """Labelled utterances of both sides; the source's come first.

    Attributes:
        source: row numbers of the source, int64.
        target: row numbers of the target, int64; a row that is there twice is trained on twice.
        likely: the label of each of ``target`` as class probabilities, float32 of shape (target utterances, classes).
    """

    source: np.ndarray
    target: np.ndarray
    likely: np.ndarray

    def __len__(self) -> int:
        return len(self.source) + len(self.target)

    def with_pseudo_labels(self, relabel: Relabel, rows: np.ndarray, probabilities: np.ndarray) -> Pool:
        """The pool with those of the target's ``rows`` that are admitted by the model's class ``probabilities``."""
        admitted, likely = relabel.label(probabilities)
        return replace(
            self,
            target=np.concatenate([self.target, rows[admitted]]),
            likely=np.concatenate([self.likely, likely[admitted].astype(np.float32)]),
        )

    def rebalanced(self, rng: np.random.Generator) -> Pool:
        """With the target's utterances repeated at random until they are as many as the source's.

        Each is there as often as any other, give or take one (pseudo_label.txt, 3.2.3: the ratio of the two is 1). A
        target with nothing labelled, or with more than the source has, is left as it is.
        """
        lacking = len(self.source) - len(self.target)
        if not len(self.target) or lacking <= 0:
            return self
        whole, rest = divmod(lacking, len(self.target))
        every = np.arange(len(self.target))
        again = np.concatenate([np.tile(every, whole + 1), rng.permutation(len(every))[:rest]])
        return replace(self, target=self.target[again], likely=self.likely[again])


def granted_pool(granted: Granted) -> Pool:
    """All that the protocol grants the labels of, for training."""
    rows = granted.split.labelled
    likely = np.eye(len(granted.classes), dtype=np.float32)[granted.target.labels[rows]]
    return Pool(granted.split.train, rows, likely)


def unlabelled(granted: Granted) -> np.ndarray:
    """The target utterances that may be seen, and have no label that training may see: those that get pseudo-labels."""
    split = granted.split
    return np.setdiff1d(split.adaptation, np.concatenate([split.labelled, split.development]))
