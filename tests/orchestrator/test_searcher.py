"""The searcher against simulated trials: budgets, replicates, failures, parallelism, time; no training.

Kills and what comes after them are in ``test_searcher_resumes.py``.
"""

from __future__ import annotations

import dataclasses

import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.storages import InMemoryStorage
from optuna.trial import TrialState

from data_prep.errors import InputError
from orchestrator.searcher import SweepSearcher

FULL, BASELINE = "full/iemocap-emodb", "baseline/iemocap-emodb"


def learning_rates(recorder, cell, kind="search"):
    return [record.config.hyperparameters["learning_rate"] for record in recorder.of(cell, kind)]


@pytest.mark.parametrize("workers", [1, 2, 7, 64])
def test_every_cell_gets_its_whole_budget_and_no_more_whatever_the_parallelism(
    workers, make_plan, make_backend, recorder, storage
):
    plan = make_plan()
    searcher = SweepSearcher(plan, storage, recorder)
    make_backend(workers).run(searcher)
    assert len(recorder.records) == plan.runs == 4 * (4 + 3)
    assert set(recorder.ends.values()) == {1} and len(recorder.starts) == plan.runs
    for cell in plan.cells:
        for kind, budget in (("search", 4), ("replicate", 3)):
            assert [record.key.number for record in recorder.of(cell.name, kind)] == list(range(budget))
    assert searcher.done and searcher.problems == []


@settings(max_examples=60, deadline=None)
@given(
    pattern=st.sampled_from(["full/*", "*/iemocap-emodb", "*"]),
    trials=st.integers(1, 6),
    replicates=st.integers(1, 4),
    workers=st.integers(1, 64),
    sampler=st.sampled_from(["tpe", "random"]),
    bad=st.frozensets(st.integers(0, 5)),
    hopeless=st.frozensets(st.integers(1, 5)),
    seed=st.integers(0, 1000),
)
def test_the_budget_and_the_selection_hold_whatever_fails_and_whatever_is_stopped(
    make_plan, make_backend, make_recorder, pattern, trials, replicates, workers, sampler, bad, hopeless, seed
):
    plan = make_plan(pattern, trials=trials, replicates=replicates, sampler=sampler, seed=seed)
    recorder = make_recorder()
    backend = make_backend(
        workers,
        seed,
        fails=lambda config: config["kind"] == "search" and config["number"] in bad,
        stops=lambda config: config["kind"] == "search" and config["number"] in hopeless,
    )
    backend.run(SweepSearcher(plan, InMemoryStorage(), recorder))
    assert set(recorder.ends.values()) == {1}
    for cell in plan.cells:
        search = recorder.of(cell.name, "search")
        expected = ["failed" if n in bad else "stopped" if n in hopeless else "finished" for n in range(trials)]
        assert [record.status for record in search] == expected
        finished = [record for record in search if record.status == "finished"]
        assert len(recorder.of(cell.name, "replicate")) == (replicates if finished else 0)
        if finished:
            best = max(finished, key=lambda record: record.metrics["validation_uar"])
            tried = [record.config.hyperparameters for record in recorder.of(cell.name, "replicate")]
            assert tried == [best.config.hyperparameters] * replicates


def test_the_papers_own_configuration_is_each_cells_first_trial(make_plan, make_backend, recorder, storage):
    plan = make_plan()
    make_backend(3).run(SweepSearcher(plan, storage, recorder))
    for cell in plan.cells:
        first = recorder.of(cell.name, "search")[0]
        assert first.config.hyperparameters["learning_rate"] == 1e-4
        assert first.config.hyperparameters["adversarial_ramp"] == "constant"
        assert len(set(learning_rates(recorder, cell.name))) == 4, "the others are searched"


def test_the_replicates_are_the_best_configuration_under_seeds_that_the_search_has_not_seen(
    make_plan, make_backend, recorder, storage
):
    plan = make_plan(seed=5)
    make_backend(2).run(SweepSearcher(plan, storage, recorder))
    for cell in plan.cells:
        searched, replicates = recorder.of(cell.name, "search"), recorder.of(cell.name, "replicate")
        best = max(searched, key=lambda record: record.metrics["validation_uar"])
        assert [record.config.hyperparameters for record in replicates] == [best.config.hyperparameters] * 3
        assert {record.config.seed for record in searched} == {5}
        assert [record.config.seed for record in replicates] == [6, 7, 8]


def test_another_criterion_chooses_what_is_replicated(make_plan, make_backend, recorder, storage):
    plan = make_plan(criterion="entropy")
    make_backend(2).run(SweepSearcher(plan, storage, recorder))
    for cell in plan.cells:
        best = max(recorder.of(cell.name, "search"), key=lambda record: record.metrics["criterion/entropy"])
        assert best.metrics["validation_uar"] < max(
            r.metrics["validation_uar"] for r in recorder.of(cell.name, "search")
        )
        replicates = recorder.of(cell.name, "replicate")
        assert [record.config.hyperparameters for record in replicates] == [best.config.hyperparameters] * 3


