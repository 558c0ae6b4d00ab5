"""What a run tells Tune, and how the driver reads it.

With each report a run waits for the driver, and the driver looks after all of Tune, so epochs that end within a moment of each
other are one report. It holds

- ``epochs``: those that have ended since the last one, each a flat mapping: ``epoch`` (from 1), ``validation_uar`` (this
  epoch's), ``best_validation_uar``, ``learning_rate``, ``loss/<player>``, ``schedule/<name>`` and any other numbers;
- in the last one, besides: ``final`` set to true, ``validation_uar`` (the selected epoch's), ``test_uar``,
  ``test_accuracy``, ``best_epoch``, ``epochs_run``, ``train_seconds``, any other numbers, ``confusion`` (a list of rows),
  ``origin`` (as JSON, for Tune would flatten it: see :class:`~orchestrator.records.RunRecord`) and ``model`` (the path of
  its file), as far as the run has them.

A run on several workers is told of by Ray Train, epoch by epoch: there a report is an epoch.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ray import tune

TELLING_SECONDS = 0.25
"""How long two reports are apart at the least: of epochs that take longer, each is one."""


class Teller:
    """Tells Tune of a run, in the process that trains it."""

    def __init__(self, seconds: float = TELLING_SECONDS) -> None:
        """Begins.

        Args:
            seconds: that lie between two reports at the least.
        """
        self._seconds, self._told = seconds, time.monotonic()
        self._epochs: list[dict[str, Any]] = []

    def epoch(self, metrics: Mapping[str, Any]) -> None:
        """An epoch has ended. Ends the thread (``SystemExit``) if Tune stops the trial."""
        self._epochs.append(dict(metrics))
        if time.monotonic() - self._told >= self._seconds:
            self.tell()

    def tell(self) -> None:
        """Tells now of the epochs that have not been told of: before the run fails, too."""
        if self._epochs:
            tune.report({"epochs": self._taken()})
            self._told = time.monotonic()

    def ended(self, final: Mapping[str, Any], model: Path) -> None:
        """The run has ended. Tune, being told that it is done, asks no more, and ends the thread (``SystemExit``)."""
        tune.report({**final, "epochs": self._taken(), "model": str(model), "final": True, "done": True})

    def _taken(self) -> list[dict[str, Any]]:
        taken, self._epochs = self._epochs, []
        return taken


def epochs_of(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The epochs that a report tells of, in order."""
    epochs: list[dict[str, Any]] = report.get("epochs", [report])
    return epochs
