"""Selection on made-up records, and what each way to select is worth, worked out by hand."""

from __future__ import annotations

import dataclasses
import math

import pytest

from data_prep.errors import InputError
from orchestrator.selection import CHOOSERS, CRITERIA, choose, select, worth
from trainables.criteria import CRITERIA as LABEL_FREE

FULL, BASELINE = "full/iemocap-emodb", "baseline/iemocap-emodb"


@pytest.fixture
def trial(make_record):
    """Makes a search trial of a cell: its validation and test UAR, and label-free criteria by name."""

    def make(number, validation=0.5, test=0.4, cell=FULL, status="finished", kind="search", **scores):
        record = make_record(cell, kind, number, validation=validation, test=test, status=status)
        found = {f"criterion/{name}": value for name, value in scores.items()}
        return dataclasses.replace(record, metrics={**record.metrics, **found})

    return make


def test_unless_told_otherwise_the_validation_score_selects_whatever_the_test_says(trial):
    trials = [trial(0, 0.5, 0.9, entropy=0.0), trial(1, 0.6, 0.1, entropy=-1.0), trial(2, 0.55, 0.5, entropy=-0.5)]
    assert select(trials).key.number == 1
    assert select([trial(0, 0.5, 0.4, cell=FULL, kind="replicate")]) is None


def test_each_criterion_selects_by_its_own_score_and_higher_is_better(trial):
    trials = [
        trial(0, 0.6, 0.3, entropy=-0.9, information_maximisation=0.2),
        trial(1, 0.5, 0.5, entropy=-0.1, information_maximisation=0.1),
        trial(2, 0.4, 0.7, entropy=-0.5, information_maximisation=0.8),
    ]
    found = {name: select(trials, name) for name in ("oracle", "entropy", "information_maximisation", "validation")}
    assert {name: record.key.number for name, record in found.items()} == {
        "oracle": 2,
        "entropy": 1,
        "information_maximisation": 2,
        "validation": 0,
    }


def test_validation_chooses_where_the_criterion_says_nothing(trial):
    trials = [trial(0, 0.5), trial(1, 0.6)]
    assert choose([*trials, trial(2, 0.4, entropy=-0.1)], "entropy").key.number == 2
    assert choose(trials, "entropy").key.number == 1
    assert choose([], "entropy") is None


def test_the_score_that_is_reported_may_not_choose():
    assert set(CRITERIA) - set(CHOOSERS) == {"oracle"}


@pytest.mark.parametrize("criterion", ["validation", "oracle", "entropy"])
def test_of_equals_the_first_is_selected_and_never_one_that_did_not_finish(trial, criterion):
    same = [trial(number, 0.5, 0.5, entropy=-0.5) for number in (3, 1, 2)]
    better = [
        trial(0, 0.9, 0.9, entropy=0.0, status="stopped"),
        trial(4, 0.9, 0.9, entropy=0.0, status="failed"),
        trial(5, 0.9, 0.9, entropy=0.0, kind="replicate"),
    ]
    assert select([*better, *same], criterion).key.number == 1
    assert select(better, criterion) is None


def test_a_trial_without_a_finite_score_is_not_selected_by_it(trial):
    trials = [trial(0), trial(1, entropy=math.nan), trial(2, entropy=-0.8)]
    assert select(trials, "entropy").key.number == 2
    assert select(trials[:2], "entropy") is None


def test_an_unknown_criterion_is_refused(trial):
    with pytest.raises(InputError, match="unknown criterion 'entrop'; known, nearest first: entropy"):
        select([trial(0)], "entrop")
    with pytest.raises(InputError, match="unknown criterion 'orakel'; known, nearest first: oracle"):
        worth([], ["validation", "orakel"])
    assert set(CRITERIA) == {"validation", "source_val", "target_dev", *LABEL_FREE, "oracle"}


@pytest.fixture
def two_cells(trial):
    """In the first, tests are 30, 40, 50 and 60 % (mean 45): validation chooses 50, entropy 30.

    In the second they are 40, 40 and 70 % (mean 50): validation chooses 40, entropy 70.
    """
    return [
        trial(0, 0.50, 0.30, entropy=-0.1),
        trial(1, 0.55, 0.40, entropy=-0.2),
        trial(2, 0.60, 0.50, entropy=-0.3),
        trial(3, 0.52, 0.60, entropy=-0.4),
        trial(0, 0.60, 0.40, BASELINE, entropy=-0.3),
        trial(1, 0.50, 0.40, BASELINE, entropy=-0.2),
        trial(2, 0.40, 0.70, BASELINE, entropy=-0.1),
    ]


