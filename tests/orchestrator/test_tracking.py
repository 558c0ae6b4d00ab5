"""Tracking against real MLflow: databases, a server that goes away, and drivers that are killed."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from data_prep.errors import InputError
from orchestrator import RECOVERY
from orchestrator.journal import Journal
from orchestrator.mlflow_client import MlflowClient, ViewType, connect
from orchestrator.records import RunKey
from orchestrator.runs import find_launch, find_run, load_records, load_run
from orchestrator.tracking import Tracker

CELL = "full/iemocap-emodb"
TAGS = {"ser.sweep": "made_up", "ser.selection": "source_val", "ser.demo_corpora": "true", "ser.code": "abc"}


@pytest.fixture
def open_tracker(tmp_path, uri, study) -> Iterator[Callable[..., Tracker]]:
    trackers = []

    def open_it(directory: str = "launch", **given: Any) -> Tracker:
        context = {"demo": True, "launch": {"epochs": 2, "sweep": "made_up"}, "environment": {"machine": "m"}}
        settings = {"tracking_uri": uri, "context": context, "tags": TAGS, "interval": 0.05} | given
        tracker = Tracker(tmp_path / directory, settings.pop("tracking_uri"), "made_up", **settings)
        trackers.append(tracker)
        return tracker

    yield open_it
    for tracker in trackers:
        tracker.close("KILLED", patience=0)


def track(tracker: Tracker, record: Any) -> None:
    """Tells of a run from its start to its end."""
    tracker.started(record.key, record.config)
    for epoch in record.history:
        tracker.reported(record.key, epoch)
    tracker.ended(record)


def everything(uri: str) -> dict[str, Any]:
    """All that an MLflow holds of the made-up sweep: statuses, parameters, and every point of every metric, by run."""
    client = connect(uri)
    experiment = client.get_experiment_by_name("made_up").experiment_id
    runs = client.search_runs([experiment], run_view_type=ViewType.ALL, max_results=1000)
    keys = {(run.data.tags["ser.launch"], run.data.tags["ser.key"]) for run in runs}
    assert len(keys) == len(runs), "a run is there twice"
    return {
        run.data.tags["ser.key"]: (
            run.info.status,
            run.data.params,
            {
                name: [(point.step, point.value) for point in client.get_metric_history(run.info.run_id, name)]
                for name in run.data.metrics
            },
            sorted(item.path for item in client.list_artifacts(run.info.run_id)),
        )
        for run in runs
    }


def test_what_a_run_would_have_gone_on_from_is_there_until_it_has_ended(open_tracker, make_record, tmp_path):
    record, other = (make_record(CELL, "search", number) for number in (0, 1))
    tracker, folder = open_tracker(), tmp_path / "launch" / RECOVERY
    folder.mkdir()
    states = [folder / f"{each.config.identity}.pt" for each in (record, other)]
    for each, state in zip((record, other), states, strict=True):
        state.touch()
        tracker.started(each.key, each.config)
    tracker.started(record.key, record.config)  # a second attempt
    assert all(state.exists() for state in states)
    tracker.ended(record)
    assert [state.exists() for state in states] == [False, True]
    tracker.interrupted()
    assert states[1].exists()


def test_a_record_comes_back_from_mlflow_as_it_was(open_tracker, make_record, uri):
    tracker = open_tracker()
    odd = {"epoch": 3.0, "validation_uar": 0.1 + 0.2, "loss/classifier": math.inf, "learning_rate": 1e-300}
    record = make_record(CELL, "replicate", 0, test=1 / 3)
    record = dataclasses.replace(record, history=(*record.history, odd))
    track(tracker, record)
    assert tracker.close() == 0
    found, context = load_run(uri, find_run(uri, f"made_up/{CELL}"))
    assert found == dataclasses.replace(record, run_id=found.run_id, history=tuple(record.history))
    assert found.run_id is not None
    assert context["environment"] == {"machine": "m"}


def test_the_experiment_is_the_sweep_and_runs_hang_under_cells_under_a_launch(open_tracker, make_record, uri):
    tracker = open_tracker()
    track(tracker, make_record(CELL, "search", 0, validation=0.6))
    track(tracker, make_record(CELL, "replicate", 0, test=0.5))
    track(tracker, make_record(CELL, "replicate", 1, test=0.4))
    tracker.close()
    client = MlflowClient(uri)
    launch = client.get_run(tracker.launch_run_id)
    assert (launch.data.tags["ser.kind"], launch.info.status) == ("sweep", "FINISHED")
    assert launch.data.params["epochs"] == "2"
    trial = client.get_run(tracker.run_id(RunKey(cell=CELL, kind="search", number=0)))
    cell = client.get_run(trial.data.tags["mlflow.parentRunId"])
    assert cell.data.tags["mlflow.parentRunId"] == tracker.launch_run_id
    assert (cell.info.run_name, cell.data.tags["ser.kind"], cell.info.status) == (CELL, "cell", "FINISHED")
    assert cell.data.metrics["best_validation_uar"] == 0.6
    assert cell.data.metrics["test_uar_mean"] == pytest.approx(0.45)
    assert cell.data.metrics["test_uar_std"] == pytest.approx(0.1 / math.sqrt(2))


def test_a_run_carries_its_configuration_its_curves_and_its_scores(open_tracker, make_record, uri):
    tracker, record = open_tracker(), make_record(CELL, "search", 2, validation=0.6, test=0.5)
    track(tracker, record)
    tracker.close()
    client = MlflowClient(uri)
    run = client.get_run(tracker.run_id(record.key))
    assert run.info.run_name == f"{CELL}/search-2"
    assert run.data.params["learning_rate"] == str(record.config.hyperparameters["learning_rate"])
    assert run.data.params["task.targets"] == "emodb"
    assert run.data.params["seed"] == str(record.config.seed)
    expected = {
        "ser.kind": "search", "ser.cell": CELL, "ser.variant": "full", "ser.task": "iemocap-emodb", "ser.number": "2",
        "ser.data": "data of iemocap-emodb", "ser.protocol": "random_80_20", "ser.identity": record.config.identity,
        "ser.status": "finished",
    }  # fmt: skip
    assert expected.items() <= run.data.tags.items()
    assert TAGS.items() <= run.data.tags.items()
    assert run.data.metrics["test_uar"] == 0.5
    curve = client.get_metric_history(run.info.run_id, "epoch/validation_uar")
    assert [(point.step, point.value) for point in curve] == [(1, 0.3), (2, 0.6)]
    confusion = connect(uri).download_artifacts(run.info.run_id, "confusion.json")
    assert '"angry"' in Path(confusion).read_text()


def test_how_a_run_ended_is_its_status(open_tracker, make_record, uri):
    tracker = open_tracker()
    track(tracker, make_record(CELL, "search", 0))
    track(tracker, make_record(CELL, "search", 1, status="stopped"))
    track(tracker, make_record(CELL, "search", 2, status="failed", error="failed 2 times"))
    running = make_record(CELL, "search", 3)
    tracker.started(running.key, running.config)
    tracker.interrupted()
    client = MlflowClient(uri)
    runs = [client.get_run(tracker.run_id(RunKey(cell=CELL, kind="search", number=n))) for n in range(4)]
    assert [run.info.status for run in runs] == ["FINISHED", "FINISHED", "FAILED", "KILLED"]
    assert runs[1].data.tags["ser.stopped"] == "asha"
    assert runs[2].data.tags["ser.error"] == "failed 2 times"
    assert client.get_run(tracker.launch_run_id).info.status == "KILLED"
    records, _ = load_records(uri, *find_launch(uri, "made_up"))
    assert [record.status for record in records] == ["finished", "stopped", "failed", "killed"]


def test_the_model_is_kept_and_its_file_moved(open_tracker, make_record, tmp_path, uri):
    tracker, record = open_tracker(interval=60), make_record(CELL, "search", 0)
    tracker.started(record.key, record.config)
    (tmp_path / "new.pt").write_bytes(b"weights")
    tracker.attach(record.key, tmp_path / "new.pt")
    assert not (tmp_path / "new.pt").exists()
    tracker.ended(record)
    assert tracker.close() == 0
    kept = MlflowClient(uri).download_artifacts(tracker.run_id(record.key), "model/model.pt")
    assert Path(kept).read_bytes() == b"weights"


def test_another_attempt_is_another_run_and_the_last_one_counts(open_tracker, make_record, uri):
    tracker = open_tracker()
    failing, record = make_record(CELL, "search", 0, validation=0.1), make_record(CELL, "search", 0, validation=0.7)
    tracker.started(failing.key, failing.config)
    tracker.reported(failing.key, failing.history[0])
    track(tracker, record)
    tracker.close()
    held = everything(uri)
    assert held[f"{CELL}/search-0#1"][0] == "FAILED"
    assert held[f"{CELL}/search-0#2"][0] == "FINISHED"
    records, _ = load_records(uri, "made_up", tracker.launch_run_id)
    assert [found.metrics["validation_uar"] for found in records] == [0.7]


def test_a_resumed_launch_knows_what_has_ended_and_marks_what_had_not(open_tracker, make_record, uri):
    first = open_tracker()
    done, cut = make_record(CELL, "search", 0), make_record(CELL, "search", 1)
    track(first, done)
    first.started(cut.key, cut.config)
    first.interrupted()
    second = open_tracker()
    assert [record.config for record in second.finished_records().values()] == [done.config]
    assert second.launch_run_id == first.launch_run_id
    assert MlflowClient(uri).get_run(second.launch_run_id).info.status == "RUNNING"
    track(second, cut)
    assert second.close() == 0
    statuses = {name: held[0] for name, held in everything(uri).items()}
    assert statuses == {
        "launch": "FINISHED", CELL: "FINISHED", f"{CELL}/search-0#1": "FINISHED", f"{CELL}/search-1#1": "KILLED",
        f"{CELL}/search-1#2": "FINISHED",
    }  # fmt: skip


def test_delivering_everything_once_more_changes_nothing(open_tracker, make_record, tmp_path, uri):
    first = open_tracker()
    for number in range(3):
        track(first, make_record(CELL, "search", number))
    first.close()
    before = everything(uri)
    (tmp_path / "launch" / "delivered").unlink()
    open_tracker().close()
    assert everything(uri) == before


def test_an_mlflow_that_knows_nothing_of_the_launch_gets_all_of_it(
    open_tracker, make_record, tmp_path, uri, empty_database
):
    first = open_tracker()
    track(first, make_record(CELL, "replicate", 0))
    first.close()
    (tmp_path / "other").mkdir()
    other = f"sqlite:///{shutil.copy(empty_database, tmp_path / 'other')}"
    open_tracker(tracking_uri=other).close()
    assert everything(other) == everything(uri)


def test_a_run_that_its_user_deletes_stops_nothing(open_tracker, make_record, uri):
    tracker, record = open_tracker(), make_record(CELL, "search", 0)
    tracker.started(record.key, record.config)
    assert tracker.flush() == 0
    MlflowClient(uri).delete_run(tracker.run_id(record.key))
    tracker.ended(record)
    track(tracker, make_record(CELL, "search", 1))
    assert tracker.close() == 0
    assert any("active" in line for line in tracker.rejected)
    assert everything(uri)[f"{CELL}/search-1#1"][0] == "FINISHED"


def test_metrics_that_mlflow_refuses_take_no_parameters_tags_or_files_with_them(open_tracker, make_record, uri):
    tracker, record = open_tracker(), make_record(CELL, "search", 0)
    odd = {"epoch": 3.0, "validation_uar": 0.5, "best_validation_uar": 0.5, "loss/?": 1.0}
    track(tracker, dataclasses.replace(record, history=(*record.history, odd)))
    other = make_record(CELL, "search", 1)
    track(tracker, other)
    assert tracker.close() == 0
    assert any("loss/?" in line for line in tracker.rejected)
    refused, whole = (everything(uri)[f"{CELL}/search-{number}#1"] for number in (0, 1))
    assert refused[0] == "FINISHED" and refused[1].keys() == whole[1].keys() and refused[3] == whole[3]
    tags = [MlflowClient(uri).get_run(tracker.run_id(key)).data.tags for key in (record.key, other.key)]
    assert tags[0].keys() == tags[1].keys() and tags[0]["ser.status"] == "finished"


def test_a_launch_that_begins_twice_before_anything_is_delivered_has_its_parameters(
    open_tracker, tmp_path, empty_database
):
    open_tracker().interrupted()
    journal = tmp_path / "launch" / "journal.jsonl"
    begun = [line for line in journal.read_text().splitlines() if json.loads(line)["event"] == "begun"]
    journal.write_text("".join(f"{line}\n" for line in begun * 2))  # as if killed, and before MLflow answered
    (tmp_path / "launch" / "delivered").unlink()
    (tmp_path / "empty").mkdir()
    other = f"sqlite:///{shutil.copy(empty_database, tmp_path / 'empty')}"
    tracker = open_tracker(tracking_uri=other)
    assert tracker.close() == 0 and not tracker.rejected
    assert everything(other)["launch"][1] == {"epochs": "2", "sweep": "made_up"}


WRITER = """
    import os, sys
    sys.path.insert(0, os.getcwd())
    from pathlib import Path
    from orchestrator.records import RunKey, RunRecord
    from orchestrator.tracking import Tracker
    from trainables.config import TaskConfig, TrialConfig

    directory, uri, runs = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    tracker = Tracker(directory, uri, "made_up", context={{"launch": {{}}}}, tags={{"ser.code": "abc"}}, interval=0.01)
    task = TaskConfig(sources=("iemocap",), targets=("emodb",))
    for number in range(runs):
        key = RunKey(cell="full/iemocap-emodb", kind="search", number=number)
        config = TrialConfig(method="cnn", task=task, hyperparameters={{"a": 1}}, epochs=30, seed=0, data="d")
        tracker.started(key, config)
        history = [{{"epoch": float(e), "validation_uar": number + e / 100}} for e in range(1, 31)]
        for epoch in history:
            tracker.reported(key, epoch)
        tracker.ended(RunRecord(key=key, config=config, status="finished", metrics={{"validation_uar": 0.5}},
                                history=history, confusion=[[1, 0], [0, 1]]))
        print(number, flush=True)
    {end}
