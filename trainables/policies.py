"""What validation does to training: keep the best, lower the learning rate, stop."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Verdict(Enum):
    """What to do after an epoch's validation."""

    BEST = "best"
    CONTINUE = "continue"
    RESTORE = "restore"
    STOP = "stop"


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
        """The verdict on an epoch whose validation score, higher being better, is ``score``."""
        if score > self.best:
            self.best, self.waited = score, 0
            return Verdict.BEST
        self.waited += 1
        if self.waited < self.patience:
            return Verdict.CONTINUE
        self.waited = 0
        self.learning_rate *= self.factor
        return Verdict.STOP if self.learning_rate < self.minimum else Verdict.RESTORE
