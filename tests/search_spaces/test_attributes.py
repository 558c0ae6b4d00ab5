"""The sweep of attributes.txt against its tables."""

from __future__ import annotations

import fnmatch

import pytest

import search_spaces
from search_spaces import BASELINES, active, paper_values
from trainables.methods._attributes import COMBINATIONS

SWEEP = search_spaces.load("attributes")
TESS, CREMA_D = (task.name for task in SWEEP.tasks)

# attributes.txt, Tables 2 and 3, put side by side; a star is a figure in bold, which is one above the baseline's.
TABLES = """
           C      G      S      L      S+G    S+L    G+L    C+G+L  C+S+L  C+S+G+L
    tess   49.48
    mtl    48.90  35.13  52.25* 54.73* 34.77  47.42  51.85* 52.90* 48.69  49.17
    gr     54.71* 45.04  55.17* 50.10* 51.58* 55.46* 52.79* 49.40  54.75* 51.71*
    ad     40.73  39.35  36.98  33.29  49.19  50.40* 52.40* 51.92* 50.08* 52.48*
    crema_d 52.21
    mtl    49.64  50.13  49.50  50.39  52.85* 50.26  52.26  51.53  48.95  51.54
    gr     51.82  53.99* 47.60  53.92* 50.36  53.19* 52.92* 50.57  53.71* 50.12
    ad     51.92  53.33* 53.23* 50.89  50.11  46.47  49.80  45.07  46.32  47.15
"""


def test_the_published_figures_are_those_of_tables_2_and_3():
    (letters, *rows), expected = (line.split() for line in TABLES.strip().splitlines()), {}
    column, baseline = "", 0.0
    for first, *figures in rows:
        if len(figures) == 1:
            column, baseline = {"tess": TESS, "crema_d": CREMA_D}[first], float(figures[0])
            expected["baseline", column] = baseline
            continue
        for letter, figure in zip(letters, figures, strict=True):
            expected[f"{first}_{letter}", column] = mean = float(figure.removesuffix("*"))
            assert (mean > baseline) >= figure.endswith("*")
    assert {cell: figure.mean for cell, figure in SWEEP.published.items()} == expected


def test_gradient_reversal_beats_the_baseline_on_both_corpora_where_section_5_says_so():
    def better(row: str) -> bool:
        return all(SWEEP.published[row, task].mean > SWEEP.published["baseline", task].mean for task in (TESS, CREMA_D))

    rows = {row for row, _ in SWEEP.published}
    # Two more, C+L and C+S+G, are in the supplement alone.
    assert {row for row in rows if row.startswith("gr_") and better(row)} == {"gr_L", "gr_S+L", "gr_G+L", "gr_C+S+L"}


def test_there_is_a_baseline_each_approach_with_all_fifteen_combinations_and_one_search_of_them_for_each():
    assert SWEEP.variants[0].method == "cnn_lstm"
    for method in ("mtl", "gradient_reversal", "adversarial_discriminator"):
        rows = [row for row in SWEEP.variants if row.method == method]
        assert {row.settings["attributes"] for row in rows[:-1]} == set(COMBINATIONS) and len(rows) == 16
        assert not rows[-1].settings and "no row of the paper" in rows[-1].title
    assert [row.name for row in SWEEP.variants[-3:]] == [row.name for row in BASELINES]
    assert len(SWEEP.variants) == 1 + 3 * 16 + 3
    granted = [row.on(SWEEP.tasks[0]).protocol for row in SWEEP.variants[-3:]]
    assert granted == ["pooled_80_10_10", *["pooled_80_10_10_unlabelled"] * 2]


@pytest.mark.parametrize(
    ("row", "attributes"),
    [("mtl_C", "corpus"), ("gr_S+G", "gender+speaker"), ("ad_C+S+L", "corpus+speaker+language")],
)
def test_a_rows_letters_are_its_attributes(row, attributes):
    assert next(each for each in SWEEP.variants if each.name == row).settings == {"attributes": attributes}


def test_every_row_begins_with_the_papers_alpha_and_schedule():
    first = {row.name: paper_values(active(SWEEP.space, row)) for row in SWEEP.variants}
    assert first["baseline"] == {"learning_rate": 0.002}
    for approach, expected in {
        "mtl": {"alpha": 0.1, "alpha_ramp": "constant"},
        "gr": {"alpha": 0.5, "alpha_ramp": "step", "alpha_gamma": 149.0},
        "ad": {"alpha": 0.5, "alpha_ramp": "constant"},
    }.items():
        assert first[f"{approach}_C+G"] == {"learning_rate": 0.002, **expected}
        assert first[f"{approach}_searched"] == {"learning_rate": 0.002, "attributes": "language", **expected}


def test_its_tasks_pool_six_corpora_and_test_on_two_that_are_not_among_them():
    for task, target in zip(SWEEP.tasks, ("tess", "crema_d"), strict=True):
        assert (task.sources, task.targets) == (("emovo", "emodb", "iemocap", "epst", "ravdess", "savee"), (target,))
        assert (task.scheme, task.protocol, task.feature) == ("valence3", "pooled_80_10_10", "mfb40_normalised")


def test_the_smallest_preset_runs_every_approach_every_attribute_alone_a_combination_and_a_search():
    names = [f"{row.name}/{task.name}" for row in SWEEP.variants for task in SWEEP.tasks]
    cells = {cell for pattern in SWEEP.presets["smoke"].cells for cell in fnmatch.filter(names, pattern)}
    rows = [row for row in SWEEP.variants if any(cell.startswith(f"{row.name}/") for cell in cells)]
    assert {row.method for row in rows} == {row.method for row in SWEEP.variants}
    ran = {row.settings.get("attributes", "searched") for row in rows if row.name.startswith(("mtl", "gr", "ad"))}
    assert {"corpus", "gender", "speaker", "language", "corpus+gender+speaker+language", "searched"} <= ran
    assert {cell.partition("/")[2] for cell in cells} == {TESS, CREMA_D}
