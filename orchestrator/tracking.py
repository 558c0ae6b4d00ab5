"""Everything about a run in MLflow, delivered by the driver alone.

Experiment = sweep; parent run = one launch of it; under it a run per cell, and under that its search trials and
replicates. Each event goes into the launch's journal first; one background thread delivers from there in batches, and
tries again for as long as the server is away. After a kill, a tracker on the same folder delivers what is left.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from data_prep.errors import InputError
from orchestrator.addresses import check_address
from orchestrator.delivery import Delivery, ServerAway
from orchestrator.journal import Journal
from orchestrator.records import RunKey, RunRecord
from trainables.config import TrialConfig

_PAUSE = 1.0  # seconds between deliveries
_LONGEST_PAUSE = 30.0  # between attempts while the server is away


class Tracker:
    """A launch's recorder: keeps every event durably, and delivers it to MLflow in the background."""

    def __init__(
        self,
        directory: Path,
        uri: str,
        experiment: str,
        *,
        context: Mapping[str, Any],
        tags: Mapping[str, str],
    ) -> None:
        """Begins a launch's tracking in its folder ``directory``, or goes on with it.

        Args:
            directory: the launch's folder; the journal is in it.
            uri: MLflow's.
            experiment: MLflow's experiment, which is the sweep.
            context: kept with the launch and every run: what ``reproduce`` and ``report`` need to know of it.
            tags: of the launch and every run.

        Raises:
            InputError: MLflow cannot be reached.
        """
        check_address(uri)
        quiet_mlflow()
        self._journal = Journal(directory / "journal.jsonl")
        self._attempts: dict[str, int] = {}
        self._records: dict[str, RunRecord] = {}
        for event in self._journal.since(0):
            if event["type"] == "ended":
                record = RunRecord.from_dict(event["record"])
                self._records[str(record.key)] = record
        self._note("launched", name=directory.name)
        self._delivery = Delivery(uri, experiment, directory, context, tags)
        self._deliver_or_explain(uri)
        self._closing, self._given_up = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._keep_delivering, name="mlflow", daemon=True)
        self._thread.start()

    @property
    def run_id(self) -> str:
        """The launch's own run in MLflow."""
        return self._delivery.launch_run

    def started(self, key: RunKey, config: TrialConfig) -> None:
        """A run begins; an earlier attempt at it that never ended is marked so."""
        self._note("started", key=vars(key), config=config.to_dict())

    def reported(self, key: RunKey, metrics: Mapping[str, float]) -> None:
        """An epoch of a run has ended."""
        self._note("reported", key=vars(key), metrics=dict(metrics))

    def attach(self, key: RunKey, file: Path) -> None:
        """Keeps a run's model: the file is copied, and logged as the run's artifact ``model/``."""
        kept = self._journal.path.parent / "models" / f"{str(key).replace('/', '-')}{file.suffix}"
        kept.parent.mkdir(exist_ok=True)
        kept.write_bytes(file.read_bytes())
        self._note("model", key=vars(key), file=str(kept))

    def ended(self, record: RunRecord) -> None:
        """A run has ended; its record is on the disk when this returns."""
        self._records[str(record.key)] = record
        self._note("ended", durable=True, record=record.to_dict())

    def finished_records(self) -> Mapping[str, RunRecord]:
        """All that have ended, of earlier drivers of this launch too, by ``str(key)``."""
        return dict(self._records)

    def add_artifact(self, file: Path) -> None:
        """Logs a file with the launch's own run."""
        self._note("artifact", file=str(file))

    def summarise_cell(self, cell: str, metrics: Mapping[str, float]) -> None:
        """Logs a cell's final numbers with the cell's run."""
        self._note("summary", cell=cell, metrics=dict(metrics))

    def close(self, status: str = "FINISHED", patience: float = 60.0) -> int:
        """Ends the launch's run and delivers what is left.

        Args:
            status: ``FINISHED``, or ``KILLED``, which also marks the runs that were still going.
            patience: seconds to go on trying while the server is away.

        Returns:
            How many events could not be delivered; they stay in the journal.
        """
        self._note("closed", durable=True, status=status)
        self._closing.set()
        self._thread.join(timeout=patience)
        self._given_up.set()
        self._thread.join()
        self._journal.close()
        return len(self._journal) - self._delivery.position

    @property
    def rejected(self) -> list[str]:
        """What MLflow refused for good, one line each."""
        return self._delivery.rejected

    def _note(self, kind: str, *, durable: bool = False, **event: Any) -> None:
        self._journal.append({"type": kind, "time": int(time.time() * 1000), **event}, durable=durable)

    def _deliver_or_explain(self, uri: str) -> None:
        try:
            self._delivery.deliver(self._journal.since(self._delivery.position))
        except ServerAway as error:
            raise InputError(f"MLflow at {uri} does not take runs: {error}") from error

    def _keep_delivering(self) -> None:
        pause = _PAUSE
        while not self._given_up.is_set():
            closing = self._closing.is_set()
            try:
                self._delivery.deliver(self._journal.since(self._delivery.position))
                pause = _PAUSE
                if closing and self._delivery.position == len(self._journal):
                    return
            except ServerAway:
                pause = min(2 * pause, _LONGEST_PAUSE)
            (self._given_up if closing else self._closing).wait(_PAUSE if closing else pause)


def quiet_mlflow() -> None:
    """Keeps MLflow's and Alembic's notes on a new database off the terminal, and its retries short: ours are longer."""
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "20")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    for name in ("mlflow", "mlflow.store", "mlflow.tracking", "alembic"):
        logging.getLogger(name).setLevel(logging.ERROR)
