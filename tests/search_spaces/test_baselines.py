"""The shallow baselines of every cross-corpus table."""

from __future__ import annotations

import dataclasses

import pytest

from orchestrator.plan import Plan, cells
from search_spaces import BASELINES, active, check
from trainables import methods
from trainables.config import TaskConfig

TASK = TaskConfig(sources=("iemocap",), targets=("emodb",), protocol="speakers_80_20", max_frames=100)


def test_they_are_the_three_that_a_sceptic_asks_for():
    method = methods.load("logistic_regression")
    settings = [method.hyperparameters(**variant.values({})) for variant in BASELINES]
    assert [method.normalisation(each) for each in settings] == ["source", "corpus", "corpus"]
    assert [each.coral for each in settings] == [False, False, True]
    assert [method.adapts(each) for each in settings] == [False, True, True]
    assert {(each.C, each.class_weight) for each in settings} == {(0.01, "balanced")}


def test_their_task_is_the_columns_on_whole_utterances_of_is09():
    for variant in BASELINES:
        assert variant.on(TASK) == dataclasses.replace(TASK, feature="is09", max_frames=None)


def test_nothing_is_searched_in_them_and_each_has_one_search_trial(sweep):
    space = {**sweep.space, "C": dataclasses.replace(sweep.space["learning_rate"], paper=1e-3)}
    both = dataclasses.replace(sweep, variants=(*sweep.variants, *BASELINES))
    check(both)
    assert all(active(space, variant) == {} for variant in BASELINES)
    plan = Plan(sweep="made up", cells=cells(both, lambda task: ""), epochs=1, trials=9, replicates=2)
    spent = {cell.variant.name: plan.trials_of(cell) for cell in plan.cells}
    assert spent == {"full": 9, "mute": 9, "baseline": 9, "is09_source": 1, "is09_corpus": 1, "is09_coral": 1}


def test_they_hold_together_with_any_protocol_that_grants_the_targets_features(sweep):
    for protocol in ("random_80_20", "target_dev_30", "speakers_60_20_20_labelled_25"):
        tasks = (dataclasses.replace(TASK, protocol=protocol),)
        check(
            dataclasses.replace(sweep, variants=BASELINES, tasks=tasks, space={}, published={}, reference="is09_source")
        )


@pytest.mark.parametrize("variant", BASELINES, ids=lambda variant: variant.name)
def test_their_titles_fit_the_tables_first_column(variant):
    assert len(variant.title) <= 31
