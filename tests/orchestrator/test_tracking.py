"""Tracking with a real MLflow: what is in it, and that nothing is lost or doubled when drivers and servers die."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections import Counter
from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient

from data_prep.errors import InputError
from orchestrator.delivery import Delivery
from orchestrator.journal import Journal
from orchestrator.records import RunKey, RunRecord
from orchestrator.runs import find_run, load_launch, load_run
from orchestrator.tracking import Tracker

ROOT = Path(__file__).resolve().parents[2]
CELL = "full/iemocap-emodb"
CONTEXT = {"launch": {"command": "python -m orchestrator.sweep made_up"}, "demo": True, "workers": 1}


@pytest.fixture
def begin(tmp_path):
    """Begins, or goes on with, a launch's tracking."""

    def make(uri: str | None = None, name: str = "launch") -> Tracker:
        (tmp_path / name).mkdir(exist_ok=True)
        uri = uri or f"sqlite:///{tmp_path / 'mlflow.db'}"
        return Tracker(tmp_path / name, uri, "made_up", context=CONTEXT, tags={"ser.demo_corpora": "true"})

    return make


@pytest.fixture
def uri(tmp_path) -> str:
    return f"sqlite:///{tmp_path / 'mlflow.db'}"


def make_record(plan, kind: str, number: int, score: float, status: str = "finished") -> RunRecord:
    key = RunKey(cell=CELL, kind=kind, number=number)
    history = tuple({"epoch": e, "validation_uar": score * e / 3, "loss/classifier": 1 / e} for e in (1, 2, 3))
    return RunRecord(
        key=key,
        config=plan.config(key, {"learning_rate": 1e-3}),
        status=status,
        metrics={"validation_uar": score, "test_uar": score - 0.1, "best_epoch": 3.0} if status == "finished" else {},
        history=history,
        confusion=[[3, 1], [2, 4]] if status == "finished" else None,
    )


def play(tracker: Tracker, record: RunRecord) -> None:
    tracker.started(record.key, record.config)
    for epoch in record.history:
        tracker.reported(record.key, epoch)
    tracker.ended(record)


def runs_of(uri: str, kind: str):
    client = MlflowClient(tracking_uri=uri)
    experiment = client.get_experiment_by_name("made_up").experiment_id
    return client.search_runs([experiment], f"tags.`ser.kind` = '{kind}'", order_by=["start_time ASC"])


def test_launch_cells_and_runs_are_nested_and_hold_configuration_curves_scores_and_model(
    begin, uri, make_plan, tmp_path
):
    plan = make_plan(CELL)
    tracker = begin()
    record = make_record(plan, "replicate", 0, 0.6)
    play(tracker, record)
    (tmp_path / "model.pt").write_bytes(b"weights")
    tracker.attach(record.key, tmp_path / "model.pt")
    tracker.summarise_cell(CELL, {"test_uar_mean": 0.5})
    assert tracker.close() == 0
    (launch,), (cell,), (run,) = (runs_of(uri, kind) for kind in ("sweep", "cell", "replicate"))
    assert cell.data.tags["mlflow.parentRunId"] == launch.info.run_id
    assert run.data.tags["mlflow.parentRunId"] == cell.info.run_id
    assert (run.info.run_name, cell.info.run_name) == ("replicate 0", CELL)
    assert {each.info.status for each in (launch, cell, run)} == {"FINISHED"}
    assert run.data.params["learning_rate"] == "0.001" and run.data.params["task.protocol"] == "random_80_20"
    assert run.data.metrics["final/test_uar"] == 0.5 and cell.data.metrics["test_uar_mean"] == 0.5
    assert run.data.tags["ser.demo_corpora"] == "true" and run.data.tags["ser.identity"] == record.config.identity
    client = MlflowClient(tracking_uri=uri)
    curve = client.get_metric_history(run.info.run_id, "validation_uar")
    assert [(point.step, point.value) for point in curve] == [(e, 0.6 * e / 3) for e in (1, 2, 3)]
    assert {item.path for item in client.list_artifacts(run.info.run_id)} == {"record.json", "confusion.json", "model"}


def test_everything_can_be_read_back_from_mlflow_alone(begin, uri, make_plan):
    plan = make_plan(CELL)
    records = [make_record(plan, "search", n, 0.5 + n / 10) for n in range(3)]
    records += [make_record(plan, "replicate", 0, 0.6), make_record(plan, "search", 3, 0.0, "failed")]
    tracker = begin()
    for record in records:
        play(tracker, record)
    tracker.close()
    read, context, launch = load_launch(uri, "made_up")
    plain = {str(record.key): {**record.to_dict(), "run_id": None} for record in read}
    assert plain == {str(record.key): record.to_dict() for record in records}
    assert context == CONTEXT
    again, _, _ = load_launch(uri, launch)
    assert len(again) == 5
    one, its_context = load_run(uri, find_run(uri, f"made_up/{CELL}"))
    assert (one.key, one.metrics, its_context) == (records[3].key, records[3].metrics, CONTEXT)