def test_what_each_criterion_chooses_in_each_cell_and_keeps_of_the_oracles_gain(two_cells):
    rows = {row.criterion: row for row in worth(two_cells)}
    assert list(rows) == ["validation", "entropy", "oracle"], "criteria that no trial has are left out"
    choices = {name: [(each.cell, each.number, each.chosen) for each in row.choices] for name, row in rows.items()}
    assert choices == {
        "validation": [(FULL, 2, 0.50), (BASELINE, 0, 0.40)],
        "entropy": [(FULL, 0, 0.30), (BASELINE, 2, 0.70)],
        "oracle": [(FULL, 3, 0.60), (BASELINE, 2, 0.70)],
    }
    # The oracle gains 60 - 45 = 15 and 70 - 50 = 20 points; validation 5 and -10; entropy -15 and 20.
    kept = {name: [each.kept for each in row.choices] for name, row in rows.items()}
    assert kept["validation"] == pytest.approx([5 / 15, -10 / 20])
    assert kept["entropy"] == pytest.approx([-15 / 15, 20 / 20])
    assert kept["oracle"] == pytest.approx([1, 1])
    assert [each.regret for each in rows["validation"].choices] == pytest.approx([0.10, 0.30])


def test_over_cells_a_cell_counts_by_what_there_was_to_gain_in_it(two_cells):
    rows = {row.criterion: row for row in worth(two_cells)}
    # Means: chosen at random 47.5, by the oracle 65, by validation 45, by entropy 50.
    assert [row.random for row in rows.values()] == pytest.approx([0.475] * 3)
    assert [row.oracle for row in rows.values()] == pytest.approx([0.65] * 3)
    assert [row.chosen for row in rows.values()] == pytest.approx([0.45, 0.50, 0.65])
    assert [row.regret for row in rows.values()] == pytest.approx([0.20, 0.15, 0.0])
    assert [row.kept for row in rows.values()] == pytest.approx([-2.5 / 17.5, 2.5 / 17.5, 1.0])


def test_a_cell_with_nothing_to_gain_says_so_and_changes_no_share(two_cells, trial):
    before = {row.criterion: row.kept for row in worth(two_cells)}
    # Three equal scores: in the last bit their mean is less than they are.
    flat = [trial(number, test=3 / 13, cell="full/iemocap-msp_improv", entropy=0.0) for number in range(3)]
    after = {row.criterion: row for row in worth([*two_cells, *flat])}
    assert {name: row.choices[-1].kept for name, row in after.items()} == dict.fromkeys(before)
    assert [row.kept for row in after.values()] == pytest.approx(list(before.values()))
    assert [row.kept for row in worth(flat)] == [None, None, None]


def test_all_criteria_choose_among_the_same_trials_and_cells(two_cells, trial):
    more = [
        trial(4, 0.99, 0.99),  # has no entropy
        trial(5, 0.99, math.nan, entropy=0.0),  # has no test score
        trial(6, 0.99, 0.99, entropy=0.0, status="stopped"),
        trial(0, 0.99, 0.99, "full/iemocap-msp_improv"),  # a cell in which nothing has entropy
        trial(1, 0.98, 0.98, "full/iemocap-msp_improv"),
    ]
    assert worth([*two_cells, *more]) == worth(two_cells)
    found = worth([*two_cells, *more], ["validation", "oracle"])
    assert len(found[0].choices) == 3, "where entropy is not compared, its absence does not matter"
    assert found[0].choices[0].number == 4


def test_a_cell_of_one_trial_leaves_nothing_to_choose_and_no_mean_is_over_it(two_cells, trial):
    fixed = trial(0, 0.9, 0.9, "baseline/iemocap-msp_improv", entropy=0.0, information_maximisation=0.5)
    assert worth([*two_cells, fixed]) == worth(two_cells)
    assert worth([fixed]) == []
    # Two trials of a cell, of which one has entropy: of one there is no choice.
    few = [trial(0, 0.5, 0.3, BASELINE), trial(1, 0.6, 0.4, BASELINE, entropy=-0.1)]
    assert worth([*two_cells[:4], *few]) == worth(two_cells[:4])


def test_a_criterion_that_only_rows_of_fixed_settings_have_hides_no_cell_in_which_there_is_a_choice(trial):
    # As in a table whose protocol grants nothing of the target, but to its shallow rows.
    searched = [trial(0, 0.50, 0.30), trial(1, 0.55, 0.60)]
    fixed = trial(0, 0.9, 0.9, "baseline/iemocap-msp_improv", entropy=0.0)
    assert [(row.criterion, len(row.choices)) for row in worth([*searched, fixed])] == [
        ("validation", 1),
        ("oracle", 1),
    ]


def test_the_rows_are_in_the_order_asked_for(two_cells):
    assert [row.criterion for row in worth(two_cells, ["oracle", "validation"])] == ["oracle", "validation"]


def test_a_held_out_part_is_a_criterion_of_its_own_unless_it_is_all_of_the_validation(trial):
    together = [
        trial(0, 0.50, 0.30, source_val=0.70, target_dev=0.30),
        trial(1, 0.55, 0.60, source_val=0.60, target_dev=0.50),
    ]
    found = {row.criterion: row.choices[0].number for row in worth(together)}
    assert found == {"validation": 1, "source_val": 0, "target_dev": 1, "oracle": 1}
    alone = [trial(0, 0.50, 0.30, source_val=0.50), trial(1, 0.55, 0.60, source_val=0.55)]
    assert [row.criterion for row in worth(alone)] == ["validation", "oracle"]


def test_without_trials_there_is_nothing_to_say(trial):
    assert worth([]) == []
    assert worth([trial(0, kind="replicate")]) == []
