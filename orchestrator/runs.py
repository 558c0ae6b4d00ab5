"""What MLflow holds of past launches, read back: records, the context they ran in, and runs found by name."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from data_prep.errors import InputError, nearest_first
from orchestrator.delivery import CONFIG, RECORD
from orchestrator.mlflow_client import MlflowClient, MlflowException, Run, connect, explain, shown
from orchestrator.records import RunKey, RunRecord, Status
from trainables.config import TrialConfig

_RUN_ID = re.compile(r"[0-9a-f]{32}")


def find_run(tracking_uri: str, text: str) -> str:
    """The id of the run that ``text`` means.

    Args:
        tracking_uri: MLflow's.
        text: a run's id, a cell run's id, or ``sweep/variant/task``. A cell means its replicate 0; by name, in the
            latest finished launch of the sweep that has this cell.

    Raises:
        InputError: there is none; the message lists what is there, nearest first.
    """
    client = connect(tracking_uri, create=False)
    if _RUN_ID.fullmatch(text):
        return _by_id(client, tracking_uri, text)
    sweep, _, cell = text.partition("/")
    if not cell:
        raise InputError(f"{text!r} is neither a run id nor SWEEP/VARIANT/TASK")
    experiment = _experiment(client, tracking_uri, sweep)
    runs = _search(client, experiment, "tags.`ser.kind` = 'replicate' and tags.`ser.number` = '0'")
    finished = [run for run in runs if run.info.status == "FINISHED"]
    for launch in _launches(client, experiment, "FINISHED"):
        for run in finished:
            if run.data.tags["ser.launch"] == launch.data.tags["ser.launch"] and run.data.tags["ser.cell"] == cell:
                return run.info.run_id
    ended = {launch.data.tags["ser.launch"] for launch in _launches(client, experiment, "FINISHED")}
    there = {run.data.tags["ser.cell"] for run in finished if run.data.tags["ser.launch"] in ended}
    known = ", ".join(f"{sweep}/{name}" for name in nearest_first(cell, sorted(there)))
    raise InputError(
        f"no finished launch in MLflow at {shown(tracking_uri)} has a replicate of {text!r}; "
        f"there is, nearest first: {known or 'none'}"
    )


def find_launch(tracking_uri: str, text: str) -> tuple[str, str]:
    """The experiment and the parent run's id of a launch: ``text`` is any run id of it, or a sweep's name (its latest).

    Raises:
        InputError: there is none; the message lists what is there.
    """
    client = connect(tracking_uri, create=False)
    if _RUN_ID.fullmatch(text):
        run = _get(client, tracking_uri, text)
        name = client.get_experiment(run.info.experiment_id).name
        launch = run.data.tags.get("ser.launch")
        parents = [
            parent
            for parent in _launches(client, run.info.experiment_id)
            if launch is not None and parent.data.tags["ser.launch"] == launch
        ]
        if not parents:
            raise InputError(f"run {text} in experiment {name!r} is no run of a sweep")
        return name, parents[0].info.run_id
    launches = _launches(client, _experiment(client, tracking_uri, text))
    if not launches:
        raise InputError(f"the experiment {text!r} in MLflow at {shown(tracking_uri)} holds no launch of a sweep")
    return text, launches[0].info.run_id


def load_run(tracking_uri: str, run_id: str) -> tuple[RunRecord, dict[str, Any]]:
    """One run's record, and the context of its launch when it ran (``data``, ``environment``, ``launch``, ...)."""
    client = connect(tracking_uri, create=False)
    run = _get(client, tracking_uri, run_id)
    return _record(client, run), _artifact(client, run, CONFIG)["context"]


def load_records(tracking_uri: str, experiment: str, launch_run_id: str) -> tuple[list[RunRecord], dict[str, Any]]:
    """All records of a launch from MLflow alone, in the order of cells, and the launch's context.

    Of a run that was tried more than once the last attempt counts. One without an end is ``killed``.
    """
    client = connect(tracking_uri, create=False)
    parent = _get(client, tracking_uri, launch_run_id)
    launch = parent.data.tags["ser.launch"]
    latest: dict[str, Run] = {}
    for run in _search(client, _experiment(client, tracking_uri, experiment), f"tags.`ser.launch` = '{launch}'"):
        if run.data.tags["ser.kind"] in ("search", "replicate"):
            key = run.data.tags["ser.key"].rpartition("#")[0]
            if key not in latest or _attempt(latest[key]) < _attempt(run):
                latest[key] = run
    with ThreadPoolExecutor(8) as pool:
        records = list(pool.map(lambda run: _record(client, run), latest.values()))
    order = {"search": 0, "replicate": 1}
    records.sort(key=lambda record: (record.key.cell, order[record.key.kind], record.key.number))
    return records, _artifact(client, parent, CONFIG)["context"]