"""


def start_writer(directory: Path, uri: str, runs: int, end: str) -> subprocess.Popen[str]:
    script = textwrap.dedent(WRITER).format(end=end)
    return subprocess.Popen(
        [sys.executable, "-c", script, str(directory), uri, str(runs)], stdout=subprocess.PIPE, text=True
    )


def assert_delivered_once(uri: str, runs: int, epochs: int = 30) -> None:
    """Every run that ended is in MLflow, with every epoch, once."""
    held = everything(uri)
    last = {}
    for name, (status, _, metrics, artifacts) in held.items():
        key = name.rpartition("#")[0]
        if key.startswith(CELL) and status == "FINISHED":
            last[key] = metrics
            assert artifacts == ["config.json", "confusion.json", "record.json"]
    assert sorted(last) == sorted(f"{CELL}/search-{number}" for number in range(runs))
    for key, metrics in last.items():
        number = int(key.rpartition("-")[2])
        curve = metrics["epoch/validation_uar"]
        assert curve == [(epoch, number + epoch / 100) for epoch in range(1, epochs + 1)]
        assert metrics["validation_uar"] == [(0, 0.5)]
    steps = Counter(step for step, _ in held[CELL][2]["runs_ended"])
    assert steps == Counter(range(1, runs + 1))


def test_what_a_killed_driver_has_not_delivered_its_successor_does(tmp_path, uri, open_tracker):
    writer = start_writer(tmp_path / "launch", uri, 1000, "")
    assert writer.stdout is not None
    while int(writer.stdout.readline()) < 25:
        pass
    writer.send_signal(signal.SIGKILL)
    ended = 26 + sum(1 for _ in writer.stdout)
    writer.wait()
    tracker = open_tracker()
    known = len(tracker.finished_records())
    assert known in (ended, ended + 1), "it was told of every run whose end it had recorded"
    assert tracker.close() == 0
    assert_delivered_once(uri, known)


@pytest.fixture
def server(tmp_path, empty_database) -> Iterator[Callable[[], tuple[subprocess.Popen[bytes], str]]]:
    """Starts an MLflow server; each time on the same port and database."""
    shutil.copy(empty_database, tmp_path / "server.db")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    started = []
    command = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", f"sqlite:///{tmp_path / 'server.db'}"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--workers", "1"]

    def start() -> tuple[subprocess.Popen[bytes], str]:
        with open(tmp_path / "server.log", "ab") as log:
            process = subprocess.Popen(command, cwd=tmp_path, stdout=log, stderr=log, start_new_session=True)
        started.append(process)
        uri = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            try:
                urllib.request.urlopen(f"{uri}/health", timeout=1).close()
                return process, uri
            except OSError:
                time.sleep(0.1)
        raise AssertionError((tmp_path / "server.log").read_text())

    yield start
    for process in started:
        kill_group(process)


def kill_group(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_a_server_that_is_killed_and_comes_back_misses_nothing_and_doubles_nothing(
    server, tmp_path, make_record, open_tracker
):
    process, uri = server()
    patient = start_writer(tmp_path / "patient", uri, 12, "print('left', tracker.close(patience=120))")
    assert patient.stdout is not None
    while int(patient.stdout.readline()) < 2:
        pass
    impatient, record = open_tracker(tracking_uri=uri), make_record("baseline/iemocap-emodb", "replicate", 0)
    kill_group(process)
    track(impatient, record)
    assert impatient.close(patience=1) == 5, "started, two epochs, ended, closed"
    assert "nothing listens there" in impatient.trouble
    while int(patient.stdout.readline()) < 11:
        pass
    server()
    assert patient.stdout.read().split() == ["left", "0"]
    assert patient.wait() == 0
    assert open_tracker(tracking_uri=uri).close() == 0
    assert_delivered_once(uri, 12)
    found, _ = load_run(uri, find_run(uri, "made_up/baseline/iemocap-emodb"))
    assert found.history == tuple(record.history)


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("http://127.0.0.1:9", "nothing listens there"),
        ("http://no-such-host.invalid:5000", "no host of that name"),
        ("postgresql://me:secret@127.0.0.1:9/mlflow", "nothing listens there"),
        ("nonsense://x", "nonsense"),
        ("./mlruns", "database backend"),
    ],
)
def test_an_mlflow_that_cannot_be_reached_is_one_line_soon(open_tracker, address, reason, tmp_path):
    started = time.monotonic()
    with pytest.raises(InputError) as caught:
        open_tracker(tracking_uri=address)
    assert time.monotonic() - started < 15
    message = str(caught.value)
    assert reason in message
    assert "--tracking-uri" in message
    assert "\n" not in message
    assert "secret" not in message
    assert not (tmp_path / "launch" / "journal.jsonl").exists()


def test_a_file_that_is_no_database_is_left_alone(open_tracker, tmp_path):
    (tmp_path / "notes.txt").write_text("my notes, not a database")
    with pytest.raises(InputError, match="is no SQLite database"):
        open_tracker(tracking_uri=f"sqlite:///{tmp_path / 'notes.txt'}")
    assert (tmp_path / "notes.txt").read_text() == "my notes, not a database"


def test_looking_into_a_database_that_is_not_there_makes_none(tmp_path):
    with pytest.raises(InputError, match="there is no MLflow database"):
        find_run(f"sqlite:///{tmp_path / 'none.db'}", "made_up/full/iemocap-emodb")
    assert not (tmp_path / "none.db").exists()


def test_the_same_address_in_another_folder_is_another_database(empty_database, tmp_path, monkeypatch):
    odd = ("100 %25", "what?")  # paths that no address can have
    for name in ("one", "Größe", *odd):
        (tmp_path / name).mkdir()
        shutil.copyfile(empty_database, tmp_path / name / "mlflow.db")
        monkeypatch.chdir(tmp_path / name)
        connect("sqlite:///mlflow.db").create_experiment(name)
        found = {each.name for each in connect("sqlite:///mlflow.db").search_experiments()}
        assert name in found and (name in odd or found == {name, "Default"})
    assert {path.name for path in tmp_path.iterdir()} == {"one", "Größe", *odd}, "and no folder is made for it"


def test_a_password_in_the_address_goes_nowhere(open_tracker, tmp_path, uri):
    secret = uri.replace("sqlite:///", "sqlite://user:hush@/")
    context = {"launch": {"tracking_uri": uri}, "command": f"sweep --tracking-uri {uri}"}
    tracker = open_tracker(context=context)
    assert tracker.context["command"].endswith(uri), "an address without a password stays as it is"
    from orchestrator.mlflow_client import shown

    assert "hush" not in shown(secret)
    assert shown("https://me:hush@host:5000/mlflow") == "https://me:***@host:5000/mlflow"


def test_a_run_is_found_by_its_name_in_the_latest_finished_launch(open_tracker, make_record, uri):
    scores = {}
    for launch, score in (("one", 0.1), ("two", 0.2), ("three", 0.3)):
        tracker = open_tracker(launch)
        track(tracker, make_record(CELL, "replicate", 0, test=score))
        scores[launch] = tracker.run_id(RunKey(cell=CELL, kind="replicate", number=0))
        tracker.flush()
        scores[launch] = tracker.run_id(RunKey(cell=CELL, kind="replicate", number=0))
        tracker.close("KILLED" if launch == "three" else "FINISHED")
        time.sleep(0.01)
    assert find_run(uri, f"made_up/{CELL}") == scores["two"]
    assert find_run(uri, scores["three"]) == scores["three"]
    parent = MlflowClient(uri).get_run(scores["one"]).data.tags["mlflow.parentRunId"]
    assert find_run(uri, parent) == scores["one"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("made_up/ful/iemocap-emodb", "made_up/full/iemocap-emodb"),
        ("mad_up/full/iemocap-emodb", "nearest first: made_up"),
        ("0" * 32, "has no run"),
        ("made_up", "SWEEP/VARIANT/TASK"),
    ],
)
def test_a_run_that_is_not_there_is_an_error_that_lists_what_is(open_tracker, make_record, uri, text, said):
    tracker = open_tracker()
    track(tracker, make_record(CELL, "replicate", 0))
    tracker.close()
    with pytest.raises(InputError) as caught:
        find_run(uri, text)
    assert said in str(caught.value)
    with pytest.raises(InputError, match="that is a whole launch"):
        find_run(uri, tracker.launch_run_id)


def test_a_journal_drops_a_torn_last_line_and_nothing_else(tmp_path):
    journal = Journal(tmp_path / "journal.jsonl")
    journal.append({"event": "one"})
    journal.append({"event": "two"}, durable=True)
    journal.close()
    with open(tmp_path / "journal.jsonl", "ab") as file:
        file.write(b'{"event": "th')
    again = Journal(tmp_path / "journal.jsonl")
    again.append({"event": "three"})
    assert [event["event"] for _, event in again.read()] == ["one", "two", "three"]
    ends = [end for end, _ in again.read()]
    assert [event["event"] for _, event in again.read(ends[0])] == ["two", "three"]


def test_a_launch_folder_is_one_process_s_at_a_time(tmp_path):
    journal = Journal(tmp_path / "journal.jsonl")
    script = f"import pathlib, orchestrator.journal as j; j.Journal(pathlib.Path({str(journal.path)!r}))"
    other = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=Path.cwd())
    assert "is in use by another process" in other.stderr
    journal.close()
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, cwd=Path.cwd()).returncode == 0


def test_a_full_disk_leaves_the_journal_whole(tmp_path):
    script = """
        import resource, signal
        from pathlib import Path
        from data_prep.errors import InputError
        from orchestrator.journal import Journal

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        journal = Journal(Path("journal.jsonl"))
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))
        try:
            for number in range(10):
                journal.append({"event": number}, durable=True)
        except InputError as error:
            print(error)
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        journal.append({"event": "after"})
        print([event["event"] for _, event in journal.read()])
    """
    environment: Mapping[str, str] = {**os.environ, "PYTHONPATH": os.getcwd()}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, cwd=tmp_path, env=environment
    )
    said, events = done.stdout.splitlines()
    assert "cannot be written" in said
    assert events == "[0, 1, 2, 3, 4, 5, 6, 7, 'after']"  # {"event":0} and its line end are 12 bytes; 8 of them are 96
