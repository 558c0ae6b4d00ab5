"""What validation does to training: keep the best, lower the learning rate, stop."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Protocol


class Verdict(Enum):
    """What to do after an epoch's validation."""

    BEST = "best"
    CONTINUE = "continue"
    RESTORE = "restore"
    STOP = "stop"


class Policy(Protocol):
    """A data class whose fields are all of its state.

    Attributes:
        learning_rate: of the epoch to come.
        best: the highest score so far.
    """

    learning_rate: float
    best: float

    def judge(self, score: float) -> Verdict:
        """The verdict on an epoch whose validation score, higher being better, is ``score``."""
        ...


@dataclass
class RestoreAndHalve:
    """The training schedule of addi.txt, 4.3.

    After ``patience`` epochs without improvement, training goes back to the best epoch and halves the learning rate,
    until that is below ``minimum``. The paper watches the validation accuracy; here it is the validation UAR, which is
    what is reported, and which an epoch that forgets a rare class cannot win.
    """

    learning_rate: float
    patience: int = 5
    factor: float = 0.5
    minimum: float = 1e-5
    best: float = float("-inf")
    waited: int = 0

    def judge(self, score: float) -> Verdict:
        """The verdict on an epoch's validation score."""
        if score > self.best:
            self.best, self.waited = score, 0
            return Verdict.BEST
        self.waited += 1
        if self.waited < self.patience:
            return Verdict.CONTINUE
        self.waited = 0
        self.learning_rate *= self.factor
        return Verdict.STOP if self.learning_rate < self.minimum else Verdict.RESTORE


@dataclass
class Decay:
    """A learning rate that decays whatever validation says; the best epoch is kept.

    Attributes:
        learning_rate: of the epoch to come.
        factor: what it is multiplied by every ``every`` epochs, until it is ``minimum`` (dann.txt, 4.1: 0.93 every
            epoch down to 5e-5; pseudo_label.txt, 4.2.1: 0.95 every 10; attributes.txt, 4: 1, never).
        patience: epochs without improvement after which training stops; ``None`` for no such limit.
    """

    learning_rate: float
    factor: float = 1.0
    every: int = 1
    minimum: float = 0.0
    patience: int | None = None
    best: float = float("-inf")
    waited: int = 0
    epochs: int = 0

    def judge(self, score: float) -> Verdict:
        """The verdict on an epoch's validation score."""
        self.epochs += 1
        if self.epochs % self.every == 0:
            self.learning_rate = max(self.learning_rate * self.factor, min(self.minimum, self.learning_rate))
        if score > self.best:
            self.best, self.waited = score, 0
            return Verdict.BEST
        self.waited += 1
        return Verdict.STOP if self.patience is not None and self.waited >= self.patience else Verdict.CONTINUE