def test_of_equals_the_first_is_replicated(make_plan, make_backend, recorder, storage):
    backend = make_backend(4)
    backend.score = lambda config: 0.5
    backend.run(SweepSearcher(make_plan(), storage, recorder))
    assert set(learning_rates(recorder, FULL, "replicate")) == {1e-4}


def test_with_one_trial_there_is_no_search(make_plan, make_backend, recorder, storage):
    plan = make_plan(trials=1)
    make_backend(2).run(SweepSearcher(plan, storage, recorder))
    assert {rate for cell in plan.cells for rate in learning_rates(recorder, cell.name, "replicate")} == {1e-4}


def test_a_cell_with_nothing_to_search_has_one_search_trial_and_all_its_replicates(
    make_plan, make_backend, recorder, storage
):
    plan = make_plan(trials=5)
    fixed = dataclasses.replace(plan.cell(BASELINE), space={})
    plan = dataclasses.replace(plan, cells=(fixed, *(cell for cell in plan.cells if cell.name != BASELINE)))
    searcher = SweepSearcher(plan, storage, recorder)
    make_backend(3).run(searcher)
    assert (len(recorder.of(BASELINE, "search")), len(recorder.of(BASELINE, "replicate"))) == (1, 3)
    assert len(recorder.of(FULL, "search")) == 5
    assert len(recorder.records) == plan.runs == 3 * (5 + 3) + 1 + 3
    assert searcher.done and searcher.problems == []


@pytest.mark.parametrize("sampler", ["tpe", "random"])
def test_a_conditional_parameter_is_drawn_only_where_its_condition_holds(
    sampler, make_plan, make_backend, recorder, storage
):
    plan = make_plan(trials=20, sampler=sampler)
    make_backend(4).run(SweepSearcher(plan, storage, recorder))
    for cell in plan.cells:
        study = optuna.load_study(study_name=f"made_up/{cell.name}", storage=storage)
        replicates = optuna.load_study(study_name=f"made_up/{cell.name}/replicates", storage=storage)
        for trial in (*study.trials, *replicates.trials):
            assert ("adversarial_gamma" in trial.params) == (trial.params.get("adversarial_ramp") == "sigmoid")
            assert ("adversarial_ramp" in trial.params) == (cell.variant.name == "full")
        ramps = {trial.params.get("adversarial_ramp") for trial in study.trials}
        assert ramps == ({"constant", "sigmoid"} if cell.variant.name == "full" else {None})


def test_a_failed_run_is_tried_once_more_with_the_same_configuration(make_plan, make_backend, recorder, storage):
    plan, tried = make_plan("full/iemocap-emodb"), []

    def fails_at_first(config):
        key = (config["kind"], config["number"])
        tried.append((key, config["trial"]))
        return [seen for seen, _ in tried].count(key) == 1

    make_backend(2, fails=fails_at_first).run(SweepSearcher(plan, storage, recorder))
    assert {record.status for record in recorder.records.values()} == {"finished"}
    for key in {key for key, _ in tried}:
        first, second = (trial for seen, trial in tried if seen == key)
        assert first == second


def test_a_run_that_fails_twice_is_recorded_with_its_reason_and_the_sweep_goes_on(
    make_plan, make_backend, recorder, storage
):
    plan = make_plan("full/iemocap-emodb")
    searcher = SweepSearcher(plan, storage, recorder)
    complete = searcher.on_trial_complete

    def explained(trial, result=None, error=False):
        if error:
            searcher.explain(trial, "ValueError: too hot")
        complete(trial, result, error)

    searcher.on_trial_complete = explained
    failing = {("search", 2), ("replicate", 1)}
    make_backend(2, fails=lambda config: (config["kind"], config["number"]) in failing).run(searcher)
    assert [record.status for record in recorder.of(FULL, "search")] == ["finished", "finished", "failed", "finished"]
    assert [record.status for record in recorder.of(FULL, "replicate")] == ["finished", "failed", "finished"]
    assert recorder.records[f"{FULL}/search-2"].error == "ValueError: too hot"
    assert searcher.problems == [
        f"{FULL}/search-2 failed 2 times: ValueError: too hot",
        f"{FULL}/replicate-1 failed 2 times: ValueError: too hot",
    ]


def test_a_cell_whose_every_trial_failed_has_no_replicates_and_says_so(make_plan, make_backend, recorder, storage):
    plan = make_plan()
    searcher = SweepSearcher(plan, storage, recorder)
    make_backend(3, fails=lambda config: config["cell"] == FULL).run(searcher)
    assert recorder.of(FULL, "replicate") == []
    assert len(recorder.of(BASELINE, "replicate")) == 3
    assert searcher.problems[-1] == f"{FULL}: not one search trial has finished, so there is nothing to replicate"
    assert searcher.done


