"""What every sweep must hold to. A new sweep is under these tests because it exists."""

from __future__ import annotations

import fnmatch

import pytest
from optuna.trial import create_trial

import search_spaces
from data_prep import splits
from search_spaces import BASELINES, active, fields_of, paper_values
from trainables import methods
from trainables.estimator import Estimator
from trainables.game import play

every_sweep = pytest.mark.parametrize("name", search_spaces.known())
# Those that test on other corpora than they train on.
ACROSS = [
    name
    for name in search_spaces.known()
    if not all(splits.load(task.protocol).within for task in search_spaces.load(name).tasks)
]


def test_there_are_sweeps():
    assert "ablation_addi" in search_spaces.known()


@every_sweep
def test_the_papers_value_of_every_parameter_can_be_drawn(name):
    for searched, parameter in search_spaces.load(name).space.items():
        create_trial(params={searched: parameter.paper}, distributions={searched: parameter.distribution}, value=0)


@every_sweep
def test_a_condition_names_only_earlier_parameters(name):
    space = search_spaces.load(name).space
    order = list(space)
    for parameter_name, parameter in space.items():
        assert set(parameter.when) <= set(order[: order.index(parameter_name)])


@every_sweep
def test_every_parameter_is_a_hyperparameter_and_means_something_in_some_variant(name):
    sweep = search_spaces.load(name)
    for variant in sweep.variants:
        assert active(sweep.space, variant).keys() <= fields_of(variant)
    assert {name for variant in sweep.variants for name in active(sweep.space, variant)} == sweep.space.keys()


@every_sweep
def test_the_papers_configuration_of_every_variant_is_accepted_by_its_method(name):
    sweep = search_spaces.load(name)
    for variant in sweep.variants:
        for row in map(variant.in_column, sweep.tasks):
            drawn = paper_values(active(sweep.space, row))
            methods.load(row.method).hyperparameters(**row.values(drawn))
            if row.start is not None:
                methods.load(row.start.method).hyperparameters(**row.start_values(drawn))


@every_sweep
def test_every_variant_is_a_game_that_still_trains_what_predicts(name):
    for variant in search_spaces.load(name).variants:
        method = methods.load(variant.method)
        if isinstance(method, Estimator):
            continue
        game = play(method, variant.without)
        assert set(method.predictors) <= {network for player in game.players for network in player.moves}


@every_sweep
def test_no_two_variants_are_the_same_in_any_column(name):
    sweep = search_spaces.load(name)
    for column in sweep.tasks:
        cells = [
            (
                row.method,
                set(row.without),
                dict(row.settings),
                set(active(sweep.space, row)),  # one row may search what another fixes
                row.on(column),
                row.start,
            )
            for row in (variant.in_column(column) for variant in sweep.variants)
        ]
        assert all(cell not in cells[:number] for number, cell in enumerate(cells))


@every_sweep
def test_what_was_published_and_the_reference_are_in_the_table(name):
    sweep = search_spaces.load(name)
    variants, tasks = {variant.name for variant in sweep.variants}, {task.name for task in sweep.tasks}
    assert {variant for variant, _ in sweep.published} <= variants and {task for _, task in sweep.published} <= tasks
    assert sweep.reference in variants
    assert all(0 < figure.mean < 100 for figure in sweep.published.values()), "per cent"


@every_sweep
def test_there_are_three_presets_each_dearer_than_the_one_before(name):
    presets = [search_spaces.load(name).presets[size] for size in ("smoke", "demo", "paper")]
    costs = [preset.epochs * (preset.trials + preset.replicates) for preset in presets]
    assert costs == sorted(set(costs))
    assert all(preset.replicates >= 2 for preset in presets), "a standard deviation needs two"


@every_sweep
def test_the_smallest_preset_runs_every_method(name):
    sweep = search_spaces.load(name)
    cells = [f"{variant.name}/{task.name}" for variant in sweep.variants for task in sweep.tasks]
    ran = {cell for pattern in sweep.presets["smoke"].cells for cell in fnmatch.filter(cells, pattern)}
    for method in {variant.method for variant in sweep.variants}:
        rows = [variant.name for variant in sweep.variants if variant.method == method]
        assert any(cell.partition("/")[0] in rows for cell in ran), method


@pytest.mark.parametrize("name", ACROSS)
def test_what_a_table_across_corpora_shows_of_a_column_stands_beside_all_shallow_baselines(name):
    sweep = search_spaces.load(name)
    cells = [f"{variant.name}/{task.name}" for variant in sweep.variants for task in sweep.tasks]
    for size in ("demo", "paper"):
        patterns = sweep.presets[size].cells
        ran = {cell for cell in cells if any(fnmatch.fnmatchcase(cell, pattern) for pattern in patterns)}
        columns = {cell.partition("/")[2] for cell in ran}
        assert {f"{row.name}/{column}" for row in BASELINES for column in columns} <= ran, size
