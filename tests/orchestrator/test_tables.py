"""The table on made-up records, its numbers worked out by hand."""

from __future__ import annotations

import io
import json
import math
from dataclasses import replace

import pytest
from rich.console import Console

from orchestrator.study import Study, StudyTask
from orchestrator.table_text import cautions, notes, published_text, render, selecting_text, spread
from orchestrator.tables import best_row, cell_metrics, paired_difference, summary
from search_spaces import Published
from trainables.config import TaskConfig

FULL, BASELINE = "full/iemocap-emodb", "baseline/iemocap-emodb"
# Seeds 1, 2, 3, 4 of either; their differences are .05, .02, .01, .06.
FULL_SCORES, BASELINE_SCORES = (0.50, 0.46, 0.48, 0.52), (0.45, 0.44, 0.47, 0.46)


@pytest.fixture
def replicates(make_record):
    def make(cell, scores):
        return [make_record(cell, "replicate", number, test=score) for number, score in enumerate(scores)]

    return make


def the_row(rows, cell):
    return next(row for row in rows if row.cell == cell)


def printed(rows, study, width=100):
    text = io.StringIO()
    Console(file=text, width=width, highlight=False).print(render(rows, study))
    return text.getvalue()


def test_mean_and_sample_standard_deviation_are_over_the_finished_replicates(study, make_record, replicates):
    failed = make_record(FULL, "replicate", 4, status="failed", error="failed 2 times")
    row = the_row(summary([*replicates(FULL, FULL_SCORES), failed], study), FULL)
    # Mean of 50, 46, 48, 52 is 49; deviations 1, -3, -1, 3; sum of squares 20; over 3: 6.667.
    assert row.mean == pytest.approx(0.49)
    assert row.std == pytest.approx(math.sqrt(20 / 3) / 100)
    assert row.failures == 1


def test_one_replicate_has_a_mean_and_no_deviation(study, replicates):
    row = the_row(summary(replicates(FULL, [0.5]), study), FULL)
    assert (row.mean, row.std) == (0.5, None)
    assert spread(row.mean, row.std) == "50.0"


def test_the_paired_test_is_that_of_the_differences(replicates):
    found = paired_difference(replicates(BASELINE, BASELINE_SCORES), replicates(FULL, FULL_SCORES))
    differences = [-0.05, -0.02, -0.01, -0.06]
    mean = sum(differences) / 4
    deviation = math.sqrt(sum((difference - mean) ** 2 for difference in differences) / 3)
    t = mean / (deviation / math.sqrt(4))
    # Student's distribution with 3 degrees of freedom has the distribution function
    # F(t) = 1/2 + (x / (1 + x^2) + arctan x) / pi, where x = t / sqrt(3).
    x = abs(t) / math.sqrt(3)
    p = 2 * (1 - (0.5 + (x / (1 + x * x) + math.atan(x)) / math.pi))
    assert found.pairs == 4
    assert found.mean == pytest.approx(-0.035)
    assert found.t == pytest.approx(t) == pytest.approx(-2.9406, abs=1e-4)
    assert found.p == pytest.approx(p)
    # The 97.5 % point of that distribution is 3.182446.
    assert found.high - found.mean == pytest.approx(3.182446 * deviation / 2, rel=1e-6)
    assert found.mean - found.low == pytest.approx(3.182446 * deviation / 2, rel=1e-6)


def test_only_replicates_with_equal_seeds_are_paired(replicates):
    ours, theirs = replicates(BASELINE, BASELINE_SCORES), replicates(FULL, FULL_SCORES)
    found = paired_difference([ours[0], ours[2]], theirs[1:])
    assert found.pairs == 1
    assert found.mean == pytest.approx(0.47 - 0.48)
    assert found.p is None
    assert paired_difference(ours[:1], theirs[1:]) is None


def test_differences_that_are_all_the_same_have_no_test(replicates):
    found = paired_difference(replicates(BASELINE, (0.41, 0.52, 0.33)), replicates(FULL, (0.51, 0.62, 0.43)))
    assert found.mean == pytest.approx(-0.10)
    assert (found.t, found.p) == (None, None)


