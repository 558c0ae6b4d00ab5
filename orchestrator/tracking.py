"""The recorder of a launch: every event goes to a journal at once, and from there to MLflow in the background.

The journal decides what has happened: a run that it holds the end of never runs again, whatever became of the driver,
the server or the network. MLflow gets all of it, in order, once; while it is away, nothing waits and nothing is lost.
"""

from __future__ import annotations

import atexit
import dataclasses
import itertools
import shutil
import threading
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from data_prep.errors import InputError
from orchestrator import MODELS, RECOVERY
from orchestrator.delivery import PARENT, Delivery
from orchestrator.journal import Journal
from orchestrator.mlflow_client import connect, default_tracking_uri, explain, shown
from orchestrator.records import RunKey, RunRecord
from orchestrator.tables import cell_metrics
from trainables.config import TrialConfig
from trainables.recovery import forget

__all__ = ["Tracker", "default_tracking_uri"]

_CHUNK = 500  # events that are brought to MLflow between two notes of how far that is
_LONGEST_PAUSE = 30.0  # seconds between two attempts to reach a server that is away


class Tracker:
    """Records one launch in a folder of its own, and delivers it to MLflow.

    It is called from one thread. Opened again on the same folder, it knows all that has ended, marks as killed what had
    not, and delivers what is still undelivered; an MLflow that knows nothing of the launch gets the whole of it.

    Attributes:
        context: what was given, as JSON types; each run's ``config.json`` holds it.
        tracking_uri: as it may be shown, without a password.
    """

    def __init__(
        self,
        directory: Path,
        tracking_uri: str,
        experiment: str,
        *,
        context: Mapping[str, Any],
        tags: Mapping[str, str],
        interval: float = 10.0,
    ) -> None:
        """Opens the launch in ``directory``.

        Args:
            directory: of the launch; the journal and the models that wait for delivery are in it.
            tracking_uri: MLflow's.
            experiment: the MLflow experiment's name, which is the sweep's.
            context: what reproducing a run and making a report need besides runs' configurations (``launch``,
                ``study``, ``data``, ``environment``, ...).
            tags: on every run.
            interval: seconds between deliveries.

        Raises:
            InputError: MLflow cannot be used, or the folder is in use or cannot be written.
        """
        self.tracking_uri = shown(tracking_uri)
        self._directory, self._interval = directory, interval
        client = connect(tracking_uri)
        self._journal = Journal(directory / "journal.jsonl")
        self._position_file = directory / "delivered"
        self._position = self._delivered()
        self._attempts: dict[str, int] = {}
        self._open: dict[str, str] = {}
        self._records: dict[str, RunRecord] = {}
        self._closed, self._trouble = False, ""
        self._wake, self._hurry, self._stop = threading.Event(), threading.Event(), threading.Event()
        self._moved = threading.Condition()
        earlier = self._replay()
        launch = self._begin(earlier, context, tags, tracking_uri)
        self.context: Mapping[str, Any] = launch["context"]
        try:
            self._delivery = Delivery(client, tracking_uri, experiment, directory, earlier or launch)
            if not self._delivery.begun:
                self._position = 0
            self._deliver_all()
        except Exception as error:
            self._journal.close()
            if isinstance(error, InputError):
                raise
            raise InputError(f"MLflow at {self.tracking_uri} cannot be used: {explain(error)}") from error
        self._thread = threading.Thread(target=self._work, name="mlflow-delivery", daemon=True)
        self._thread.start()
        atexit.register(self.interrupted)

    @property
    def launch_run_id(self) -> str:
        """The parent run: this launch."""
        run_id = self._delivery.run_id(PARENT)
        assert run_id is not None, "it is made before a tracker is"
        return run_id

    @property
    def rejected(self) -> list[str]:
        """What MLflow refused for good, one line each; the journal has it."""
        return self._delivery.rejected

    @property
    def trouble(self) -> str:
        """Why the last delivery failed; empty while all is well."""
        return self._trouble

    def started(self, key: RunKey, config: TrialConfig) -> None:
        """A run begins; an earlier attempt that has not ended has failed."""
        name = str(key)
        if name in self._open:
            self._append("cut", {"run": self._open.pop(name), "status": "failed"})
        attempt = self._attempts.get(name, 0) + 1
        self._attempts[name], self._open[name] = attempt, f"{name}#{attempt}"
        fields = {"cell": key.cell, "kind": key.kind, "number": key.number, "attempt": attempt}
        self._append("started", {"run": self._open[name], **fields, "config": config.to_dict()})

    def reported(self, key: RunKey, metrics: Mapping[str, float]) -> None:
        """An epoch of a run has ended."""
        self._append("reported", {"run": self._open[str(key)], "metrics": dict(metrics)})

    def attach(self, key: RunKey, path: Path) -> None:
        """Keeps the model of a run that has started: the file ``path``, which is moved."""
        name = f"{key}#{self._attempts[str(key)]}"
        kept = self._directory / MODELS / name.replace("/", "_") / "model.pt"
        kept.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(path, kept)
        self._append("attached", {"run": name, "path": str(kept.relative_to(self._directory))})

    def ended(self, record: RunRecord) -> None:
        """A run has ended; its record is on the disk when this returns, and what it would have gone on from is gone."""
        name = str(record.key)
        self._records[name] = record
        summary: dict[str, Any] = {}
        if record.key.kind != "pretraining":
            cell = [other for other in self._records.values() if other.key.cell == record.key.cell]
            summary = {"cell_metrics": cell_metrics(cell), "cell_step": len(cell)}
        self._append("ended", {"run": self._open.pop(name), "record": record.to_dict(), **summary}, durable=True)
        forget(self._directory / RECOVERY, record.config)

    def finished_records(self) -> Mapping[str, RunRecord]:
        """The records of all that has ended, under earlier drivers too, by ``str(key)``, with MLflow's ids if known."""
        return {
            name: dataclasses.replace(record, run_id=self.run_id(record.key)) for name, record in self._records.items()
        }

    def run_id(self, key: RunKey) -> str | None:
        """The MLflow run of the latest attempt at ``key``; ``None`` while it is not delivered."""
        return self._delivery.run_id(f"{key}#{self._attempts.get(str(key), 0)}")

    def add_artifact(self, path: Path) -> None:
        """Puts a file of the launch's folder beside the parent run."""
        self._append("added", {"path": str(path.resolve().relative_to(self._directory.resolve()))})

    def flush(self, patience: float = 30.0) -> int:
        """Delivers everything; gives up when nothing has gone through for ``patience`` seconds.

        Returns:
            How many events are undelivered.
        """
        deadline, position = time.monotonic() + patience, self._position
        self._hurry.set()
        self._wake.set()
        with self._moved:
            while self._position < self._journal.size and time.monotonic() < deadline:
                self._moved.wait(0.1)
                if self._position != position:
                    deadline, position = time.monotonic() + patience, self._position
        self._hurry.clear()
        return sum(1 for _ in self._journal.read(self._position))

    def close(self, status: str = "FINISHED", *, patience: float = 30.0) -> int:
        """Ends the launch: what still runs is marked as killed, and everything is delivered as :meth:`flush` does.

        Returns:
            How many events are undelivered; a tracker opened on the same folder delivers them.
        """
        if self._closed:
            return 0
        self._closed = True
        atexit.unregister(self.interrupted)
        for run in self._open.values():
            self._append("cut", {"run": run, "status": "killed"})
        self._open.clear()
        self._append("closed", {"status": status}, durable=True)
        undelivered = self.flush(patience)
        self._stop.set()
        self._hurry.set()
        self._wake.set()
        self._thread.join(timeout=15)
        self._journal.close()
        if undelivered == 0 and status == "FINISHED":
            shutil.rmtree(self._directory / MODELS, ignore_errors=True)
        return undelivered

    def interrupted(self, *, patience: float = 10.0) -> int:
        """Ends the launch before its time; see :meth:`close`."""
        return self.close("KILLED", patience=patience)

    def _begin(
        self, earlier: Mapping[str, Any] | None, context: Mapping[str, Any], tags: Mapping[str, str], tracking_uri: str
    ) -> Mapping[str, Any]:
        """Journals that the launch begins or goes on; returns that event."""
        for run in self._open.values():
            self._append("cut", {"run": run, "status": "killed"})
        self._open.clear()
        launch = earlier["launch"] if earlier else uuid.uuid4().hex
        # What goes to MLflow is read by others: a password in the address must not be in it.
        public = _replace({"context": context, "tags": tags}, tracking_uri, self.tracking_uri)
        return self._append("begun", {"launch": launch, **public}, durable=True)

    def _append(self, event: str, fields: Mapping[str, Any], *, durable: bool = False) -> Mapping[str, Any]:
        whole = {"event": event, "time": round(time.time() * 1000), **fields}
        self._journal.append(whole, durable=durable)
        return whole

    def _replay(self) -> Mapping[str, Any] | None:
        """Takes in what earlier drivers have journalled; returns the launch event under which the delivery goes on."""
        launch: Mapping[str, Any] | None = None
        for end, event in self._journal.read():
            kind = event["event"]
            if kind == "begun" and (launch is None or end <= self._position):
                launch = event
            elif kind == "started":
                name = event["run"].rpartition("#")[0]
                self._attempts[name], self._open[name] = event["attempt"], event["run"]
            elif kind in ("ended", "cut"):
                self._open.pop(event["run"].rpartition("#")[0], None)
            if kind == "ended":
                record = RunRecord.from_dict(event["record"])
                self._records[str(record.key)] = record
        return launch

    def _work(self) -> None:
        """The delivering thread."""
        failures = 0
        while True:
            self._pause(failures)
            stopping = self._stop.is_set()
            try:
                self._deliver_all()
                failures, self._trouble = 0, ""
            except Exception as error:  # whatever it is: the journal keeps what is undelivered
                failures, self._trouble = failures + 1, explain(error)
            if stopping:
                return

    def _pause(self, failures: int) -> None:
        """Waits for something to deliver, or for MLflow to come back; not for long when somebody waits for it."""
        if self._hurry.is_set():
            self._stop.wait(0.5 if failures else 0.02)
        elif failures:
            self._hurry.wait(min(2.0**failures, _LONGEST_PAUSE))
        else:
            self._wake.wait(self._interval)
        self._wake.clear()

    def _deliver_all(self) -> None:
        while chunk := list(itertools.islice(self._journal.read(self._position), _CHUNK)):
            self._delivery.deliver(event for _, event in chunk)
            self._position = chunk[-1][0]
            beside = self._position_file.with_suffix(".new")
            beside.write_text(str(self._position))
            beside.replace(self._position_file)
            with self._moved:
                self._moved.notify_all()

    def _delivered(self) -> int:
        """How far earlier drivers have delivered the journal, in bytes."""
        try:
            return min(int(self._position_file.read_text()), self._journal.size)
        except (OSError, ValueError):
            return 0


def _replace(value: Any, secret: str, shown: str) -> Any:
    """``value`` as JSON types, with ``shown`` for ``secret`` in every text."""
    if isinstance(value, str):
        return value.replace(secret, shown)
    if isinstance(value, Mapping):
        return {str(key): _replace(item, secret, shown) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_replace(item, secret, shown) for item in value]
    return value