def test_a_cells_name_means_its_first_replicate_in_the_latest_launch(begin, uri, make_plan):
    plan = make_plan(CELL)
    for name, score in (("older", 0.5), ("newer", 0.7)):
        tracker = begin(name=name)
        play(tracker, make_record(plan, "replicate", 1, score + 0.1))
        play(tracker, make_record(plan, "replicate", 0, score))
        tracker.close()
        time.sleep(0.01)
    record, _ = load_run(uri, find_run(uri, f"made_up/{CELL}"))
    assert (record.key.number, record.metrics["validation_uar"]) == (0, 0.7)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("made_up/ful/iemocap-emodb", "no finished replicate of .*; cells that have one, nearest first: made_up/full/"),
        ("mad_up/full/x", "no run and no sweep 'mad_up' in .*; sweeps there, nearest first: made_up"),
        ("0123456789abcdef", "no run '0123456789abcdef' in sqlite"),
    ],
)
def test_a_run_that_is_not_there_is_said_with_what_is(text, message, begin, uri, make_plan):
    tracker = begin()
    play(tracker, make_record(make_plan(CELL), "replicate", 0, 0.5))
    tracker.close()
    with pytest.raises(InputError, match=message):
        load_run(uri, find_run(uri, text))


def test_only_a_search_trial_or_a_replicate_can_be_loaded(begin, uri, make_plan):
    tracker = begin()
    launch = tracker.run_id
    tracker.close()
    with pytest.raises(InputError, match="is a sweep; give the id of a search trial or a replicate"):
        load_run(uri, launch)


def test_an_interrupted_launch_is_killed_with_its_running_runs_and_can_go_on(begin, uri, make_plan):
    plan = make_plan(CELL)
    tracker = begin()
    play(tracker, make_record(plan, "search", 0, 0.5))
    cut_off = make_record(plan, "search", 1, 0.6)
    tracker.started(cut_off.key, cut_off.config)
    tracker.close("KILLED")
    assert [run.info.status for run in runs_of(uri, "search")] == ["FINISHED", "KILLED"]
    assert runs_of(uri, "sweep")[0].info.status == "KILLED"
    resumed = begin()
    assert list(resumed.finished_records()) == [f"{CELL}/search-0"]
    play(resumed, cut_off)
    resumed.close()
    assert [run.info.status for run in runs_of(uri, "search")] == ["FINISHED", "KILLED", "FINISHED"]
    assert [run.info.status for run in runs_of(uri, "sweep")] == ["FINISHED"], "it is the same launch"


def test_delivered_again_from_any_earlier_point_nothing_is_doubled(begin, uri, make_plan, tmp_path):
    plan, folder = make_plan(CELL), tmp_path / "launch"
    tracker = begin()
    play(tracker, make_record(plan, "search", 0, 0.5))
    tracker.close()
    events = Journal(folder / "journal.jsonl").since(0)
    (folder / "delivered.json").unlink()
    fresh = f"sqlite:///{tmp_path / 'other.db'}"
    states = []
    for event in events:
        delivery = Delivery(fresh, "made_up", folder, CONTEXT, {})
        delivery.deliver([event])
        states.append((folder / "delivered.json").read_text())
    for state in states[:-1]:
        # As if the driver had died when MLflow had taken all the rest and nothing of that had been noted.
        (folder / "delivered.json").write_text(state)
        delivery = Delivery(fresh, "made_up", folder, CONTEXT, {})
        delivery.deliver(events[delivery.position :])
    (run,) = runs_of(fresh, "search")
    curve = MlflowClient(tracking_uri=fresh).get_metric_history(run.info.run_id, "validation_uar")
    assert [point.step for point in curve] == [1, 2, 3]
    assert len(runs_of(fresh, "cell")) == len(runs_of(fresh, "sweep")) == 1


def test_what_mlflow_refuses_for_good_is_told_and_does_not_hold_up_the_rest(begin, uri, make_plan):
    plan = make_plan(CELL)
    tracker = begin()
    first, second = make_record(plan, "search", 0, 0.5), make_record(plan, "search", 1, 0.6)
    play(tracker, first)
    tracker.close("KILLED")
    MlflowClient(tracking_uri=uri).delete_run(runs_of(uri, "cell")[0].info.run_id)
    tracker = begin()
    play(tracker, second)
    tracker.summarise_cell(CELL, {"test_uar_mean": 0.5})
    assert tracker.close() == 0
    assert tracker.rejected and "deleted" in tracker.rejected[0]
    assert [run.info.status for run in runs_of(uri, "search")] == ["FINISHED", "FINISHED"]


