"""The ablation of ADDi against its paper."""

from __future__ import annotations

import pytest

import search_spaces
from search_spaces import BASELINES, active, paper_values
from trainables import methods
from trainables.game import play

SWEEP = search_spaces.load("ablation_addi")

# addi.txt, Table 8, row by row: cross-corpus (IEMOCAP to MSP-IMPROV), cross-language (IEMOCAP to EMO-DB).
TABLE_8 = """
    45.1±0.8 46.1±1.6
    43.2±1.3 44.0±1.9
    43.1±1.4 43.5±1.8
    42.7±1.2 43.3±1.8
    42.5±1.6 41.2±1.9
"""


def test_the_published_figures_are_those_of_table_8():
    published = [[SWEEP.published[variant.name, task.name] for task in SWEEP.tasks] for variant in SWEEP.variants[:5]]
    shown = [[f"{figure.mean}±{figure.std}" for figure in row] for row in published]
    assert shown == [row.split() for row in TABLE_8.strip().splitlines()]


def test_its_tasks_are_cross_corpus_and_cross_language():
    assert [task.name for task in SWEEP.tasks] == ["iemocap-msp_improv", "iemocap-emodb"]


@pytest.mark.parametrize(
    ("variant", "networks", "players"),
    [
        ("full", {"encoder", "decoder", "source_discriminator", "target_discriminator", "classifier"}, 4),
        ("source_discriminator", {"encoder", "decoder", "source_discriminator", "classifier"}, 4),
        ("target_discriminator", {"encoder", "decoder", "target_discriminator", "classifier"}, 4),
        ("autoencoder", {"encoder", "decoder", "classifier"}, 2),
        ("encoder_classifier", {"encoder", "classifier"}, 1),
    ],
)
def test_each_row_of_the_table_has_the_components_that_the_paper_marks(variant, networks, players):
    row = next(each for each in SWEEP.variants if each.name == variant)
    game = play(methods.load(row.method), row.without)
    assert set(game.networks) == networks
    assert len(game.players) == players


def test_the_first_trial_has_the_papers_learning_rate_and_a_constant_lambda():
    values = paper_values(active(SWEEP.space, SWEEP.variants[0]))
    assert values == {
        "learning_rate": 1e-4,
        "batch_size": 32,
        "adversarial_weight": 1.0,
        "adversarial_ramp": "constant",
    }


def test_rows_without_discriminators_search_nothing_adversarial():
    for variant in SWEEP.variants[3:5]:
        assert set(active(SWEEP.space, variant)) == {"learning_rate", "batch_size"}


def test_its_last_rows_are_the_shallow_baselines_of_which_the_paper_has_no_figure():
    assert SWEEP.variants[5:] == BASELINES
    assert not {variant for variant, _ in SWEEP.published} & {variant.name for variant in BASELINES}


def test_the_paper_preset_has_the_papers_ten_replicates():
    assert SWEEP.presets["paper"].replicates == 10
