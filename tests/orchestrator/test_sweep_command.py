"""Bad input to the sweep command: one clear line, status 2, nothing lost; and what good input means."""

from __future__ import annotations

import dataclasses

import pytest

from data_prep.errors import InputError
from orchestrator.launch import share_out
from orchestrator.launches import Launch, finish, latest, start
from orchestrator.request import plan_launch
from orchestrator.sweep import main, parser

# A command starts Ray before it knows what is wrong with what it is asked for.
pytestmark = pytest.mark.usefixtures("ray_session")


def launch(*arguments: str) -> Launch:
    return plan_launch(parser().parse_args(["ablation_addi", *arguments]), "ablation_addi")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["ablation_adi"], "unknown sweep 'ablation_adi'; known, nearest first: ablation_addi"),
        (["nowhere.py"], "there is no sweep file nowhere.py"),
        (["ablation_addi", "--preset=demos"], "unknown preset 'demos'; known, nearest first: demo"),
        (["ablation_addi", "--cells=fulll/*"], "no cell matches 'fulll/*'; the cells, nearest first: full/"),
        (["ablation_addi", "--protocol=random"], "unknown protocol 'random'; known, nearest first: random_80_20"),
        (["ablation_addi", "--scheme=emotion6"], "unknown label scheme 'emotion6'; known, nearest first: emotion"),
        (["ablation_addi", "--source=emodb"], "--source and --target go together"),
        (["ablation_addi", "--source=emodb", "--target=emodb+emovo"], "share a corpus; source and target must differ"),
        (["ablation_addi", "--protocol=leave_speakers_out"], "the target must be the source, iemocap, not msp_improv"),
        (["ablation_addi", "--corpus=emodb"], "must be NAME=PATH"),
        (["ablation_addi", "--corpus=emo-db=x"], "unknown corpus 'emo-db'; known, nearest first: emodb"),
        (["ablation_addi", "--paper-values", "--trials=3"], "--paper-values searches nothing"),
        (["ablation_addi", "--resume"], "no launch of ablation_addi in"),
        (["ablation_addi", "--source=manifest", "--target=emodb"], "there is no demo corpus of manifest (there is of "),
        (["ablation_addi", "--source=+emodb", "--target=emovo"], "sources of a task is ('', 'emodb')"),
        (["ablation_addi", "--corpus=emodb=a", "--corpus=emodb=b"], "corpus emodb is given twice: a and b"),
    ],
)
def test_a_mistake_is_one_line_and_status_2(arguments, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and error.startswith("error: ") and message in error
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("sqlite:mlflow.db", "'sqlite:mlflow.db' is no address of an MLflow"),
        ("postgresql://h:abc/db", "is no address of an MLflow"),
        ("ftp://x", "MLflow at ftp://x cannot be used"),
    ],
)
def test_an_mlflow_that_cannot_be_used_is_one_line_and_ends_the_ray_that_was_started(
    address, message, capsys, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("orchestrator.cluster.connect", lambda address, for_trials: None)
    monkeypatch.setattr("ray.is_initialized", lambda: False)  # whatever ran before this test in its process
    ended = []
    monkeypatch.setattr("ray.shutdown", lambda: ended.append(True))
    assert main(["ablation_addi", f"--tracking-uri={address}", "--store=s"]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and error.startswith("error: ") and message in error
    assert (list(tmp_path.iterdir()), ended) == ([], [True])


@pytest.mark.parametrize(
    "argument",
    "--trials=0 --trials=abc --replicates=-1 --epochs=none --max-frames=-1 --seed=-1 --sampler=grid "
    "--time-budget=soon --time-budget=-5m --time-budget=nan --memory=-1 --memory=nan --memory=all".split(),
)
def test_a_value_outside_its_range_is_refused_with_status_2(argument, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["ablation_addi", argument])
    assert ended.value.code == 2
    assert argument[2:].split("=")[0] in capsys.readouterr().err


def test_a_users_own_sweep_file_with_a_mistake_in_it_is_said(tmp_path, capsys):
    (tmp_path / "mine.py").write_text("import search_spaces\nSWEP = None\n")
    assert main([str(tmp_path / "mine.py")]) == 2
    assert "publishes no SWEEP" in capsys.readouterr().err
    (tmp_path / "mine.py").write_text("import no_such_module\n")
    assert main([str(tmp_path / "mine.py")]) == 2
    assert "cannot be loaded: ModuleNotFoundError: No module named 'no_such_module'" in capsys.readouterr().err


def test_with_no_store_and_no_corpora_one_line_says_that_the_demo_corpora_are_used(capsys):
    assert launch().data.demo == {"size": "small", "seed": 0}
    assert capsys.readouterr().out.count("\n") == 1
    assert launch("--preset=smoke").data.demo == {"size": "tiny", "seed": 0}
    capsys.readouterr()
    assert launch("--store=mine").data.demo is None
    assert capsys.readouterr().out == ""


def test_a_preset_gives_the_budget_and_single_options_change_it():
    plan = launch("--preset=paper", "--store=s")
    assert (plan.epochs, plan.replicates, plan.tasks[0].max_frames) == (200, 10, None)
    plan = launch("--preset=smoke", "--trials=7", "--replicates=3", "--epochs=9", "--store=s")
    assert (plan.epochs, plan.trials, plan.replicates) == (9, 7, 3)
    assert launch("--paper-values", "--store=s").trials == 1
    assert launch("--preset=smoke", "--store=s").tasks[0].max_frames == 100
    assert launch("--preset=smoke", "--store=s", "--max-frames=0").tasks[0].max_frames is None


def test_a_sweep_of_ones_own_may_have_a_preset_of_ones_own(tmp_path):
    (tmp_path / "mine.py").write_text(
        "import dataclasses\nfrom search_spaces import Preset, load\n"
        "SWEEP = dataclasses.replace(load('ablation_addi'), presets={'demo': Preset(epochs=1, trials=1, replicates=1)})\n"
    )
    given = parser().parse_args([str(tmp_path / "mine.py")])
    assert plan_launch(given, "mine").data.demo == {"size": "small", "seed": 0}


def test_a_protocol_that_tests_within_its_corpora_takes_one_corpus_as_source_and_target():
    (task,) = launch("--source=emodb", "--target=emodb", "--protocol=within_70_25_5", "--store=s").tasks
    assert task.name == "emodb-emodb-within_70_25_5"


def test_what_chooses_the_configuration_is_of_the_plan_and_never_the_test(capsys):
    assert launch("--store=s").plan(lambda task: "").criterion == "validation"
    assert launch("--store=s", "--select-by=entropy").plan(lambda task: "").criterion == "entropy"
    with pytest.raises(SystemExit):
        launch("--store=s", "--select-by=oracle")
    assert "invalid choice: 'oracle'" in capsys.readouterr().err


def test_a_scheme_of_ones_own_takes_the_place_of_every_columns():
    assert {task.scheme for task in launch("--scheme=emotion5", "--store=s").tasks} == {"emotion5"}


def test_only_the_corpora_of_the_chosen_cells_are_needed():
    chosen = launch("--cells=*/iemocap-emodb", "--store=s")
    both = ["emodb", "iemocap"]
    assert chosen.corpora() == {"mfb40": both, "is09": both}, "is09 for the shallow baselines"
    assert chosen.cells == tuple(f"{variant.name}/iemocap-emodb" for variant in chosen.load_sweep().variants)


def test_the_same_sweep_on_other_corpora_is_one_task_of_the_same_kind():
    (task,) = launch("--source=emodb+emovo", "--target=ravdess", "--store=s", "--preset=paper").tasks
    assert (task.sources, task.targets, task.scheme) == (("emodb", "emovo"), ("ravdess",), "emotion4")
    assert task.name == "emodb+emovo-ravdess"


def test_the_seeds_of_a_search_trial_are_of_the_launch_and_of_its_plan():
    assert launch("--store=s").plan(lambda task: "").search_seeds == 1
    asked = launch("--store=s", "--search-seeds=3")
    assert Launch.from_dict(asked.to_dict()).plan(lambda task: "").search_seeds == 3


@pytest.mark.parametrize(("text", "seconds"), [("90", 90), ("90s", 90), ("10m", 600), ("1.5h", 5400)])
def test_a_time_budget_is_seconds_minutes_or_hours(text, seconds):
    assert launch(f"--time-budget={text}", "--store=s").time_budget == seconds


def test_a_launch_is_gone_on_with_as_it_was_until_it_is_done(tmp_path):
    begun = start(tmp_path, launch("--store=s", "--seed=4"))
    assert latest(tmp_path, "ablation_addi") == begun
    finish(begun)
    with pytest.raises(InputError, match=r"every launch of ablation_addi in .* has ended"):
        latest(tmp_path, "ablation_addi")


def test_a_launch_is_not_gone_on_with_when_a_cell_of_it_is_gone(tmp_path):
    whole = launch("--store=s")
    fewer = dataclasses.replace(whole, cells=(*whole.cells, "mute/iemocap-emodb"))
    with pytest.raises(InputError, match="has no cell mute/iemocap-emodb any more; put it back"):
        fewer.plan({task.name: "" for task in whole.tasks})


def test_a_launch_that_cannot_begin_leaves_nothing_that_would_be_resumed(tmp_path, monkeypatch, capsys, ray_session):
    monkeypatch.chdir(tmp_path)
    assert main(["ablation_addi", "--store=nowhere", "--cells=full/*"]) == 2
    assert "there is no feature store at" in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("workers", "message"), [(64, "--workers 64: a trial would need"), (3, "cannot share a batch of 16 equally")]
)
def test_workers_that_the_machine_or_a_batch_cannot_have_are_refused(workers, message, make_plan, monkeypatch):
    monkeypatch.setattr("ray.cluster_resources", lambda: {"CPU": 8.0})
    plan = launch("--store=s").plan({task.name: "" for task in launch("--store=s").tasks})
    with pytest.raises(InputError, match=message):
        share_out(plan, workers, 4)


@pytest.mark.parametrize(
    ("workers", "pack", "message"),
    [
        (2, 1, "--search-seeds 3 trains several runs in one process, --workers 2 one run in several"),
        (1, 2, "--pack 2 holds fewer runs than a search trial has with --search-seeds 3; give --pack 3 or more"),
    ],
)
def test_what_a_search_trial_of_several_seeds_cannot_be_trained_as_is_refused(workers, pack, message, monkeypatch):
    monkeypatch.setattr("ray.cluster_resources", lambda: {"CPU": 8.0})
    plan = launch("--store=s", "--search-seeds=3").plan(lambda task: "")
    with pytest.raises(InputError, match=message):
        share_out(plan, workers, 4, pack)
    assert share_out(plan, 1, 4, 3).packers == 8


def test_a_gpu_is_shared_by_trials_but_not_by_the_workers_of_one(monkeypatch):
    plan = launch("--store=s").plan({task.name: "" for task in launch("--store=s").tasks})
    monkeypatch.setattr("ray.cluster_resources", lambda: {"CPU": 16.0, "GPU": 2.0})
    shared = share_out(plan, 1, 4)
    assert (shared.gpus, shared.concurrent) == (0.25, 8)
    alone = share_out(plan, 2, 4)
    assert (alone.gpus, alone.concurrent) == (1, 1)


def test_where_runs_are_packed_each_gpu_or_else_each_core_trains_as_many_as_are_to_be(monkeypatch):
    plan = launch("--store=s").plan({task.name: "" for task in launch("--store=s").tasks})
    monkeypatch.setattr("ray.cluster_resources", lambda: {"CPU": 16.0, "GPU": 2.0})
    shared = share_out(plan, 1, 4, launch("--store=s", "--pack=8").pack)
    assert (shared.packers, shared.processes, shared.concurrent) == (2, 2, 16)
    monkeypatch.setattr("ray.cluster_resources", lambda: {"CPU": 16.0})
    shared = share_out(plan, 1, 4, 8)
    assert (shared.packers, shared.concurrent, shared.gpus) == (16, 128, 0)
    with pytest.raises(InputError, match="--pack 8 trains several runs in one process, --workers 2 one run in"):
        share_out(plan, 2, 4, 8)


def test_where_a_resumed_launch_runs_may_have_changed(tmp_path, monkeypatch):
    start(tmp_path, launch("--store=s", "--tracking-uri=http://old:1"))
    monkeypatch.setattr("orchestrator.cluster.connect", lambda address, for_trials: None)
    monkeypatch.setattr("orchestrator.mlflow_client.connect", lambda uri: None)
    executed = []
    monkeypatch.setattr("orchestrator.execute.execute", lambda launch, runs, console: executed.append(launch) or 0)
    assert main(["ablation_addi", "--resume", "--tracking-uri=http://new:1", "--memory=0", f"--runs={tmp_path}"]) == 0
    assert (executed[0].tracking_uri, executed[0].memory) == ("http://new:1", 0)
    assert executed[0].resume_command().endswith(f"-m orchestrator.sweep ablation_addi --resume --runs {tmp_path}")


def test_a_resumed_launch_takes_no_other_settings(tmp_path, capsys):
    start(tmp_path, launch("--store=s"))
    assert main(["ablation_addi", "--resume", "--trials=9", f"--runs={tmp_path}"]) == 2
    assert "--resume goes on with the launch's own settings; leave --trials out" in capsys.readouterr().err