def test_a_journal_whose_last_line_is_torn_goes_on_without_it(tmp_path):
    journal = Journal(tmp_path / "journal.jsonl")
    journal.append({"n": 1}, durable=True)
    journal.close()
    with (tmp_path / "journal.jsonl").open("ab") as file:
        file.write(b'{"n": 2, "torn')
    again = Journal(tmp_path / "journal.jsonl")
    again.append({"n": 3})
    assert again.since(0) == [{"n": 1}, {"n": 3}]
    assert [json.loads(line) for line in (tmp_path / "journal.jsonl").read_text().splitlines()] == [{"n": 1}, {"n": 3}]


def test_what_had_ended_when_the_driver_was_killed_is_there_and_delivered_by_the_next_one(
    begin, uri, make_plan, tmp_path
):
    plan = make_plan(CELL)
    record = make_record(plan, "search", 0, 0.5)
    (tmp_path / "record.json").write_text(json.dumps(record.to_dict()))
    script = textwrap.dedent(
        """
        import json, os, signal, sys
        from pathlib import Path
        from orchestrator.records import RunRecord
        from orchestrator.tracking import Tracker
        record = RunRecord.from_dict(json.loads(Path("record.json").read_text()))
        Path("launch").mkdir()
        tracker = Tracker(Path("launch"), "sqlite:///mlflow.db", "made_up", context={}, tags={})
        tracker.started(record.key, record.config)
        for epoch in record.history:
            tracker.reported(record.key, epoch)
        tracker.ended(record)
        os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, env=environment, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    tracker = begin()
    assert tracker.finished_records() == {str(record.key): record}
    tracker.close()
    (run,) = runs_of(uri, "search")
    assert run.info.status == "FINISHED" and run.data.metrics["final/test_uar"] == 0.4
    assert len(runs_of(uri, "sweep")) == 1


def test_an_mlflow_that_does_not_answer_is_said_at_once(begin):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    started = time.monotonic()
    with pytest.raises(InputError, match=rf"MLflow does not answer at http://127.0.0.1:{port} .*--tracking-uri"):
        begin(f"http://127.0.0.1:{port}")
    assert time.monotonic() - started < 20


@pytest.mark.parametrize("wrong", ["sqlite:////no/such/folder/mlflow.db", "mlflow.db", "ftp://somewhere"])
def test_an_address_that_can_be_no_mlflow_is_said(wrong, begin):
    with pytest.raises(InputError, match=r"is not there or cannot be written|is no MLflow address"):
        begin(wrong)


class Server:
    """An MLflow server of its own process."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.process = folder, None
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.uri = f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(self.port)]
        command += ["--workers", "1", "--backend-store-uri", f"sqlite:///{self.folder / 'server.db'}"]
        command += ["--artifacts-destination", str(self.folder / "artifacts")]
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(command, cwd=self.folder, stdout=log, stderr=log, start_new_session=True)
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.2)
        raise AssertionError((self.folder / "server.log").read_text())

    def kill(self) -> None:
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None


def test_a_server_that_goes_away_and_comes_back_has_lost_nothing_and_doubled_nothing(begin, make_plan, tmp_path):
    if shutil.which("mlflow") is None and not (Path(sys.executable).parent / "mlflow").exists():
        pytest.skip("the mlflow command is not installed")
    plan, server = make_plan(CELL), Server(tmp_path)
    server.start()
    try:
        tracker = begin(server.uri)
        play(tracker, make_record(plan, "search", 0, 0.5))
        server.kill()
        for number in (1, 2, 3):
            play(tracker, make_record(plan, "search", number, 0.5 + number / 10))
            time.sleep(0.5)
        assert tracker.close(patience=3) > 0, "what could not be delivered is counted"
        server.start()
        resumed = begin(server.uri)
        assert len(resumed.finished_records()) == 4
        assert resumed.close() == 0
        records, _, _ = load_launch(server.uri, "made_up")
        assert Counter(str(record.key) for record in records) == {f"{CELL}/search-{n}": 1 for n in range(4)}
        for run in runs_of(server.uri, "search"):
            curve = MlflowClient(tracking_uri=server.uri).get_metric_history(run.info.run_id, "validation_uar")
            assert [point.step for point in curve] == [1, 2, 3]
    finally:
        server.kill()