def _record(client: MlflowClient, run: Run) -> RunRecord:
    tags = run.data.tags
    if "ser.key" not in tags or tags["ser.kind"] not in ("search", "replicate"):
        raise InputError(f"run {run.info.run_id} is no search trial and no replicate of a sweep")
    if tags.get("ser.status") in ("finished", "stopped") or "ser.error" in tags:
        return RunRecord.from_dict(_artifact(client, run, RECORD))
    config = TrialConfig.from_dict(_artifact(client, run, CONFIG)["config"])
    key = RunKey(cell=tags["ser.cell"], kind=tags["ser.kind"], number=int(tags["ser.number"]))
    status: Status = "failed" if run.info.status == "FAILED" else "killed"
    return RunRecord(key=key, config=config, status=status, run_id=run.info.run_id)


def _artifact(client: MlflowClient, run: Run, name: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="ser-artifact-") as folder:
        try:
            with open(client.download_artifacts(run.info.run_id, name, folder)) as file:
                return json.load(file)
        except (OSError, MlflowException) as error:
            raise InputError(
                f"{name} of run {run.info.run_id} cannot be read from {run.info.artifact_uri}: {explain(error)}"
            ) from error


def _by_id(client: MlflowClient, tracking_uri: str, run_id: str) -> str:
    run = _get(client, tracking_uri, run_id)
    kind = run.data.tags.get("ser.kind")
    if kind in ("search", "replicate"):
        return run_id
    if kind == "pretraining":
        raise InputError(
            f"run {run_id} is what others start from; give one of those (their tag ser.start is this run's id): both are "
            "trained again"
        )
    if kind not in ("cell", "sweep"):
        raise InputError(f"run {run_id} is no run of a sweep")
    replicates = _search(
        client,
        run.info.experiment_id,
        f"tags.`ser.launch` = '{run.data.tags['ser.launch']}' and tags.`ser.kind` = 'replicate' "
        "and tags.`ser.number` = '0' and attributes.status = 'FINISHED'",
    )
    there = {replicate.data.tags["ser.cell"]: replicate.info.run_id for replicate in reversed(replicates)}
    cell = run.data.tags.get("ser.cell", "")
    if cell in there:
        return there[cell]
    what = f"cell {cell} has no finished replicate" if cell else "that is a whole launch; name one run of it"
    listed = ", ".join(f"{name} ({there[name]})" for name in nearest_first(cell, sorted(there)))
    raise InputError(f"run {run_id}: {what}; replicates are there of {listed or 'none'}")


def _get(client: MlflowClient, tracking_uri: str, run_id: str) -> Run:
    try:
        return client.get_run(run_id)
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise InputError(f"MLflow at {shown(tracking_uri)} cannot be read: {explain(error)}") from error
        raise InputError(
            f"MLflow at {shown(tracking_uri)} has no run {run_id}; give another --tracking-uri, or SWEEP/VARIANT/TASK"
        ) from error


def _experiment(client: MlflowClient, tracking_uri: str, name: str) -> str:
    found = client.get_experiment_by_name(name)
    if found is None:
        there = [experiment.name for experiment in client.search_experiments() if experiment.name != "Default"]
        raise InputError(
            f"MLflow at {shown(tracking_uri)} holds no sweep {name!r}; there is, nearest first: "
            f"{', '.join(nearest_first(name, there)) or 'none'}"
        )
    return found.experiment_id


def _launches(client: MlflowClient, experiment: str, status: str | None = None) -> Sequence[Run]:
    """Parent runs, the latest first."""
    runs = _search(client, experiment, "tags.`ser.kind` = 'sweep'")
    return [run for run in runs if status is None or run.info.status == status]


def _search(client: MlflowClient, experiment: str, what: str) -> list[Run]:
    return list(_pages(client, experiment, what))


def _pages(client: MlflowClient, experiment: str, what: str) -> Iterator[Run]:
    token: str | None = None
    while True:
        page = client.search_runs([experiment], filter_string=what, max_results=1000, page_token=token)
        yield from page
        token = page.token
        if not token:
            return


def _attempt(run: Run) -> int:
    tags: Mapping[str, str] = run.data.tags
    return int(tags["ser.attempt"])
