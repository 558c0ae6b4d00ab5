"""From a journal's events to MLflow: what becomes a run, a metric, a tag, an artifact; each exactly once."""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from mlflow.entities import Metric, Param, RunTag
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID, MLFLOW_RUN_NAME

from orchestrator.records import RunKey, RunRecord

LAUNCH_FILE, RECORD_FILE, CONFUSION_FILE = "launch.json", "record.json", "confusion.json"
_POSITION = "delivered.json"
_AWAY = {"INTERNAL_ERROR", "TEMPORARILY_UNAVAILABLE", "REQUEST_LIMIT_EXCEEDED", "IO_ERROR", "DEADLINE_EXCEEDED"}
_STATUS = {"finished": "FINISHED", "stopped": "FINISHED", "failed": "FAILED", "killed": "KILLED"}


class ServerAway(Exception):
    """MLflow did not take an event now, and may later."""


class Delivery:
    """Delivers a launch's events in order, and remembers in a file how far it is and which run is whose.

    Attributes:
        rejected: what MLflow refused for good (a run that somebody has deleted, say), one line each.
    """

    def __init__(
        self, uri: str, experiment: str, directory: Path, context: Mapping[str, Any], tags: Mapping[str, str]
    ) -> None:
        """Goes on where an earlier delivery from ``directory`` stopped.

        Args:
            uri: MLflow's.
            experiment: the sweep's.
            directory: the launch's folder.
            context: kept with the launch and every run.
            tags: of the launch and every run.
        """
        self.rejected: list[str] = []
        self._client = MlflowClient(tracking_uri=uri)
        self._experiment_name, self._experiment = experiment, ""
        self._context, self._tags = context, tags
        self._file = directory / _POSITION
        self._state: dict[str, Any] = {"position": 0, "launch": "", "cells": {}, "runs": {}, "going": []}
        if self._file.exists():
            self._state = json.loads(self._file.read_text())
        # What was being delivered when a driver died, or the server went away, may be there: only then is it looked for.
        self._unsure = self._file.exists()

    @property
    def position(self) -> int:
        """How many events have been delivered."""
        return self._state["position"]

    @property
    def launch_run(self) -> str:
        """The launch's own run."""
        return self._state["launch"]

    def deliver(self, events: Sequence[Mapping[str, Any]]) -> None:
        """Delivers events in order, consecutive epochs in batches.

        Raises:
            ServerAway: MLflow cannot be reached, or refuses for now; what was delivered is remembered.
        """
        before = self.position
        try:
            for kind, group in groupby(events, key=lambda event: event["type"]):
                if kind == "reported":
                    self._deliver_together(list(group))
                else:
                    for event in group:
                        self._deliver_one(event)
            self._unsure = False
        finally:
            if self.position > before:
                self._remember()

    def _deliver_one(self, event: Mapping[str, Any]) -> None:
        self._attempt(getattr(self, f"_{event['type']}"), event, 1)

    def _deliver_together(self, events: list[Mapping[str, Any]]) -> None:
        self._attempt(self._reported, events, len(events))

    def _attempt(self, send: Callable[[Any], None], what: Any, count: int) -> None:
        try:
            if not self._experiment:
                self._experiment = self._find_experiment()
            send(what)
        except OSError as error:  # what requests raises is one too
            self._unsure = True
            raise ServerAway(_line(error)) from error
        except MlflowException as error:
            if error.error_code in _AWAY:
                self._unsure = True
                raise ServerAway(_line(error)) from error
            self.rejected.append(_line(error))
        self._state["position"] += count

    def _remember(self) -> None:
        beside = self._file.with_suffix(".new")
        beside.write_text(json.dumps(self._state))
        os.replace(beside, self._file)

    def _launched(self, event: Mapping[str, Any]) -> None:
        if self.launch_run:
            # The launch goes on: what an earlier driver left running was cut off with it.
            for run in list(self._state["going"]):
                self._finish(run, "KILLED", event["time"])
            self._client.update_run(self.launch_run, status="RUNNING")
            return
        self._state["launch"] = self._create(event["name"], {"ser.kind": "sweep"}, event["time"], event["name"])
        self._client.log_dict(self.launch_run, dict(self._context), LAUNCH_FILE)
        settings = {key: value for key, value in self._context.get("launch", {}).items() if key != "directory"}
        self._client.log_batch(self.launch_run, params=_params(_flat(settings)))

    def _started(self, event: Mapping[str, Any]) -> None:
        key, config = RunKey(**event["key"]), event["config"]
        earlier = self._state["runs"].get(str(key))
        if earlier in self._state["going"]:
            self._finish(earlier, "FAILED", event["time"])
        cell = self._cell(key.cell, event["time"])
        tags = {
            "ser.kind": key.kind,
            "ser.cell": key.cell,
            "ser.variant": key.cell.split("/")[0],
            "ser.task": key.cell.split("/")[1],
            "ser.number": str(key.number),
            "ser.data": config["data"],
            MLFLOW_PARENT_RUN_ID: cell,
        }
        run = self._create(f"{key.kind} {key.number}", tags, event["time"], f"{key}@{event['time']}")
        self._client.log_batch(run, params=_params(_flat(config)))
        self._state["runs"][str(key)] = run
        self._state["going"].append(run)

    def _reported(self, events: Iterable[Mapping[str, Any]]) -> None:
        by_run: dict[str, list[Metric]] = defaultdict(list)
        for event in events:
            metrics, run = dict(event["metrics"]), self._state["runs"][str(RunKey(**event["key"]))]
            step = int(metrics.pop("epoch", 0))
            by_run[run] += [Metric(name, value, event["time"], step) for name, value in metrics.items()]
        for run, gathered in by_run.items():
            for first in range(0, len(gathered), 1000):
                self._client.log_batch(run, metrics=gathered[first : first + 1000])

    def _model(self, event: Mapping[str, Any]) -> None:
        file = Path(event["file"])
        if file.exists():
            self._client.log_artifact(self._state["runs"][str(RunKey(**event["key"]))], str(file), "model")
            file.unlink()

    def _ended(self, event: Mapping[str, Any]) -> None:
        record = RunRecord.from_dict(event["record"])
        run = self._state["runs"][str(record.key)]
        # The scores of the selected epoch under names of their own: a metric's last step is not the selected one.
        metrics = [Metric(f"final/{name}", value, event["time"], 0) for name, value in record.metrics.items()]
        tags = [RunTag("ser.status", record.status), RunTag("ser.identity", record.config.identity)]
        if record.error:
            tags.append(RunTag("ser.error", record.error))
        self._client.log_batch(run, metrics=metrics, tags=tags)
        whole = {"record": {**event["record"], "run_id": run}, "context": dict(self._context)}
        self._client.log_dict(run, whole, RECORD_FILE)
        if record.confusion is not None:
            self._client.log_dict(run, {"rows are the true class": record.confusion}, CONFUSION_FILE)
        self._finish(run, _STATUS[record.status], event["time"])

    def _summary(self, event: Mapping[str, Any]) -> None:
        run = self._cell(event["cell"], event["time"])
        metrics = [Metric(name, value, event["time"], 0) for name, value in event["metrics"].items()]
        self._client.log_batch(run, metrics=metrics)

    def _artifact(self, event: Mapping[str, Any]) -> None:
        self._client.log_artifact(self.launch_run, event["file"])

    def _closed(self, event: Mapping[str, Any]) -> None:
        for run in list(self._state["going"]):
            self._finish(run, "KILLED", event["time"])
        for run in (*self._state["cells"].values(), self.launch_run):
            self._client.set_terminated(run, event["status"], event["time"])

    def _cell(self, cell: str, time: int) -> str:
        if cell not in self._state["cells"]:
            tags = {
                "ser.kind": "cell",
                "ser.cell": cell,
                "ser.variant": cell.split("/")[0],
                "ser.task": cell.split("/")[1],
                MLFLOW_PARENT_RUN_ID: self.launch_run,
            }
            self._state["cells"][cell] = self._create(cell, tags, time, f"{self.launch_run}/{cell}")
        return self._state["cells"][cell]

    def _finish(self, run: str, status: str, time: int) -> None:
        self._client.set_terminated(run, status, time)
        if run in self._state["going"]:
            self._state["going"].remove(run)

    def _create(self, name: str, tags: Mapping[str, str], time: int, event: str) -> str:
        """A new run; the one that a killed driver has created for this very event, where there is one."""
        mark = f"{self._file.parent.name}:{event}"
        if self._unsure:
            found = self._client.search_runs([self._experiment], f"tags.`ser.event` = '{mark}'", max_results=1)
            if found:
                return found[0].info.run_id
        all_tags = {**self._tags, **tags, "ser.event": mark, MLFLOW_RUN_NAME: name}
        return self._client.create_run(self._experiment, start_time=time, tags=all_tags).info.run_id

    def _find_experiment(self) -> str:
        found = self._client.get_experiment_by_name(self._experiment_name)
        if found is not None and found.lifecycle_stage == "deleted":
            self._client.restore_experiment(found.experiment_id)
        return found.experiment_id if found is not None else self._client.create_experiment(self._experiment_name)


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            flat.update(_flat(value, f"{prefix}{key}."))
        else:
            flat[f"{prefix}{key}"] = ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else value
    return flat


def _params(values: Mapping[str, Any]) -> list[Param]:
    # The hyperparameters under their own names: they are what is compared in the page of runs.
    named = {key.removeprefix("hyperparameters."): value for key, value in values.items()}
    return [Param(key, str(value)[:6000]) for key, value in named.items()]


def _line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
