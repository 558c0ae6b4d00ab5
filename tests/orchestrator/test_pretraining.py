"""Runs that others start from, as the searcher hands them out, the progress view shows them and MLflow gets them."""

from __future__ import annotations

import io
from collections import Counter
from pathlib import Path

import pytest
from rich.console import Console

import search_spaces
from data_prep.errors import InputError
from orchestrator import estimate
from orchestrator.launch import pretrained_folder
from orchestrator.mlflow_client import MlflowClient
from orchestrator.plan import Plan, cells
from orchestrator.progress import Progress
from orchestrator.records import RunKey, RunRecord, pretraining_key
from orchestrator.runs import find_launch, find_run, load_records
from orchestrator.searcher import SweepSearcher
from orchestrator.tracking import Tracker

COLUMN = "iemocap-msp_improv"


@pytest.fixture
def plan():
    """Makes a plan of cells of which most start from another run."""

    def make(pattern: str = "*", trials: int = 4, replicates: int = 2) -> Plan:
        sweep = search_spaces.load("saddi_cross_corpus")
        found = cells(sweep, lambda task: f"data of {task.name}", [pattern])
        chosen = tuple(
            cell for cell in found if cell.variant.method in ("cnn", "addi")
        )  # none of the shallow baselines
        return Plan(sweep="made_up", cells=chosen, epochs=3, trials=trials, replicates=replicates)

    return make


def starts_of(recorder) -> list[str]:
    """The identities of the pre-trainings that began, in their order."""
    return [config.identity for key, config in recorder.starts if key.kind == "pretraining"]


def needed_by(recorder) -> set[str]:
    return {config.start.identity for _, config in recorder.starts if config.start is not None}


@pytest.mark.parametrize("workers", [1, 3, 16])
def test_each_is_trained_once_before_all_that_start_from_it_whatever_the_parallelism(
    workers, plan, make_backend, make_recorder, storage
):
    plan = plan()
    recorder = make_recorder()
    ready = []
    told = recorder.started

    def started(key, config):
        ready.append(config.start is None or str(pretraining_key(config.start)) in recorder.records)
        told(key, config)

    recorder.started = started
    searcher = SweepSearcher(plan, storage, recorder)
    make_backend(workers).run(searcher)
    assert all(ready), "nothing begins before what it starts from has ended"
    assert set(starts_of(recorder)) == needed_by(recorder) and len(set(starts_of(recorder))) == len(starts_of(recorder))
    assert 2 <= len(starts_of(recorder)) <= 7, "six configurations of the one pretext at the most, and one of the other"
    trained = [record for record in recorder.records.values() if record.key.kind != "pretraining"]
    assert len(trained) == plan.runs and {record.status for record in trained} == {"finished"}
    assert searcher.done and searcher.problems == []


def test_who_waits_holds_up_no_one_who_need_not_and_draws_no_more_than_one_configuration_meanwhile(
    plan, recorder, storage
):
    searcher = SweepSearcher(plan(f"*/{COLUMN}"), storage, recorder)
    kinds = []
    for number in range(30):
        suggested = searcher.suggest(f"trial-{number}")
        if suggested is None:
            break
        kinds.append((suggested["cell"].partition("/")[0], suggested["kind"]))
    counts = Counter(kinds)
    assert counts.pop(("emotional_gan", "pretraining")) == 1 and counts.pop(("reconstruction", "pretraining")) == 1
    assert counts == {("cnn", "search"): 4, ("addi", "search"): 4}, "the whole search of what starts from nothing"
    begun = {study.study_name: len(study.trials) for study in map(storage_study(storage), storage.get_all_studies())}
    assert all(begun[f"made_up/{row}/{COLUMN}"] == 1 for row in ("cnn_ssl", "saddi", "addi_reconstruction"))


def storage_study(storage):
    import optuna

    return lambda frozen: optuna.load_study(study_name=frozen.study_name, storage=storage)


def test_killed_at_any_moment_and_resumed_none_that_has_ended_is_trained_again(
    plan, make_backend, make_recorder, make_storage, make_fuse, killed
):
    plan = plan(f"*_*/{COLUMN}", trials=2, replicates=1)  # the three rows that start from another run, but one
    whole = make_fuse()
    make_backend(2, fuse=whole).run(SweepSearcher(plan, make_storage(whole), make_recorder(whole)))
    assert whole.burnt > 50
    for moment in range(whole.burnt):
        fuse = make_fuse(left=moment)
        recorder, storage = make_recorder(fuse), make_storage(fuse)
        with pytest.raises(killed):
            make_backend(2, fuse=fuse).run(SweepSearcher(plan, storage, recorder))
        before, begun = set(recorder.records), len(recorder.starts)
        fuse.left = None
        searcher = SweepSearcher(plan, storage, recorder)
        make_backend(2, seed=1).run(searcher)
        assert searcher.done and set(recorder.ends.values()) == {1}, f"killed after {moment} steps"
        assert not {str(key) for key, _ in recorder.starts[begun:]} & before
        ended = Counter(record.key.kind for record in recorder.records.values())
        assert ended.pop("pretraining") == len(needed_by(recorder))
        assert ended == {"search": 2 * 3, "replicate": 1 * 3}