def test_a_failed_replicate_pairs_with_nothing(make_record, replicates):
    ours = replicates(BASELINE, BASELINE_SCORES)
    ours[1] = make_record(BASELINE, "replicate", 1, status="failed")
    assert paired_difference(ours, replicates(FULL, FULL_SCORES)).pairs == 3


def test_every_planned_cell_is_a_row_in_the_order_of_the_table_with_or_without_records(study):
    rows = summary([], study)
    assert [row.cell for row in rows] == [
        "full/iemocap-msp_improv", "baseline/iemocap-msp_improv", "full/iemocap-emodb", "baseline/iemocap-emodb",
    ]  # fmt: skip
    assert not any(row.complete for row in rows)
    text = printed(rows, study)
    assert text.count("0/3") == 4
    assert "INCOMPLETE: 4 of 4 cells" in " ".join(text.split())


def test_search_trials_are_counted_by_how_they_ended(study, make_record):
    records = [
        make_record(FULL, "search", 0, validation=0.41),
        make_record(
            FULL, "search", 1, validation=0.47, drawn={"adversarial_ramp": "sigmoid", "adversarial_gamma": 7.0}
        ),
        make_record(FULL, "search", 2, validation=0.60, status="stopped"),
        make_record(FULL, "search", 3, status="failed", error="failed 2 times"),
    ]
    row = the_row(summary(records, study), FULL)
    assert row.search == {"finished": 2, "stopped": 1, "failed": 1}
    assert (row.selected_number, row.best_validation_uar) == (1, 0.47)
    assert row.selected == {"learning_rate": 2e-4, "adversarial_ramp": "sigmoid", "adversarial_gamma": 7.0}
    assert "2/1/1" in printed(summary(records, study), study)


def test_a_hyperparameter_that_meant_nothing_in_the_selected_run_is_not_among_the_selected(study, make_record):
    rows = summary([make_record(FULL, "search", 0), make_record(BASELINE, "search", 0)], study)
    assert the_row(rows, FULL).selected == {"learning_rate": 1e-4, "adversarial_ramp": "constant"}
    assert the_row(rows, BASELINE).selected == {"learning_rate": 1e-4}


def test_the_best_cell_is_best_on_validation_whatever_the_test_says(study, make_record):
    records = [
        *(make_record(FULL, "replicate", n, validation=0.60, test=0.30) for n in range(3)),
        *(make_record(BASELINE, "replicate", n, validation=0.55, test=0.90) for n in range(3)),
    ]
    assert best_row(summary(records, study)).cell == FULL
    assert best_row(summary([], study)) is None


def test_the_printed_table_fits_a_hundred_columns_and_says_what_it_shows(study, make_record, replicates):
    records = [
        *replicates(FULL, FULL_SCORES[:3]),
        *replicates(BASELINE, BASELINE_SCORES[:3]),
        *(make_record(cell, "search", n, validation=0.5 + n / 100) for cell in (FULL, BASELINE) for n in range(4)),
    ]
    title = "encoder and classifier, nothing else at all, no more"
    long = replace(study, variants={**study.variants, "baseline": title})
    text = printed(summary(records, long), long)
    assert max(len(line) for line in text.splitlines()) <= 100
    flat = " ".join(text.split())
    assert "48.0 ± 2.0" in flat  # 50, 46, 48
    assert "46.1 ± 1.6" in flat  # published
    assert "-2.7 p=.157 n=3" in flat  # .05, .02, .01: mean .02667, t = 2.219 with 2 degrees of freedom
    assert "chance is 25.0" in flat
    assert "random_80_20" in flat
    assert "source_val" in flat
    assert "14 runs: 8 search trials (0 stopped early), 6 replicates, 0 failed" in flat
    assert "DEMO CORPORA" in flat


