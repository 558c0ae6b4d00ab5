"""The sweep of pre-training against its paper, and what its cache of pre-trainings rests on."""

from __future__ import annotations

import itertools

import pytest

import search_spaces
from orchestrator.plan import cells
from search_spaces import BASELINES, active, paper_values

SWEEP = search_spaces.load("saddi_cross_corpus")

# addi.txt, Table 3: IEMOCAP to MSP-IMPROV, MSP-IMPROV to IEMOCAP. Rows of other papers' models are left out.
TABLE_3 = {
    "cnn": "42.5±1.6 44.3±1.5",
    "addi": "45.1±0.8 48.2±0.6",
    "cnn_ssl": "43.8±1.2 45.3±1.1",
    "saddi": "47.1±0.5 49.8±0.6",
}


def test_the_published_figures_are_those_of_table_3_and_figure_2_has_none():
    published = {
        row.name: [SWEEP.published.get((row.name, task.name)) for task in SWEEP.tasks] for row in SWEEP.variants
    }
    shown = {row: " ".join(f"{f.mean}±{f.std}" for f in figures if f) for row, figures in published.items()}
    unpublished = ("cnn_reconstruction", "addi_reconstruction", *(row.name for row in BASELINES))
    assert shown == {**TABLE_3, **dict.fromkeys(unpublished, "")}


def test_the_first_trial_has_what_the_paper_says_and_else_what_stands_in_for_it():
    values = {row.name: paper_values(active(SWEEP.space, row)) for row in SWEEP.variants}
    assert values["cnn"] == values["cnn_reconstruction"] == {"learning_rate": 1e-4}
    assert values["addi"] == values["addi_reconstruction"] == {"learning_rate": 1e-4, "adversarial_weight": 1.0}
    pretext = {"start.fake_weight": 1.0, "start.reconstruction_weight": 0.0}
    assert values["cnn_ssl"] == {"learning_rate": 1e-4, **pretext}
    assert values["saddi"] == {"learning_rate": 1e-4, "adversarial_weight": 1.0, **pretext}


def test_the_pretext_sees_all_of_librispeech_and_no_label():
    for row, task in itertools.product(SWEEP.variants, SWEEP.tasks):
        if row.start is not None:
            pretext = row.start.task(task)
            assert (pretext.sources, pretext.targets) == (("librispeech",), ("librispeech",))
            assert pretext.protocol == "unlabelled"


@pytest.mark.parametrize("fake_weight", [1.0, 4.0])
def test_rows_columns_replicates_and_learning_rates_share_one_pre_training_and_its_own_weights_do_not(fake_weight):
    own = [
        cell for cell in cells(SWEEP, lambda task: f"data of {task.name}") if cell.variant.name in ("cnn_ssl", "saddi")
    ]
    drawn = {"start.fake_weight": fake_weight, "start.reconstruction_weight": 0.1}
    configs = [
        cell.config({**drawn, "learning_rate": rate}, epochs=3, seed=seed)
        for cell, rate, seed in itertools.product(own, (1e-4, 1e-3), (0, 1))
    ]
    assert len({config.identity for config in configs}) == 2 * 2 * 2 * 2
    assert len({config.start.identity for config in configs}) == 1
    other = own[0].config({**drawn, "start.reconstruction_weight": 1.0}, epochs=3, seed=0)
    assert other.start.identity != configs[0].start.identity