def test_one_that_fails_is_tried_once_more(plan, make_backend, recorder, storage):
    failed = []

    def fails(config):
        first = config["kind"] == "pretraining" and not failed
        failed.extend([config] if first else [])
        return first

    searcher = SweepSearcher(plan("saddi/*"), storage, recorder)
    make_backend(2, fails=fails).run(searcher)
    attempts = Counter(starts_of(recorder))
    assert attempts.pop(starts_of(recorder)[0]) == 2 and set(attempts.values()) <= {1}
    assert {record.status for record in recorder.records.values()} == {"finished"} and searcher.problems == []


def test_where_it_cannot_be_had_all_that_start_from_it_fail_and_say_so_and_nothing_else_does(
    plan, make_backend, recorder, storage
):
    plan = plan(f"*cnn*/{COLUMN}", trials=3)
    fails = {"fails": lambda config: config["trial"]["method"] == "reconstruction"}
    searcher = SweepSearcher(plan, storage, recorder)
    make_backend(2, **fails).run(searcher)
    assert Counter(record.status for record in recorder.of(f"cnn_reconstruction/{COLUMN}", "search")) == {"failed": 3}
    assert all("which it starts from, failed" in r.error for r in recorder.of(f"cnn_reconstruction/{COLUMN}", "search"))
    for row in ("cnn", "cnn_ssl"):
        assert len(recorder.of(f"{row}/{COLUMN}", "replicate")) == 2
    first, second = searcher.problems
    assert first.startswith("reconstruction/") and "failed 2 times" in first
    assert second.startswith(f"cnn_reconstruction/{COLUMN}: not one search trial has finished")
    begun = len(recorder.starts)
    again = SweepSearcher(plan, storage, recorder)
    assert again.suggest("later") == "FINISHED" and len(recorder.starts) == begun and again.problems == [first, second]


def test_one_that_is_cut_off_with_the_sweep_leaves_the_sweep_undone(plan, recorder, storage):
    searcher = SweepSearcher(plan(f"saddi/{COLUMN}"), storage, recorder)
    assert searcher.suggest("a")["kind"] == "pretraining" and searcher.suggest("b") is None
    assert not searcher.done
    searcher.on_trial_complete("a", {"epoch": 1})
    assert not searcher.done, "the run that waited for it is to come"


@pytest.mark.parametrize(
    ("pattern", "trials", "trained"),
    [
        ("*", 4, 6 + 1),  # 2 x 3 weights of the one pretext, and the other
        ("*", 1, 1 + 1),  # the paper's alone
        (f"saddi/{COLUMN}", 3, 3),
        ("cnn/*", 4, 0),
    ],
)
def test_the_estimate_counts_each_once(pattern, trials, trained, plan, monkeypatch):
    monkeypatch.setattr(estimate, "_seconds", lambda config, tasks: 1.0)
    assert estimate.seconds_of_starts(plan(pattern, trials=trials), {}) == trained


def test_the_progress_view_says_what_is_pre_trained_and_how_far(plan, recorder):
    plan = plan(f"saddi/{COLUMN}")
    config = plan.config(RunKey(cell=f"saddi/{COLUMN}", kind="search", number=0), {}).start
    progress, key = Progress(plan, recorder, 2, Console(file=io.StringIO())), pretraining_key(config)
    assert "pre-training" not in progress.line()
    progress.started(key, config)
    assert progress.line().endswith("time left unknown yet, pre-training emotional_gan (epoch 0 of 3 done)")
    progress.reported(key, {"epoch": 2, "loss/generator": 0.5})
    assert "0/6 runs" in progress.line() and "(epoch 2 of 3 done)" in progress.line()
    progress.ended(RunRecord(key=key, config=config, status="finished", metrics={"epochs_run": 3}))
    assert "pre-training" not in progress.line() and "0/6 runs" in progress.line()


