"""Selection and tables on made-up records, against numbers worked by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from rich.console import Console
from scipy.stats import t as students_t

from orchestrator.records import RunKey, RunRecord
from orchestrator.selection import select
from orchestrator.tables import best_cell, difference, notes, p_value, plus_minus, render, summarise

FULL, BASE = "full/iemocap-emodb", "baseline/iemocap-emodb"


@pytest.fixture
def make(make_plan):
    plan = make_plan("*/iemocap-emodb")

    def record(cell, kind, number, validation, test=0.0, status="finished") -> RunRecord:
        key = RunKey(cell=cell, kind=kind, number=number)
        metrics = (
            {"validation_uar": validation, "test_uar": test} if status == "finished" else {"validation_uar": validation}
        )
        return RunRecord(key=key, config=plan.config(key, {}), status=status, metrics=metrics)

    return record


def replicates_of(make, cell, scores):
    return [make(cell, "replicate", number, 0.5, score) for number, score in enumerate(scores)]


def test_the_best_is_the_one_of_the_highest_validation_score_and_never_of_the_test_score(make):
    records = [make(FULL, "search", 0, 0.5, test=0.9), make(FULL, "search", 1, 0.6, test=0.1)]
    assert select(records).key.number == 1
    assert select([replace(record, metrics={**record.metrics, "test_uar": 0.5}) for record in records]).key.number == 1


def test_of_equals_the_first_wins_and_stopped_failed_and_replicates_never_do(make):
    records = [
        make(FULL, "search", 2, 0.5),
        make(FULL, "search", 1, 0.5),
        make(FULL, "search", 3, 0.9, status="stopped"),
        make(FULL, "search", 4, 0.9, status="failed"),
        make(FULL, "replicate", 0, 0.9),
    ]
    assert select(records).key.number == 1
    assert select([]) is None


def test_a_row_has_mean_sample_deviation_and_number_of_its_replicates(make, make_plan, made_up_sweep):
    plan = make_plan("*/iemocap-emodb")
    records = [make(FULL, "search", 0, 0.55), *replicates_of(make, FULL, [0.40, 0.44, 0.48])]
    full, base = summarise(plan, made_up_sweep, records)
    assert full.mean == pytest.approx(0.44)
    assert full.std == pytest.approx(math.sqrt((0.04**2 + 0 + 0.04**2) / 2)), "divided by n - 1, not n"
    assert (len(full.scores), full.complete, full.searched) == (3, True, 1)
    assert (full.published.mean, full.published.std) == (46.1, 1.6) and base.published is None
    assert (base.mean, base.std, base.complete) == (None, None, False), "a cell without runs is there, incomplete"


def test_the_difference_is_paired_by_seed_and_its_p_is_the_paired_t_tests(make):
    own = replicates_of(make, BASE, [0.40, 0.41, 0.45, 0.39])
    reference = replicates_of(make, FULL, [0.44, 0.47, 0.46, 0.45])
    found = difference(own, list(reversed(reference)))
    differences = [-0.04, -0.06, -0.01, -0.06]
    mean = sum(differences) / 4
    deviation = math.sqrt(sum((d - mean) ** 2 for d in differences) / 3)
    statistic = mean / (deviation / math.sqrt(4))
    assert (found.mean, found.pairs) == (pytest.approx(mean), 4)
    assert found.p == pytest.approx(2 * students_t.sf(abs(statistic), df=3))


def test_only_replicates_of_the_same_seed_are_paired(make):
    own, reference = replicates_of(make, BASE, [0.1, 0.2, 0.3]), replicates_of(make, FULL, [0.2, 0.4, 0.6])[1:]
    found = difference(own, reference)
    assert (found.pairs, found.mean) == (2, pytest.approx(-0.25))
    assert difference(own, []) is None


def test_where_a_test_says_nothing_there_is_no_p(make):
    assert difference(replicates_of(make, BASE, [0.4]), replicates_of(make, FULL, [0.5])).p is None
    constant = difference(replicates_of(make, BASE, [0.4, 0.5]), replicates_of(make, FULL, [0.5, 0.6]))
    assert constant.p is None and constant.mean == pytest.approx(-0.1)


def test_the_best_cell_is_chosen_by_validation(make, make_plan, made_up_sweep):
    records = [make(FULL, "search", 0, 0.7), make(BASE, "search", 0, 0.6)]
    records += replicates_of(make, FULL, [0.2, 0.2, 0.2]) + replicates_of(make, BASE, [0.9, 0.9, 0.9])
    assert best_cell(summarise(make_plan("*/iemocap-emodb"), made_up_sweep, records)).cell.name == FULL


def test_the_terminals_table_fits_and_says_what_a_reader_must_know(make, make_plan, made_up_sweep):
    plan = make_plan("*/iemocap-emodb")
    records = [make(cell, "search", 0, 0.55) for cell in (FULL, BASE)]
    records += replicates_of(make, FULL, [0.40, 0.44, 0.48]) + replicates_of(make, BASE, [0.39, 0.41, 0.42])
    rows = summarise(plan, made_up_sweep, records)
    console = Console(width=100, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(render(made_up_sweep, rows, demo=True))
    text = console.export_text()
    assert "44.0 ± 4.0" in text and "46.1 ± 1.6" in text and "DEMO" in text and "-3.3" in text
    said = " ".join(notes(plan, made_up_sweep, rows, demo=True))
    for word in ("DEMO CORPORA", "3 replicates", "chance is 25.0", "random_80_20", "source_val", "of 4 configurations"):
        assert word in said
    assert "INCOMPLETE" not in said
    assert f"INCOMPLETE: {FULL}" in " ".join(notes(plan, made_up_sweep, summarise(plan, made_up_sweep, []), demo=False))


def test_numbers_are_printed_as_the_field_prints_them():
    assert plus_minus(0.4512, 0.0081) == "45.1 ± 0.8"
    assert plus_minus(0.5, None) == "50.0" and plus_minus(None, None) == "–"
    assert [p_value(p) for p in (0.0001, 0.0123, 0.347)] == ["<.001", "0.012", "0.35"]