def test_a_run_that_the_scheduler_stopped_keeps_its_best_epoch_and_never_wins(
    make_plan, make_backend, recorder, storage
):
    plan = make_plan("full/iemocap-emodb", trials=2, replicates=1)
    searcher = SweepSearcher(plan, storage, recorder)
    backend = make_backend(1, stops=lambda config: config["number"] == 1)
    first, second = (searcher.suggest(name) for name in ("a", "b"))
    backend.complete(searcher, "b", second)
    backend.complete(searcher, "a", first)
    stopped = recorder.records[f"{FULL}/search-1"]
    assert stopped.status == "stopped" and [epoch["epoch"] for epoch in stopped.history] == [1, 2]
    assert stopped.metrics == {"validation_uar": 2 * backend.score(second), "best_epoch": 2, "epochs_run": 2}
    assert searcher.suggest("c")["trial"]["hyperparameters"] == first["trial"]["hyperparameters"]
    study = optuna.load_study(study_name=f"made_up/{FULL}", storage=storage)
    assert [trial.state for trial in study.trials] == [TrialState.COMPLETE, TrialState.PRUNED]
    assert study.trials[1].intermediate_values == {2: 2 * backend.score(second)}, "what TPE ranks it by"


def test_a_stopped_trial_of_several_seeds_has_the_mean_of_their_best_epochs_though_no_epoch_has(
    make_plan, recorder, storage
):
    searcher = SweepSearcher(make_plan("full/iemocap-emodb", search_seeds=2), storage, recorder)
    searcher.suggest("a")
    # One seed has .4 and .8, the other .6 and .2.
    searcher.on_trial_result("a", {"epoch": 1, "validation_uar": 0.5, "best_validation_uar": 0.5})
    searcher.on_trial_complete("a", {"epoch": 2, "validation_uar": 0.5, "best_validation_uar": 0.7, "done": True})
    assert recorder.records[f"{FULL}/search-0"].metrics["validation_uar"] == 0.7


def test_a_run_that_is_cut_off_with_the_sweep_is_not_recorded(make_plan, recorder, storage):
    searcher = SweepSearcher(make_plan(), storage, recorder)
    searcher.suggest("a")
    searcher.on_trial_complete("a", {"epoch": 1, "validation_uar": 0.9, "best_validation_uar": 0.9})
    assert recorder.records == {} and not searcher.done


@pytest.mark.parametrize(
    ("last", "reason"),
    [
        ({"final": True, "validation_uar": float("nan"), "done": True}, "its final result has validation_uar nan"),
        ({"epoch": 1, "validation_uar": 0.5, "done": True}, "it returned without a final result"),
    ],
)
def test_a_run_that_ends_without_a_usable_final_result_has_failed(last, reason, make_plan, recorder, storage):
    searcher = SweepSearcher(make_plan("full/iemocap-emodb", trials=1), storage, recorder)
    for attempt in ("a", "b"):
        assert searcher.suggest(attempt)["number"] == 0
        searcher.on_trial_result(attempt, {"epoch": 1, "validation_uar": 0.5, "best_validation_uar": 0.5})
        searcher.on_trial_complete(attempt, last)
    assert recorder.records[f"{FULL}/search-0"].error == reason


@pytest.mark.parametrize("workers", [2, 5, 16])
def test_no_worker_waits_while_there_is_a_run_that_could_begin(workers, make_plan, make_backend, recorder, storage):
    backend, plan = make_backend(workers), make_plan()
    backend.run(SweepSearcher(plan, storage, recorder))
    for handed_out, running in backend.waits:
        for cell in plan.cells:
            searching = any((run["cell"], run["kind"]) == (cell.name, "search") for run in running)
            assert handed_out[cell.name, "search"] == plan.trials
            assert searching or handed_out[cell.name, "replicate"] == plan.replicates


def test_all_cells_progress_evenly(make_plan, make_backend, recorder, storage):
    plan = make_plan(trials=10)
    make_backend(3).run(SweepSearcher(plan, storage, recorder))
    for moment in range(1, 4 * 10):
        begun = [key.cell for key, _ in recorder.starts[:moment]]
        counts = [begun.count(cell.name) for cell in plan.cells]
        assert max(counts) - min(counts) <= 1


