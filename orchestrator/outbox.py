"""What is to be said of MLflow's runs: gathered, and sent in as few requests as MLflow takes.

A request costs MLflow some milliseconds, however little it says, and there are thousands of runs.
"""

from __future__ import annotations

import json
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Any

from orchestrator.mlflow_client import Metric, MlflowClient, MlflowException, Param, Run, RunTag, artifacts

_METRICS, _OTHERS = 800, 100  # of one request, and params, and tags: MLflow takes 1,000 in all
_INVALID = "INVALID_PARAMETER_VALUE"


class Outbox:
    """One MLflow's.

    Attributes:
        rejected: what MLflow refused for good (a run that its user deleted, say), one line each.
    """

    def __init__(self, client: MlflowClient, tracking_uri: str) -> None:
        """Begins with nothing in it.

        Args:
            client: of an MLflow that answers.
            tracking_uri: its address.
        """
        self.rejected: list[str] = []
        self._client, self._tracking_uri = client, tracking_uri
        self._folders: dict[str, str] = {}
        self._waiting: dict[str, _Waiting] = defaultdict(_Waiting)

    def know(self, run: Run) -> str:
        """Notes where a run's files go: whoever did not would ask for the whole run. Returns its id."""
        run_id: str = run.info.run_id
        self._folders[run_id] = run.info.artifact_uri
        return run_id

    @contextmanager
    def gathering(self) -> Iterator[None]:
        """What is added while the block runs has been sent at its end; if it fails, what waits is dropped."""
        self._waiting.clear()
        with tempfile.TemporaryDirectory(prefix="ser-artifact-") as folder:
            self._scratch = Path(folder)
            yield
        for run_id in list(self._waiting):
            self._send(run_id)

    def metrics(self, run_id: str, values: Mapping[str, float], time: int, step: int) -> None:
        """Adds metrics of one moment."""
        self._waiting[run_id].metrics += [Metric(name, float(value), time, step) for name, value in values.items()]

    def params(self, run_id: str, values: Mapping[str, str]) -> None:
        """Adds parameters."""
        self._waiting[run_id].params.update(values)

    def tags(self, run_id: str, values: Mapping[str, str]) -> None:
        """Adds tags."""
        self._waiting[run_id].tags.update(values)

    def running(self, run_id: str) -> None:
        """Says that a run goes on."""
        self._try(run_id, lambda: self._client.update_run(run_id, status="RUNNING"))

    def end(self, run_id: str, status: str, time: int) -> None:
        """Sends what waits for a run, and ends it."""
        self._send(run_id)
        self._try(run_id, lambda: self._client.set_terminated(run_id, status=status, end_time=time))

    def put(self, run_id: str, path: Path, folder: str | None = None) -> None:
        """Puts a file beside a run, in a folder there."""
        self._try(run_id, lambda: artifacts(self._folders[run_id], self._tracking_uri).log_artifact(str(path), folder))

    def put_json(self, run_id: str, content: Any, name: str) -> None:
        """Puts a JSON file beside a run."""
        path = self._scratch / name
        path.write_text(json.dumps(content, indent=1))
        self.put(run_id, path)

    def _send(self, run_id: str) -> None:
        """Sends what waits for a run."""
        waiting = self._waiting.pop(run_id, _Waiting())
        params = [Param(*each) for each in waiting.params.items()]
        tags = [RunTag(*each) for each in waiting.tags.items()]
        parts = [_parts(waiting.metrics, _METRICS), _parts(params, _OTHERS), _parts(tags, _OTHERS)]
        for batch in zip_longest(*parts, fillvalue=()):
            self._log(run_id, dict(zip(("metrics", "params", "tags"), batch, strict=True)))

    def _log(self, run_id: str, batch: Mapping[str, Any]) -> None:
        """Sends a batch; kind by kind where MLflow refuses it, so that what it accepts of it arrives."""
        try:
            self._client.log_batch(run_id, **batch)
        except MlflowException as error:
            given = {kind: entries for kind, entries in batch.items() if entries}
            if len(given) == 1 or error.error_code != _INVALID:
                self._refused(run_id, error)
            else:
                for kind, entries in given.items():
                    self._log(run_id, {kind: entries})

    def _try(self, run_id: str, action: Callable[[], Any]) -> None:
        """Does something to a run; what MLflow refuses as invalid it would refuse for ever, and is not tried again."""
        try:
            action()
        except MlflowException as error:
            self._refused(run_id, error)

    def _refused(self, run_id: str, error: MlflowException) -> None:
        """Notes an error that would come again, and raises any other."""
        if error.error_code != _INVALID:
            raise error
        self.rejected.append(f"run {run_id}: {str(error).splitlines()[0][:200]}")


@dataclass
class _Waiting:
    """What is to be said of a run."""

    metrics: list[Metric] = field(default_factory=list)
    params: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)


def _parts(entries: Sequence[Any], most: int) -> list[Sequence[Any]]:
    return [entries[start : start + most] for start in range(0, len(entries), most)]