def test_a_cut_of_utterances_is_said_and_the_absence_of_one_is_not(study):
    rows = summary([], study)
    assert not [note for note in notes(rows, study) if "cut" in note]
    tasks = tuple(replace(task, max_frames=200) for task in study.tasks)
    (note,) = [note for note in notes(rows, replace(study, tasks=tasks)) if "cut" in note]
    assert note.startswith("Utterances longer than 200 frames are cut to the 200 in their middle")


def test_that_early_stopping_may_have_cost_a_late_adaptation_is_said_where_trials_were_stopped(study, make_record):
    def said(status):
        rows = summary([make_record("full/iemocap-emodb", "search", 1, status=status)], study)
        return [each for each in cautions(rows, study) if "--no-early-stopping" in each]

    assert said("stopped") and not said("finished")


def test_what_chose_the_configurations_is_said_and_is_what_the_rows_show(study, make_record):
    cell = "full/iemocap-emodb"
    trials = [make_record(cell, "search", 0, validation=0.6), make_record(cell, "search", 1, validation=0.5)]
    trials[1] = replace(trials[1], metrics={**trials[1].metrics, "criterion/entropy": -0.1})
    other = replace(study, criterion="entropy")
    (usual,), (chosen,) = ([row for row in summary(trials, s) if row.cell == cell] for s in (study, other))
    assert (usual.selected_number, chosen.selected_number) == (0, 1)
    assert [note for note in notes([chosen], other) if note.startswith("Among a cell's search trials entropy chose")]
    assert not [note for note in notes([usual], study) if "--select-by" in note]


def test_over_how_many_seeds_the_figures_of_a_search_trial_are_is_said_where_it_is_not_one(study, make_record):
    several = replace(study, search_seeds=3)
    rows = summary([make_record(FULL, "search", 0)], study)
    assert any("Every search trial was trained under 3 seeds" in note for note in notes(rows, several))
    assert not any("seeds, the same ones" in note for note in notes(rows, study))
    assert "chooses, mean over 3 seeds each." in selecting_text([], several)
    assert "chooses, one seed each." in selecting_text([], study)
    assert Study.from_dict(json.loads(json.dumps(several.to_dict()))).search_seeds == 3


def test_what_sets_published_figures_apart_is_said_where_there_are_some(study):
    apart = replace(study, published_note="Published figures are of another world.")
    assert apart.published_note in notes(summary([], apart), apart)
    none = replace(apart, published={})
    assert apart.published_note not in notes(summary([], none), none)
    assert "" not in notes(summary([], study), study)


def test_the_search_budget_that_is_stated_is_the_one_that_was_spent(study, make_record):
    def stated(records, study):
        return cautions(summary(records, study), study)[1]

    whole = [make_record(cell, "search", number) for cell in study.cells for number in range(study.trials)]
    assert stated(whole, study).startswith(f"Every cell had the same budget: {study.trials} search trials")
    short = replace(study, time_budget=60.0)
    assert stated(whole[1:], short).startswith(
        f"Cells had from {study.trials - 1} to {study.trials} of {study.trials} planned search trials of at most "
        f"{study.epochs} epochs (--time-budget 60 s ended the search)"
    )
    paper = replace(study, trials=1)
    assert stated(whole[:: study.trials], paper).startswith("Nothing was searched: ")


@pytest.mark.parametrize(
    ("protocol", "shown"),
    [("random_80_20", False), ("target_dev_30", False), ("speakers_60_20_20", False), ("leave_speakers_out", True)],
)
def test_labels_that_the_search_saw_of_what_replicates_test_are_owned_up_to(protocol, shown, study):
    within = protocol == "leave_speakers_out"
    task = TaskConfig(sources=("iemocap",), targets=("iemocap" if within else "emodb",), protocol=protocol)
    known = StudyTask.of(task)
    seeds = replace(study, tasks=tuple(replace(known, name=each.name) for each in study.tasks))

    def said(study):
        return any(
            "may be of utterances that a replicate tests" in each for each in cautions(summary([], study), study)
        )

    assert said(seeds) == shown
    assert not said(replace(seeds, trials=1)), "nothing was selected"


