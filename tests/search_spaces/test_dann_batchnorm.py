"""The comparison of dann.txt's ways of batch normalisation against its paper."""

from __future__ import annotations

import dataclasses

import pytest

import search_spaces
from orchestrator.plan import cells
from search_spaces import active, paper_values
from trainables import methods
from trainables.config import TaskConfig
from trainables.game import play

SWEEP = search_spaces.load("dann_batchnorm")
ROWS = [variant for variant in SWEEP.variants if variant.method == "dann"]

# dann.txt, Tables 1, 2 and 3, row by row: Rec2Iem arousal and valence, Iem2Rec arousal and valence; and their average.
TABLES = {
    "base": "62.49(2.96) 54.15(0.51) 60.73(0.45) 58.11(0.51) 58.87",
    "our": "71.99(0.33) 54.54(0.77) 63.18(0.32) 61.43(1.38) 62.78",
    "mono": "75.55(0.78) 63.20(2.23) 66.28(1.71) 62.90(1.12) 66.98",
    "base_none": "58.04(1.90) 52.34(0.79) 58.69(0.95) 53.79(0.87) 55.71",
    "our_none": "63.62(1.74) 52.94(0.36) 59.76(0.77) 57.81(2.07) 58.32",
    "our_BN2": "72.22(0.18) 54.99(0.84) 62.34(0.92) 61.37(1.15) 62.73",
    "our_BN3": "72.27(0.39) 54.07(0.42) 61.83(1.03) 58.48(0.78) 61.66",
    "our_BN4": "72.01(0.33) 53.68(1.26) 60.95(0.90) 56.77(2.84) 60.85",
}


def row(name):
    return next(variant for variant in SWEEP.variants if variant.name == name)


@pytest.mark.parametrize("name", TABLES)
def test_the_published_figures_are_those_of_the_tables_and_average_as_they_say(name):
    *figures, average = TABLES[name].split()
    published = [SWEEP.published[name, task.name] for task in SWEEP.tasks]
    assert [f"{figure.mean:.2f}({figure.std:.2f})" for figure in published] == figures
    # Table 2's average of "our" is not that of its figures, 58.53, and text and table agree on it: one of them is misprinted.
    worked = 58.53 if name == "our_none" else float(average)
    assert sum(figure.mean for figure in published) / 4 == pytest.approx(worked, abs=0.011)


def test_every_cell_of_the_tables_is_published_and_no_other():
    assert {name for name, _ in SWEEP.published} == set(TABLES) == {each.name for each in ROWS} - {"mono_none"}
    assert len(SWEEP.published) == 8 * 4


def test_its_columns_are_both_directions_in_arousal_and_valence_with_a_target_development_set():
    assert [(task.sources + task.targets, task.scheme) for task in SWEEP.tasks] == [
        (("recola", "iemocap"), "arousal2"),
        (("recola", "iemocap"), "valence2"),
        (("iemocap", "recola"), "arousal2"),
        (("iemocap", "recola"), "valence2"),
    ]
    assert {(task.protocol, task.feature) for task in SWEEP.tasks} == {("target_dev_30", "logmel26")}


def test_mono_is_trained_and_tested_on_the_columns_target():
    for name in ("mono", "mono_none"):
        task = row(name).on(SWEEP.tasks[0])
        assert (task.sources, task.targets, task.protocol) == (("iemocap",), ("iemocap",), "within_70_25_5")
        assert task.scheme == "arousal2"


def test_base_and_mono_have_no_language_classifier_and_do_not_look_at_the_target():
    for variant in ROWS:
        game = play(methods.load(variant.method), variant.without)
        ours = variant.name.startswith("our")
        assert (game.adapts, "language_classifier" in game.networks) == (ours, ours)


def test_each_row_feeds_batch_normalisation_as_its_name_says():
    fed = {variant.name: variant.settings["batch_norm"] for variant in ROWS}
    usual = dict.fromkeys(("base", "our", "mono"), "BN1")
    assert fed == usual | {name: name.split("_")[1] for name in fed if "_" in name}


def test_the_penalty_is_l1_where_recola_is_trained_on_and_l2_elsewhere():
    ours = dataclasses.replace(SWEEP, variants=ROWS)
    planned = {cell.name: cell.config({}, epochs=1, seed=0) for cell in cells(ours, lambda task: "data")}
    assert len(planned) == 9 * 4
    for config in planned.values():
        expected = "l1" if config.task.sources == ("recola",) else "l2"
        assert (config.hyperparameters["penalty"], config.hyperparameters["penalty_weight"]) == (expected, 5e-3)
    # What decides is what is trained on: in the columns from RECOLA, mono is trained on IEMOCAP.
    column = SWEEP.tasks[0].name
    assert planned[f"our/{column}"].hyperparameters["penalty"] == "l1"
    assert planned[f"mono/{column}"].hyperparameters["penalty"] == "l2"
    other = TaskConfig(sources=("emodb",), targets=("emovo",))
    assert row("our").in_column(other).settings["penalty"] == "l2"


def test_what_a_row_fixes_in_a_column_is_not_searched_there():
    fixed = dataclasses.replace(row("our"), task_settings=lambda task: {"alpha": 0.2})
    cell = fixed.in_column(SWEEP.tasks[0])
    assert "alpha" in active(SWEEP.space, row("our")) and "alpha" not in active(SWEEP.space, cell)
    assert cell.values({})["alpha"] == 0.2


def test_the_first_trial_has_the_papers_values_and_stand_ins_where_it_has_none():
    assert paper_values(active(SWEEP.space, row("our"))) == {
        "learning_rate": 1e-3,
        "dropout": 0.7,
        "alpha": 0.5,
        "beta": 1.0,
        "beta_ramp": "sigmoid",
        "beta_gamma": 10.0,
    }
    assert set(active(SWEEP.space, row("base"))) == {"learning_rate", "dropout"}


def test_the_paper_preset_has_the_papers_epochs_and_runs():
    paper = SWEEP.presets["paper"]
    assert (paper.epochs, paper.replicates, paper.max_frames) == (50, 5, None)
