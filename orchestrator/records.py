"""What is known of a run once it has ended: the record that selection, tables, reports and MLflow share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from trainables.config import TrialConfig

Kind = Literal["search", "replicate", "pretraining"]
Status = Literal["finished", "stopped", "failed", "killed"]


@dataclass(frozen=True, kw_only=True)
class RunKey:
    """Which run of a sweep this is: the cell ``variant/task``, searched or replicated, and its number there from 0.

    A run that others start from is of no cell: ``method/identity`` stands in its place (:func:`pretraining_key`).
    """

    cell: str
    kind: Kind
    number: int

    def __str__(self) -> str:
        return f"{self.cell}/{self.kind}-{self.number}"


def pretraining_key(config: TrialConfig) -> RunKey:
    """The key of the run ``config`` that others start from: there is one of each configuration."""
    return RunKey(cell=f"{config.method}/{config.identity}", kind="pretraining", number=0)


@dataclass(frozen=True, kw_only=True)
class RunRecord:
    """One run of a sweep.

    Attributes:
        key: which run it is.
        config: what was trained, fully resolved.
        status: ``finished``; ``stopped`` early by the scheduler; ``failed``; ``killed`` with its sweep.
        metrics: final numbers by name, means where it has several seeds (:mod:`trainables.seeds`). A finished run has
            ``validation_uar`` (what selects: the best epoch's, in [0, 1]), ``test_uar``, ``test_accuracy``,
            ``best_epoch``, ``epochs_run``, ``train_seconds``; others may lack the test's, and one that others start from
            may lack every score.
        history: one mapping of numbers per epoch, in order (``epoch``, ``validation_uar``, ``loss/<player>``, ...).
        confusion: test utterances, row = true class, column = predicted class, in the scheme's order; of several seeds
            the sum.
        origin: of a finished run: the ``device`` that trained it (``cpu`` or ``cuda``), the ``machine`` that this was
            on, whether it was ``packed``, trained in one batch with others, the ``split`` that it was trained and tested
            on (sizes of the parts, and a digest), and a digest of the ``normalisation``; of one that starts from another
            also ``start``: that run's ``identity``, ``device``, ``machine`` and ``code``.
        error: the failure's one line.
        run_id: its MLflow run, once it has one.
    """

    key: RunKey
    config: TrialConfig
    status: Status
    metrics: Mapping[str, float] = field(default_factory=dict)
    history: Sequence[Mapping[str, float]] = ()
    confusion: Sequence[Sequence[int]] | None = None
    origin: Mapping[str, Any] = field(default_factory=dict)
    error: str | None = None
    run_id: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON types; :meth:`from_dict` gives it back."""
        return {
            "cell": self.key.cell,
            "kind": self.key.kind,
            "number": self.key.number,
            "config": self.config.to_dict(),
            "status": self.status,
            "metrics": dict(self.metrics),
            "history": [dict(epoch) for epoch in self.history],
            "confusion": [list(row) for row in self.confusion] if self.confusion is not None else None,
            "origin": dict(self.origin),
            "error": self.error,
            "run_id": self.run_id,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> RunRecord:
        """The record of :meth:`to_dict`."""
        return cls(
            key=RunKey(cell=values["cell"], kind=values["kind"], number=values["number"]),
            config=TrialConfig.from_dict(values["config"]),
            status=values["status"],
            metrics=values["metrics"],
            history=tuple(values["history"]),
            confusion=values["confusion"],
            origin=values["origin"],
            error=values["error"],
            run_id=values["run_id"],
        )