def test_only_replicates_that_were_tested_on_the_same_utterances_are_paired(make_record):
    def replicates(cell, tests, digests):
        return [
            make_record(cell, "replicate", number, test=test, origin={"split": {"test_digest": digest}})
            for number, (test, digest) in enumerate(zip(tests, digests, strict=True))
        ]

    ours, theirs = replicates(BASELINE, (0.5, 0.7, 0.9), "abc"), replicates(FULL, (0.4, 0.4, 0.1), "abx")
    difference = paired_difference(ours, theirs)
    assert (difference.pairs, difference.mean) == (2, pytest.approx(0.2))
    assert paired_difference(ours, replicates(FULL, (0.4, 0.4, 0.4), "xyz")) is None


def test_what_has_nothing_to_search_is_not_said_to_have_been_searched(study, make_record):
    fixed = replace(study, cells={**study.cells, **{cell: () for cell in study.cells if cell.startswith("baseline")}})
    records = [
        make_record(cell, "search", number) for cell in fixed.cells for number in range(4 if fixed.cells[cell] else 1)
    ]
    said = cautions(summary(records, fixed), fixed)[1]
    assert said.startswith("Every cell had the same budget: 4 search trials of at most 6 epochs; 1 variant has fixed")
    nothing = replace(study, cells=dict.fromkeys(study.cells, ()))
    assert cautions(summary([], nothing), nothing)[1].startswith("Nothing was searched: ")


def test_where_replicates_take_turns_the_pooled_recall_stands_beside_the_mean(study, make_record):
    # Two folds of two classes: recalls 4/4 and 0/1, then 1/2 and 9/9. Together 5/6 and 9/10, where the mean is 0.625.
    folds = [[[4, 0], [1, 0]], [[1, 1], [0, 9]]]
    records = [make_record(FULL, "replicate", n, test=(0.5, 0.75)[n], confusion=fold) for n, fold in enumerate(folds)]
    assert the_row(summary(records, study), FULL).pooled is None
    assert "pooled" not in printed(summary(records, study), study)
    turns = replace(study, tasks=tuple(replace(task, in_turn=True) for task in study.tasks))
    row = the_row(summary(records, turns), FULL)
    assert row.pooled == pytest.approx((5 / 6 + 9 / 10) / 2)
    assert row.mean == pytest.approx(0.625)
    assert "86.7" in printed(summary(records, turns), turns)
    assert the_row(summary([], turns), FULL).pooled is None


def test_without_demo_corpora_nothing_says_demo(study):
    assert "DEMO" not in printed(summary([], replace(study, demo=False)), replace(study, demo=False))


def test_a_sweep_without_published_figures_has_no_such_column(study):
    bare = replace(study, published={})
    assert "published" in printed(summary([], study), replace(study, demo=False))
    assert "published" not in printed(summary([], bare), replace(bare, demo=False))
    assert published_text(Published(46.1)) == "46.1"


def test_tasks_with_other_classes_have_a_chance_of_their_own(study):
    five = replace(study.tasks[1], classes=("angry", "fear", "happy", "neutral", "sad"))
    mixed = replace(study, tasks=(study.tasks[0], five))
    assert "chance is 20.0, 25.0" in notes(summary([], mixed), mixed)[0]


def test_a_study_survives_json(study):
    import json

    assert Study.from_dict(json.loads(json.dumps(study.to_dict()))) == study


def test_a_cells_metrics_grow_with_its_records(make_record, replicates):
    assert cell_metrics([]) == {"runs_ended": 0, "replicates_finished": 0}
    some = [make_record(FULL, "search", 0, validation=0.5), *replicates(FULL, (0.5, 0.4))]
    found = cell_metrics(some)
    assert found["best_validation_uar"] == 0.5
    assert found["test_uar_mean"] == pytest.approx(0.45)
    assert found["test_uar_std"] == pytest.approx(0.1 / math.sqrt(2))
