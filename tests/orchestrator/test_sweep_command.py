"""Bad input to the sweep command: one clear line, status 2, nothing lost; and what good input means."""

from __future__ import annotations

import pytest

from orchestrator import sweep
from orchestrator.launches import Launch, finish, latest, start
from orchestrator.sweep import main, parser, plan_launch


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
        (["ablation_addi", "--source=emodb"], "--source and --target go together"),
        (["ablation_addi", "--source=emodb", "--target=emodb+emovo"], "share a corpus; source and target must differ"),
        (["ablation_addi", "--corpus=emodb"], "must be NAME=PATH"),
        (["ablation_addi", "--corpus=emo-db=x"], "unknown corpus 'emo-db'; known, nearest first: emodb"),
        (["ablation_addi", "--paper-values", "--trials=3"], "--paper-values searches nothing"),
        (["ablation_addi", "--resume"], "no launch of ablation_addi in"),
        (["ablation_addi", "--tracking-uri=ftp://x", "--store=here"], "MLflow at ftp://x cannot be used"),
    ],
)
def test_a_mistake_is_one_line_and_status_2(arguments, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and error.startswith("error: ") and message in error
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "argument", ["--trials=0", "--replicates=-1", "--epochs=none", "--time-budget=soon", "--sampler=grid"]
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
    assert launch("--store=mine").data.demo is None
    assert capsys.readouterr().out == ""


def test_a_preset_gives_the_budget_and_single_options_change_it():
    plan = launch("--preset=paper", "--store=s")
    assert (plan.epochs, plan.replicates, plan.tasks[0].max_frames) == (200, 10, None)
    plan = launch("--preset=smoke", "--trials=7", "--replicates=3", "--epochs=9", "--store=s")
    assert (plan.epochs, plan.trials, plan.replicates) == (9, 7, 3)
    assert launch("--paper-values", "--store=s").trials == 1


def test_the_same_sweep_on_other_corpora_is_one_task_of_the_same_kind():
    (task,) = launch("--source=emodb+emovo", "--target=ravdess", "--store=s", "--preset=paper").tasks
    assert (task.sources, task.targets, task.scheme) == (("emodb", "emovo"), ("ravdess",), "emotion4")
    assert task.name == "emodb+emovo-ravdess"


@pytest.mark.parametrize(("text", "seconds"), [("90", 90), ("90s", 90), ("10m", 600), ("1.5h", 5400)])
def test_a_time_budget_is_seconds_minutes_or_hours(text, seconds):
    assert launch(f"--time-budget={text}", "--store=s").time_budget == seconds


def test_a_launch_is_gone_on_with_as_it_was_until_it_is_done(tmp_path):
    begun = start(tmp_path, launch("--store=s", "--seed=4"))
    assert latest(tmp_path, "ablation_addi") == begun
    finish(begun)
    with pytest.raises(sweep.InputError, match=r"every launch of ablation_addi in .* has ended"):
        latest(tmp_path, "ablation_addi")


def test_a_resumed_launch_takes_no_other_settings(tmp_path, capsys):
    start(tmp_path, launch("--store=s"))
    assert main(["ablation_addi", "--resume", "--trials=9", f"--runs={tmp_path}"]) == 2
    assert "--resume goes on with the launch's own settings; leave --trials out" in capsys.readouterr().err
