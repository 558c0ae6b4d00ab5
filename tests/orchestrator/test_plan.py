"""The plan: which cells, which runs, and what each of them is."""

from __future__ import annotations

import dataclasses

import pytest

from data_prep.errors import InputError
from orchestrator.plan import cells
from orchestrator.records import RunKey
from trainables.config import TrialConfig

FULL = "full/iemocap-emodb"


def test_the_cells_are_the_table_row_by_row(made_up_sweep):
    found = cells(made_up_sweep, lambda task: f"data of {task.name}")
    assert [cell.name for cell in found] == [
        "full/iemocap-msp_improv",
        "full/iemocap-emodb",
        "baseline/iemocap-msp_improv",
        "baseline/iemocap-emodb",
    ]
    assert [cell.config({}, epochs=1, seed=0).data for cell in found] == [
        "data of iemocap-msp_improv",
        "data of iemocap-emodb",
    ] * 2


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("full/*", ["full/iemocap-msp_improv", "full/iemocap-emodb"]),
        ("*/iemocap-emodb", ["full/iemocap-emodb", "baseline/iemocap-emodb"]),
        ("full/iemocap-emodb", ["full/iemocap-emodb"]),
    ],
)
def test_a_pattern_chooses_cells(pattern, names, make_plan):
    assert [cell.name for cell in make_plan(pattern).cells] == names


def test_a_pattern_that_matches_nothing_lists_the_cells(make_plan):
    with pytest.raises(InputError, match="no cell matches 'ful/iemocap-emodb'; the cells, nearest first: full/iemo"):
        make_plan("ful/iemocap-emodb")


def test_it_counts_its_runs(make_plan):
    assert make_plan(trials=30, replicates=10).runs == 4 * 40


def test_a_run_has_what_was_drawn_and_the_methods_defaults_for_the_rest(make_plan):
    plan = make_plan(epochs=7, seed=3)
    config = plan.config(RunKey(cell=FULL, kind="search", number=2), {"learning_rate": 2e-3})
    assert config == TrialConfig(
        method="addi",
        task=plan.cell(FULL).task,
        hyperparameters={
            "learning_rate": 2e-3,
            "batch_size": 32,
            "adversarial_weight": 1.0,
            "adversarial_ramp": "constant",
            "adversarial_gamma": 10.0,
            "adversarial_delay": 0.0,
        },
        epochs=7,
        seed=3,
        data="data of iemocap-emodb",
    )


def test_a_run_of_a_variant_lacks_what_the_variant_removes(make_plan):
    key = RunKey(cell="baseline/iemocap-emodb", kind="search", number=0)
    assert "generator" in make_plan().config(key, {}).without


def test_replicates_have_seeds_of_their_own_the_same_in_every_cell(make_plan):
    plan = make_plan(seed=10)
    for cell in plan.cells:
        seeds = [plan.config(RunKey(cell=cell.name, kind="replicate", number=n), {}).seed for n in range(3)]
        assert seeds == [11, 12, 13]
        assert plan.config(RunKey(cell=cell.name, kind="search", number=2), {}).seed == 10


def test_a_search_trial_of_several_seeds_has_none_of_a_replicates_and_a_replicate_has_one(make_plan):
    plan = make_plan(seed=10, search_seeds=3)
    search, again, replicate = (
        plan.config(RunKey(cell=FULL, kind=kind, number=number), {})
        for kind, number in (("search", 0), ("search", 1), ("replicate", 0))
    )
    assert search.runs == again.runs and [run.seed for run in search.runs] == list(plan.seeds[:3])
    assert plan.seeds[0] == 10 and plan.seeds[3:] == (11, 12, 13) and len(set(plan.seeds)) == 6
    assert replicate.seeds == 1 and replicate == make_plan(seed=10).config(
        RunKey(cell=FULL, kind="replicate", number=0), {}
    )


def test_two_runs_that_differ_in_anything_have_different_identities(make_plan):
    plan = make_plan()
    key = RunKey(cell=FULL, kind="search", number=0)
    config = plan.config(key, {})
    others = [
        plan.config(key, {"learning_rate": 2e-4}),
        plan.config(dataclasses.replace(key, kind="replicate"), {}),
        plan.config(dataclasses.replace(key, cell="baseline/iemocap-emodb"), {}),
        dataclasses.replace(plan, epochs=7).config(key, {}),
        dataclasses.replace(config, data="other data"),
    ]
    assert len({config.identity, *(other.identity for other in others)}) == 6
    assert TrialConfig.from_dict(config.to_dict()).identity == config.identity