def test_when_the_time_is_up_no_search_trial_begins_and_every_cell_still_gets_its_replicates(
    make_plan, make_backend, recorder, storage
):
    backend, plan = make_backend(2), make_plan(trials=50)
    searcher = SweepSearcher(plan, storage, recorder, time_budget=60, clock=backend.clock)
    suggest, late = searcher.suggest, []

    def watched(trial):
        config = suggest(trial)
        if backend.now >= 60 and isinstance(config, dict):
            late.append(config["kind"])
        return config

    searcher.suggest = watched
    backend.run(searcher)
    assert set(late) == {"replicate"}
    for cell in plan.cells:
        assert 1 <= len(recorder.of(cell.name, "search")) < 50
        assert len(recorder.of(cell.name, "replicate")) == 3
    assert searcher.done and searcher.problems == []


def test_with_no_time_at_all_every_cell_has_the_papers_configuration_and_its_replicates(
    make_plan, make_backend, recorder, storage
):
    backend, plan = make_backend(2), make_plan()
    backend.run(SweepSearcher(plan, storage, recorder, time_budget=0, clock=backend.clock))
    assert {rate for cell in plan.cells for rate in learning_rates(recorder, cell.name)} == {1e-4}
    assert len(recorder.records) == 4 * (1 + 3)


def test_the_random_sampler_draws_the_same_list_whatever_the_order_in_which_runs_end(
    make_plan, make_backend, make_recorder
):
    lists = []
    for workers, seed in ((1, 0), (5, 1), (16, 2)):
        recorder = make_recorder()
        plan = make_plan(sampler="random", trials=8)
        make_backend(workers, seed=seed).run(SweepSearcher(plan, InMemoryStorage(), recorder))
        lists.append({cell.name: learning_rates(recorder, cell.name) for cell in plan.cells})
    assert lists[0] == lists[1] == lists[2]
    assert len({rate for rates in lists[0].values() for rate in rates[1:]}) == 4 * 7, "each cell has its own"


def test_another_seed_draws_another_list(make_plan, make_backend, make_recorder):
    recorders = make_recorder(), make_recorder()
    for seed, recorder in enumerate(recorders):
        plan = make_plan(sampler="random", seed=seed)
        make_backend(2).run(SweepSearcher(plan, InMemoryStorage(), recorder))
    first, second = (learning_rates(recorder, FULL)[1:] for recorder in recorders)
    assert not set(first) & set(second)


@pytest.mark.parametrize("workers", [1, 8])
def test_tpe_learns_from_what_it_is_told(workers, make_plan, make_backend, recorder, storage):
    plan = make_plan("baseline/iemocap-emodb", trials=40)
    make_backend(workers).run(SweepSearcher(plan, storage, recorder))
    rates = learning_rates(recorder, BASELINE)
    # A draw that learns nothing is above 3e-3 (of 1e-5 to 1e-2, on a log scale) in 17 % of cases.
    assert sum(rate > 3e-3 for rate in rates[20:]) > 10


def test_the_studies_are_in_a_file_that_optuna_opens(make_plan, make_backend, recorder, tmp_path):
    plan, file = make_plan("full/*"), tmp_path / "optuna.db"
    make_backend(2).run(SweepSearcher(plan, file, recorder))
    names = sorted(optuna.get_all_study_names(f"sqlite:///{file}"))
    search, replicates = f"made_up/{FULL}", f"made_up/{FULL}/replicates"
    others = ["made_up/full/iemocap-msp_improv", "made_up/full/iemocap-msp_improv/replicates"]
    assert names == [search, replicates, *others]
    study = optuna.load_study(study_name=search, storage=f"sqlite:///{file}")
    assert [trial.state for trial in study.trials] == [TrialState.COMPLETE] * 4
    assert [trial.user_attrs["number"] for trial in study.trials] == [0, 1, 2, 3]
    assert study.best_value == max(record.metrics["validation_uar"] for record in recorder.of(FULL, "search"))
    study = optuna.load_study(study_name=replicates, storage=f"sqlite:///{file}")
    assert [trial.params for trial in study.trials] == [study.trials[0].params] * 3
    assert [trial.user_attrs["seed"] for trial in study.trials] == [1, 2, 3]


def test_thousands_of_trials_on_many_workers_all_go_through(make_plan, make_backend, recorder, storage):
    plan = make_plan(trials=500, sampler="random")
    make_backend(64).run(SweepSearcher(plan, storage, recorder))
    assert len(recorder.records) == 4 * 503


@pytest.mark.parametrize("breaks", ["reported", "ended"])
def test_a_record_that_cannot_be_written_ends_the_sweep_and_nothing_counts_as_done(
    breaks, make_plan, make_backend, recorder, storage
):
    def full(*arguments):
        raise InputError("the disk is full")

    setattr(recorder, breaks, full)
    searcher = SweepSearcher(make_plan(), storage, recorder)
    with pytest.raises(InputError, match="the disk is full"):
        make_backend(2).run(searcher)
    with pytest.raises(InputError, match="the disk is full"):
        _ = searcher.done
    assert recorder.records == {}
