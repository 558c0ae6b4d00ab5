"""Brings the events of a launch to MLflow, in their order; bringing them again changes nothing.

An MLflow experiment is a sweep; a parent run (``ser.kind`` = ``sweep``) is one launch of it; under that is a run for
each cell (``cell``), and under each cell its search trials (``search``) and replicates (``replicate``). A run that others
start from (``pretraining``) is under the launch, and each of those names it (``ser.start``). A run that was cut off or
failed and was tried again has one MLflow run for each attempt. Runs are told apart by the tags
``ser.launch`` and ``ser.key``, so that one which MLflow already has is never made twice; times and steps come from the
events, so that a metric which it already has is the same row.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from data_prep import labels, splits
from data_prep.errors import InputError
from orchestrator.mlflow_client import MlflowClient, MlflowException, ViewType, local_folder, shown
from orchestrator.outbox import Outbox
from orchestrator.records import pretraining_key
from trainables.config import START, TrialConfig

Event = Mapping[str, Any]
CONFIG, RECORD, CONFUSION, MODEL = "config.json", "record.json", "confusion.json", "model"
PARENT = "launch"
EPOCH = "epoch/"
# What an epoch's number, its moment and its validation UAR say: most of what MLflow costs are rows of its database.
_SAID_ALREADY = {"epoch", "best_validation_uar", "train_seconds"}

_MODEL_TRAINING = {"mlflow.experimentKind": "custom_model_development"}  # else MLflow's pages are those for chat traces
_STATUS = {"finished": "FINISHED", "stopped": "FINISHED", "failed": "FAILED", "killed": "KILLED"}


class Delivery:
    """One launch's way into one MLflow."""

    def __init__(
        self, client: MlflowClient, tracking_uri: str, experiment: str, directory: Path, launch: Event
    ) -> None:
        """Begins, or goes on.

        Args:
            client: of an MLflow that answers.
            tracking_uri: its address.
            experiment: the sweep's name.
            directory: of the launch; paths in events are relative to it.
            launch: the launch event under which the first event to be delivered happened.
        """
        self._client, self._directory, self._launch = client, directory, launch
        self._experiment = _experiment(client, tracking_uri, experiment)
        self._out = Outbox(client, tracking_uri)
        self._runs = self._look_up()
        self._awake: set[str] = set()
        self._certain = True

    @property
    def rejected(self) -> list[str]:
        """What MLflow refused for good (a run that its user deleted, say), one line each."""
        return self._out.rejected

    @property
    def begun(self) -> bool:
        """Whether MLflow knows this launch."""
        return PARENT in self._runs

    def run_id(self, name: str) -> str | None:
        """The MLflow run of ``launch``, of a cell's name, or of a run's name (``full/a-b/search-0#1``)."""
        return self._runs.get(name)

    def deliver(self, events: Iterable[Event]) -> None:
        """Brings events to MLflow. When it raises, some may have arrived; bring all of them again."""
        if not self._certain:
            self._runs = self._look_up()
        self._certain = False
        with self._out.gathering():
            for event in events:
                getattr(self, f"_{event['event']}")(event)
        self._certain = True

    def _begun(self, event: Event) -> None:
        """The launch begins, or goes on under another driver."""
        self._launch = event
        tags = {**event["tags"], "ser.kind": "sweep", "mlflow.source.name": event["tags"].get("ser.command", "")}
        demo = " (demo corpora)" if event["context"].get("demo") else ""
        name = f"{datetime.fromtimestamp(event['time'] / 1000):%Y-%m-%d %H:%M:%S}{demo}"
        run_id = self._ensure(PARENT, name, event["time"], tags)
        settings = {key: value for key, value in event["context"].get("launch", {}).items() if key != "tracking_uri"}
        simple = {key: str(value) for key, value in settings.items() if isinstance(value, (str, int, float))}
        self._out.params(run_id, simple)
        self._out.tags(run_id, {key: value for key, value in tags.items() if key != "mlflow.source.name"})
        self._out.put_json(run_id, {"context": event["context"], "tags": event["tags"]}, CONFIG)
        self._out.running(run_id)

    def _started(self, event: Event) -> None:
        config = TrialConfig.from_dict(event["config"])
        cell, kind, name = event["cell"], event["kind"], event["run"]
        pretraining = kind == "pretraining"
        tags = {
            **(self._tags(config) if pretraining else self._cell_tags(cell, config)),
            "ser.kind": kind,
            "ser.number": str(event["number"]),
            "ser.attempt": str(event["attempt"]),
            "ser.identity": config.identity,
            "ser.seed": str(config.seed),
            **self._start_tags(config),
        }
        title = f"{kind} {config.method}" if pretraining else f"{cell}/{kind}-{event['number']}"
        title += f" (attempt {event['attempt']})" if event["attempt"] > 1 else ""
        parent = self._runs[PARENT] if pretraining else self._cell(event, config)
        if kind == "replicate":
            self._out.params(parent, {f"selected.{key}": str(value) for key, value in config.values.items()})
        run_id = self._ensure(name, title, event["time"], tags, parent=parent)
        self._out.params(run_id, flatten(config))
        described = {key: event[key] for key in ("cell", "kind", "number", "attempt", "config")}
        self._out.put_json(run_id, {**described, "context": self._launch["context"]}, CONFIG)

    def _reported(self, event: Event) -> None:
        step = int(event["metrics"].get("epoch", 0))
        # The best of several seeds is the mean of each one's, which no mean over them says.
        said = _SAID_ALREADY - ({"best_validation_uar"} if "validation_uar_sd" in event["metrics"] else set())
        values = {f"{EPOCH}{name}": value for name, value in event["metrics"].items() if name not in said}
        self._out.metrics(self._runs[event["run"]], values, event["time"], step)

    def _attached(self, event: Event) -> None:
        path, run_id = self._directory / event["path"], self._runs[event["run"]]
        if path.exists():
            self._out.put(run_id, path, MODEL)

    def _ended(self, event: Event) -> None:
        run_id, record = self._runs[event["run"]], event["record"]
        tags = {"ser.status": record["status"]}
        if record["status"] == "stopped":
            tags["ser.stopped"] = "asha"
        if record["error"]:
            tags["ser.error"] = record["error"]
        if origin := record["origin"]:
            tags |= {"ser.machine": origin["machine"], "ser.device": origin["device"]}
            tags["ser.split"] = origin["split"]["digest"]
            if "normalisation" in origin:
                tags["ser.normalisation"] = origin["normalisation"]
            if "found" in origin:
                tags["ser.found"] = str(origin["found"]).lower()  # true: it was there, trained before this attempt
        self._out.metrics(run_id, record["metrics"], event["time"], 0)
        self._out.tags(run_id, tags)
        if record["confusion"] is not None:
            classes = labels.load(record["config"]["task"]["scheme"]).classes
            legend = {"classes": classes, "rows": "true class", "columns": "predicted class"}
            self._out.put_json(run_id, {**legend, "counts": record["confusion"]}, CONFUSION)
        self._out.put_json(run_id, {**record, "run_id": run_id}, RECORD)
        self._out.end(run_id, _STATUS[record["status"]], event["time"])
        if "cell_metrics" in event:
            self._out.metrics(self._runs[record["cell"]], event["cell_metrics"], event["time"], event["cell_step"])

    def _cut(self, event: Event) -> None:
        run_id = self._runs[event["run"]]
        self._out.tags(run_id, {"ser.status": event["status"]})
        self._out.end(run_id, _STATUS[event["status"]], event["time"])

    def _added(self, event: Event) -> None:
        run_id, path = self._runs[PARENT], self._directory / event["path"]
        if path.exists():
            self._out.put(run_id, path)

    def _closed(self, event: Event) -> None:
        cells = [name for name in self._runs if name != PARENT and "#" not in name]
        for name in [*cells, PARENT]:
            self._out.end(self._runs[name], event["status"], event["time"])
        self._awake.clear()

    def _cell(self, event: Event, config: TrialConfig) -> str:
        """The cell's run, running."""
        name = event["cell"]
        known = name in self._runs
        tags = {**self._cell_tags(name, config), "ser.kind": "cell"}
        run_id = self._ensure(name, name, event["time"], tags, parent=self._runs[PARENT])
        if known and name not in self._awake:
            self._out.running(run_id)
        self._awake.add(name)
        return run_id

    def _cell_tags(self, cell: str, config: TrialConfig) -> dict[str, str]:
        variant, _, task = cell.partition("/")
        return {**self._tags(config), "ser.cell": cell, "ser.variant": variant, "ser.task": task}

    def _tags(self, config: TrialConfig) -> dict[str, str]:
        protocol = splits.load(config.task.protocol)
        rules = {"ser.protocol": protocol.name, "ser.selection": protocol.selection}
        return {**self._launch["tags"], "ser.data": config.data, "ser.method": config.method, **rules}

    def _start_tags(self, config: TrialConfig) -> dict[str, str]:
        """What a run starts from: that run's identity, and the MLflow run of its last attempt."""
        if config.start is None:
            return {}
        name = f"{pretraining_key(config.start)}#"
        attempts = [(int(key.removeprefix(name)), run) for key, run in self._runs.items() if key.startswith(name)]
        known = {"ser.start": max(attempts)[1]} if attempts else {}
        return {"ser.start_identity": config.start.identity, **known}

    def _ensure(self, name: str, title: str, time: int, tags: Mapping[str, str], parent: str | None = None) -> str:
        if name not in self._runs:
            own = {**tags, "ser.launch": self._launch["launch"], "ser.key": name, "mlflow.runName": title}
            if parent is not None:
                own["mlflow.parentRunId"] = parent
            run = self._client.create_run(self._experiment, start_time=time, tags=own, run_name=title)
            self._runs[name] = self._out.know(run)
        return self._runs[name]

    def _look_up(self) -> dict[str, str]:
        """The runs of this launch that MLflow has, deleted ones too: they are not made again."""
        found: dict[str, str] = {}
        token: str | None = None
        while True:
            page = self._client.search_runs(
                [self._experiment],
                filter_string=f"tags.`ser.launch` = '{self._launch['launch']}'",
                run_view_type=ViewType.ALL,
                max_results=1000,
                page_token=token,
            )
            found.update((run.data.tags["ser.key"], self._out.know(run)) for run in page)
            token = page.token
            if not token:
                return found