@pytest.fixture
def tell(plan, tmp_path, uri):
    """Opens trackers, and tells one of a pre-training and of a search trial and a replicate that start from it."""
    whole = plan(f"saddi/{COLUMN}")
    trackers = []

    class Teller:
        config = whole.config(RunKey(cell=f"saddi/{COLUMN}", kind="search", number=0), {})
        start_key = pretraining_key(config.start)

        def open(self, name: str = "launch") -> Tracker:
            directory = tmp_path / name
            tracker = Tracker(
                directory, uri, "made_up", context={"launch": {}}, tags={"ser.code": "abc"}, interval=0.05
            )
            trackers.append(tracker)
            return tracker

        def begin(self, tracker: Tracker) -> None:
            tracker.started(self.start_key, self.config.start)
            tracker.reported(self.start_key, {"epoch": 1, "loss/generator": 0.5})

        def end(self, tracker: Tracker, found: bool = False) -> None:
            origin = {"device": "cpu", "machine": "m", "code": "abc", "split": {"digest": "0123"}, "found": found}
            (tmp_path / "model.pt").write_bytes(b"weights")
            tracker.attach(self.start_key, tmp_path / "model.pt")
            history = ({"epoch": 1, "loss/generator": 0.5},)
            ended = {"metrics": {"epochs_run": 1, "train_seconds": 2.0}, "history": history, "origin": origin}
            tracker.ended(RunRecord(key=self.start_key, config=self.config.start, status="finished", **ended))

        def train(self, tracker: Tracker, kind: str = "search") -> RunKey:
            key = RunKey(cell=f"saddi/{COLUMN}", kind=kind, number=0)
            tracker.started(key, self.config)
            metrics = {"validation_uar": 0.5, "test_uar": 0.4}
            tracker.ended(RunRecord(key=key, config=self.config, status="finished", metrics=metrics))
            return key

    yield Teller()
    for tracker in trackers:
        tracker.close("KILLED", patience=0)


def pretrainings(uri: str) -> list:
    client = MlflowClient(uri)
    experiment = client.get_experiment_by_name("made_up").experiment_id
    return client.search_runs([experiment], "tags.`ser.kind` = 'pretraining'")


def test_in_mlflow_it_is_a_run_under_the_launch_that_all_which_start_from_it_name(tell, uri):
    tracker = tell.open()
    tell.begin(tracker)
    tell.end(tracker)
    trials = [tell.train(tracker, kind) for kind in ("search", "replicate")]
    assert tracker.close() == 0
    (run,) = pretrainings(uri)
    client, tags = MlflowClient(uri), run.data.tags
    assert tags["mlflow.parentRunId"] == tracker.launch_run_id and run.info.status == "FINISHED"
    assert run.info.run_name == "pretraining emotional_gan"
    expected = {"ser.identity": tell.config.start.identity, "ser.method": "emotional_gan", "ser.protocol": "unlabelled",
                "ser.selection": "none", "ser.found": "false", "ser.status": "finished", "ser.code": "abc"}  # fmt: skip
    assert expected.items() <= tags.items() and "ser.cell" not in tags
    assert run.data.params["fake_weight"] == "1.0" and run.data.params["task.sources"] == "librispeech"
    assert [point.value for point in client.get_metric_history(run.info.run_id, "epoch/loss/generator")] == [0.5]
    assert Path(client.download_artifacts(run.info.run_id, "model/model.pt")).read_bytes() == b"weights"
    for key in trials:
        own = client.get_run(tracker.run_id(key)).data.tags
        assert (own["ser.start"], own["ser.start_identity"]) == (run.info.run_id, tell.config.start.identity)
    records, _ = load_records(uri, *find_launch(uri, "made_up"))
    assert [record.key for record in records] == trials, "a table has nothing of it"
    with pytest.raises(InputError, match="is what others start from; give one of those"):
        find_run(uri, run.info.run_id)


def test_after_a_kill_in_its_midst_the_runs_name_the_attempt_that_ended_and_all_is_there_once(tell, uri):
    first = tell.open()
    tell.begin(first)
    first.interrupted()
    second = tell.open()
    assert not second.finished_records()
    tell.begin(second)
    tell.end(second)
    key = tell.train(second)
    assert second.close() == 0
    third = tell.open()
    assert str(tell.start_key) in third.finished_records()
    assert third.close() == 0
    by_status = {run.info.status: run for run in pretrainings(uri)}
    assert by_status.keys() == {"KILLED", "FINISHED"} and len(pretrainings(uri)) == 2
    assert MlflowClient(uri).get_run(third.run_id(key)).data.tags["ser.start"] == by_status["FINISHED"].info.run_id


def test_another_launch_has_a_run_of_it_too_which_says_that_it_was_there(tell, uri):
    for name, found in (("one", False), ("two", True)):
        tracker = tell.open(name)
        tell.begin(tracker)
        tell.end(tracker, found)
        tell.train(tracker)
        assert tracker.close() == 0
    found = {run.data.tags["mlflow.parentRunId"]: run.data.tags["ser.found"] for run in pretrainings(uri)}
    assert sorted(found.values()) == ["false", "true"] and len(found) == 2


def test_launches_of_the_same_code_share_them_and_one_goes_on_with_what_it_began_with(tmp_path, monkeypatch):
    launches = [tmp_path / "runs" / sweep / time for sweep, time in (("a", "1"), ("a", "2"), ("b", "3"))]
    for launch in launches:
        launch.mkdir(parents=True)
    first = pretrained_folder(launches[0])
    assert pretrained_folder(launches[1]) == first and first.parent == tmp_path / "runs" / "pretrained"
    monkeypatch.setattr("orchestrator.launch.software", lambda: "changed")
    assert pretrained_folder(launches[2]) != first
    assert pretrained_folder(launches[0]) == first
