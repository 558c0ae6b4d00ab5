"""Reading runs back: everything that a report or a reproduction needs is in MLflow alone."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from mlflow.entities import Run
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from data_prep.errors import InputError, nearest_first
from orchestrator.addresses import check_address
from orchestrator.delivery import LAUNCH_FILE, RECORD_FILE
from orchestrator.records import RunRecord
from orchestrator.tracking import quiet_mlflow


def load_run(uri: str, run_id: str) -> tuple[RunRecord, dict[str, Any]]:
    """A search trial's or replicate's record, and the context of its launch.

    Raises:
        InputError: it is no such run, or has not ended.
    """
    client = _client(uri)
    run = _get(client, run_id, uri)
    kind = run.data.tags.get("ser.kind")
    if kind not in ("search", "replicate"):
        raise InputError(
            f"run {run_id} is {'a ' + kind if kind else 'no run of this project'}; give the id of a search trial or a "
            "replicate, or SWEEP/VARIANT/TASK"
        )
    if "ser.status" not in run.data.tags:
        raise InputError(f"run {run_id} has not ended ({run.info.status.lower()}); only a finished run can be used")
    whole = _artifact(client, run_id, RECORD_FILE)
    return RunRecord.from_dict(whole["record"]), whole["context"]


def find_run(uri: str, text: str) -> str:
    """The run that ``text`` means: a run id, or ``SWEEP/VARIANT/TASK`` for the first replicate of that cell in the
    latest launch that has one.

    Raises:
        InputError: there is none; the message lists what there is, nearest first.
    """
    if "/" not in text:
        return text
    sweep, _, cell = text.partition("/")
    client = _client(uri)
    experiment = _experiment(client, sweep, uri)
    wanted = "tags.`ser.kind` = 'replicate' and tags.`ser.number` = '0' and tags.`ser.status` = 'finished'"
    runs = client.search_runs([experiment], f"{wanted} and tags.`ser.cell` = '{cell}'", order_by=["start_time DESC"])
    if runs:
        return runs[0].info.run_id
    cells = {run.data.tags["ser.cell"] for run in client.search_runs([experiment], wanted)}
    known = ", ".join(f"{sweep}/{name}" for name in nearest_first(cell, cells)) or "none yet"
    raise InputError(f"no finished replicate of {text} in {uri}; cells that have one, nearest first: {known}")


def load_launch(uri: str, text: str) -> tuple[list[RunRecord], dict[str, Any], str]:
    """All records of a launch, its context, and its run id; ``text`` is that id, or a sweep's name for its latest one.

    Raises:
        InputError: there is no such launch.
    """
    client = _client(uri)
    launch = _find_launch(client, text, uri)
    experiment, records = launch.info.experiment_id, []
    for cell in _children(client, experiment, launch.info.run_id):
        for run in _children(client, experiment, cell.info.run_id):
            if "ser.status" in run.data.tags:
                records.append(RunRecord.from_dict(_artifact(client, run.info.run_id, RECORD_FILE)["record"]))
    return records, _artifact(client, launch.info.run_id, LAUNCH_FILE), launch.info.run_id


def _find_launch(client: MlflowClient, text: str, uri: str) -> Run:
    experiments = {experiment.name: experiment.experiment_id for experiment in client.search_experiments()}
    if text in experiments:
        launches = client.search_runs(
            [experiments[text]], "tags.`ser.kind` = 'sweep'", order_by=["start_time DESC"], max_results=1
        )
        if launches:
            return launches[0]
        raise InputError(f"{text} has no launch in {uri} yet; start one: python -m orchestrator.sweep {text}")
    try:
        run = client.get_run(text)
    except MlflowException:
        _experiment(client, text, uri)
        raise
    if run.data.tags.get("ser.kind") != "sweep":
        raise InputError(f"run {text} is no launch of a sweep; give a sweep's name or the id of its parent run")
    return run


def _children(client: MlflowClient, experiment: str, parent: str) -> list[Run]:
    children: list[Run] = []
    token = None
    while True:
        page = client.search_runs(
            [experiment],
            f"tags.`mlflow.parentRunId` = '{parent}'",
            order_by=["start_time ASC"],
            max_results=1000,
            page_token=token,
        )
        children += page
        token = page.token
        if not token:
            return children


def _experiment(client: MlflowClient, name: str, uri: str) -> str:
    found = client.get_experiment_by_name(name)
    if found is not None:
        return found.experiment_id
    known = [experiment.name for experiment in client.search_experiments() if experiment.name != "Default"]
    listed = ", ".join(nearest_first(name, known)) or "none yet"
    raise InputError(f"no run and no sweep {name!r} in {uri}; sweeps there, nearest first: {listed}")


def _get(client: MlflowClient, run_id: str, uri: str) -> Run:
    try:
        return client.get_run(run_id)
    except MlflowException:
        raise InputError(
            f"no run {run_id!r} in {uri}; `make ui` shows the runs, or give SWEEP/VARIANT/TASK for a cell"
        ) from None


def _artifact(client: MlflowClient, run_id: str, name: str) -> Any:
    with tempfile.TemporaryDirectory(prefix="ser-artifact-") as folder:
        return json.loads(Path(client.download_artifacts(run_id, name, folder)).read_text())


def _client(uri: str) -> MlflowClient:
    check_address(uri)
    quiet_mlflow()
    return MlflowClient(tracking_uri=uri)