def flatten(config: TrialConfig) -> dict[str, str]:
    """A resolved configuration as MLflow parameters; a hyperparameter whose name is taken is written out in full."""
    values = config.to_dict()
    task, hyperparameters, start = (values.pop(name) for name in ("task", "hyperparameters", "start"))
    flat = {**values, **{f"task.{name}": value for name, value in task.items()}}
    for name, value in hyperparameters.items():
        flat[f"hyperparameters.{name}" if name in flat else name] = value
    shown = {name: "+".join(value) if isinstance(value, list) else str(value) for name, value in flat.items()}
    if config.start is None:
        return {**shown, "start": str(start)}
    return {**shown, **{f"{START}{name}": value for name, value in flatten(config.start).items()}}


def _experiment(client: MlflowClient, tracking_uri: str, name: str) -> str:
    """The id of the experiment ``name``, made where it is not there."""
    found = client.get_experiment_by_name(name)
    if found is None:
        folder = local_folder(tracking_uri)
        location = None if folder is None else (folder / "mlruns" / name).as_uri()
        try:
            return client.create_experiment(name, artifact_location=location, tags=_MODEL_TRAINING)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
            found = client.get_experiment_by_name(name)
            assert found is not None, "somebody else has just made it"
    if found.lifecycle_stage != "active":
        raise InputError(
            f"the experiment {name!r} of MLflow at {shown(tracking_uri)} has been deleted; restore it there, or empty "
            "its trash with mlflow gc"
        )
    return found.experiment_id
