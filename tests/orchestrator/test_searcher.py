"""The searcher against simulated trials: budgets, replicates, kills, failures, parallelism; no training."""

from __future__ import annotations

from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState

from orchestrator.searcher import SweepSearcher


def settings(recorder, cell, kind="search"):
    return [record.config.hyperparameters["learning_rate"] for record in recorder.of(cell, kind)]


@pytest.mark.parametrize("workers", [1, 2, 7, 64])
def test_every_cell_gets_its_whole_budget_and_no_more_whatever_the_parallelism(
    workers, make_plan, make_backend, recorder, storage
):
    plan = make_plan()
    make_backend(workers).run(SweepSearcher(plan, storage, recorder))
    assert len(recorder.records) == plan.runs == 4 * (4 + 3)
    assert set(recorder.ends.values()) == {1}
    for cell in plan.cells:
        assert (len(recorder.of(cell.name, "search")), len(recorder.of(cell.name, "replicate"))) == (4, 3)


def test_the_papers_own_configuration_is_each_cells_first_trial(make_plan, make_backend, recorder, storage):
    plan = make_plan()
    make_backend(3).run(SweepSearcher(plan, storage, recorder))
    for cell in plan.cells:
        first = recorder.of(cell.name, "search")[0]
        assert first.config.hyperparameters["learning_rate"] == 1e-4
        assert len(set(settings(recorder, cell.name))) == 4, "the others are searched"


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


def test_with_one_trial_there_is_no_search(make_plan, make_backend, recorder, storage):
    plan = make_plan(trials=1)
    make_backend(2).run(SweepSearcher(plan, storage, recorder))
    assert {rate for cell in plan.cells for rate in settings(recorder, cell.name, "replicate")} == {1e-4}


def test_a_conditional_parameter_is_drawn_only_where_its_condition_holds(make_plan, make_backend, recorder, storage):
    plan = make_plan(trials=20)
    make_backend(4).run(SweepSearcher(plan, storage, recorder))
    for cell in plan.cells:
        study = optuna.load_study(study_name=f"made_up/{cell.name}", storage=storage)
        for trial in study.get_trials(states=(TrialState.COMPLETE,)):
            assert ("adversarial_gamma" in trial.params) == (trial.params.get("adversarial_ramp") == "sigmoid")
            assert ("adversarial_ramp" in trial.params) == (cell.variant.name == "full")


def test_killed_at_any_moment_and_resumed_the_sweep_ends_complete_with_nothing_run_twice(
    make_plan, make_backend, make_recorder, killed
):
    plan = make_plan("*/iemocap-emodb")
    undisturbed = make_backend(2)
    undisturbed.run(SweepSearcher(plan, optuna.storages.InMemoryStorage(), make_recorder()))
    for moment in range(undisturbed.events):
        recorder, storage = make_recorder(), optuna.storages.InMemoryStorage()
        with pytest.raises(killed):
            make_backend(2).run(SweepSearcher(plan, storage, recorder), kill_after=moment)
        before = dict(recorder.ends)
        make_backend(2, seed=1).run(SweepSearcher(plan, storage, recorder))
        assert len(recorder.records) == plan.runs, f"killed after {moment} events"
        assert set(recorder.ends.values()) == {1} and before.items() <= recorder.ends.items()


def test_a_trial_that_was_running_when_the_driver_was_killed_runs_again_with_the_configuration_it_had(
    make_plan, make_backend, recorder, storage
):
    plan = make_plan("full/iemocap-emodb")
    first = SweepSearcher(plan, storage, recorder)
    suggested = [first.suggest(name)["trial"]["hyperparameters"] for name in ("a", "b", "c")]
    again = SweepSearcher(plan, storage, recorder)
    assert [again.suggest(name)["trial"]["hyperparameters"] for name in ("d", "e", "f")] == suggested


def test_a_run_that_had_ended_when_optuna_had_not_been_told_is_told_and_not_run(
    make_plan, make_backend, recorder, storage
):
    plan = make_plan("full/iemocap-emodb")
    searcher = SweepSearcher(plan, storage, recorder)
    config = searcher.suggest("a")
    told = searcher._studies["full/iemocap-emodb"]
    told.tell = lambda *arguments, **named: None  # the driver dies between the journal and Optuna
    make_backend(1)._complete(searcher, "a", config)
    del told.tell
    resumed = SweepSearcher(plan, storage, recorder)
    assert [trial.state for trial in told.get_trials()] == [TrialState.COMPLETE]
    assert resumed.suggest("b")["number"] == 1


def test_a_failed_run_is_tried_once_more_with_the_same_configuration(make_plan, make_backend, recorder, storage):
    plan, tried = make_plan("full/iemocap-emodb"), []

    def fails_at_first(config):
        key = (config["kind"], config["number"])
        tried.append((key, config["trial"]["hyperparameters"]["learning_rate"]))
        return [seen for seen, _ in tried].count(key) == 1

    make_backend(2, fails=fails_at_first).run(SweepSearcher(plan, storage, recorder))
    assert {record.status for record in recorder.records.values()} == {"finished"}
    for key in {key for key, _ in tried}:
        rates = [rate for seen, rate in tried if seen == key]
        assert len(rates) == 2 and len(set(rates)) == 1


def test_a_run_that_fails_twice_is_recorded_so_never_wins_and_the_sweep_goes_on(
    make_plan, make_backend, recorder, storage
):
    plan = make_plan("full/iemocap-emodb")
    searcher = SweepSearcher(plan, storage, recorder)
    make_backend(2, fails=lambda config: config["kind"] == "search" and config["number"] == 2).run(searcher)
    assert [record.status for record in recorder.of("full/iemocap-emodb", "search")].count("failed") == 1
    assert len(recorder.of("full/iemocap-emodb", "replicate")) == 3
    assert searcher.problems == ["full/iemocap-emodb/search-2 failed 2 times; the worker's log says why"]


def test_a_cell_whose_every_trial_failed_has_no_replicates_and_says_so(make_plan, make_backend, recorder, storage):
    plan = make_plan()
    searcher = SweepSearcher(plan, storage, recorder)
    make_backend(3, fails=lambda config: config["cell"] == "full/iemocap-emodb").run(searcher)
    assert recorder.of("full/iemocap-emodb", "replicate") == []
    assert len(recorder.of("baseline/iemocap-emodb", "replicate")) == 3
    assert any("full/iemocap-emodb: not one search trial has finished" in problem for problem in searcher.problems)


def test_a_run_that_the_scheduler_stopped_never_wins(make_plan, recorder, storage):
    plan = make_plan("full/iemocap-emodb", trials=2, replicates=1)
    searcher = SweepSearcher(plan, storage, recorder)
    first, second = (searcher.suggest(name) for name in ("a", "b"))
    epoch = {"epoch": 1, "validation_uar": 0.9, "best_validation_uar": 0.9}
    searcher.on_trial_complete("b", {**epoch, "done": True})
    final = {"final": True, "validation_uar": 0.4, "test_uar": 0.3, "confusion": [[1]], "done": True}
    searcher.on_trial_complete("a", final)
    assert recorder.records[f"{second['cell']}/search-1"].status == "stopped"
    assert searcher.suggest("c")["trial"]["hyperparameters"] == first["trial"]["hyperparameters"]


def test_a_run_that_is_cut_off_with_the_sweep_is_not_recorded(make_plan, recorder, storage):
    searcher = SweepSearcher(make_plan(), storage, recorder)
    searcher.suggest("a")
    searcher.on_trial_complete("a", {"epoch": 1, "validation_uar": 0.9, "best_validation_uar": 0.9})
    assert recorder.records == {} and not searcher.done


def test_no_worker_is_idle_while_there_is_work_that_could_begin(make_plan, make_backend, recorder, storage):
    backend = make_backend(2)
    plan = make_plan()
    searcher = SweepSearcher(plan, storage, recorder)
    suggest = searcher.suggest

    def watched(trial):
        config = suggest(trial)
        if config is None:
            # Only the tail may wait: the last cell's replicates wait for its own search.
            left = plan.runs - len(recorder.records)
            assert left <= 1 + plan.replicates
        return config

    searcher.suggest = watched
    backend.run(searcher)


def test_when_the_time_is_up_no_search_trial_begins_and_every_cell_still_gets_its_replicates(
    make_plan, make_backend, recorder, storage
):
    backend, plan = make_backend(2), make_plan(trials=50)
    backend.run(SweepSearcher(plan, storage, recorder, time_budget=60, clock=backend.clock))
    for cell in plan.cells:
        assert 1 <= len(recorder.of(cell.name, "search")) < 50
        assert len(recorder.of(cell.name, "replicate")) == 3
    counts = [len(recorder.of(cell.name, "search")) for cell in plan.cells]
    assert max(counts) - min(counts) <= 2, "the budget is shared evenly"


def test_with_no_time_at_all_every_cell_has_the_papers_configuration_and_its_replicates(
    make_plan, make_backend, recorder, storage
):
    backend, plan = make_backend(2), make_plan()
    backend.now = 1.0
    searcher = SweepSearcher(plan, storage, recorder, time_budget=-1, clock=backend.clock)
    backend.run(searcher)
    assert {rate for cell in plan.cells for rate in settings(recorder, cell.name)} == {1e-4}
    assert len(recorder.records) == 4 * (1 + 3)


def test_the_random_sampler_draws_the_same_list_whatever_the_order_in_which_runs_end(
    make_plan, make_backend, make_recorder
):
    lists = []
    for workers, seed in ((1, 0), (5, 1), (16, 2)):
        recorder = make_recorder()
        plan = make_plan(sampler="random", trials=8)
        make_backend(workers, seed=seed).run(SweepSearcher(plan, optuna.storages.InMemoryStorage(), recorder))
        lists.append({cell.name: settings(recorder, cell.name) for cell in plan.cells})
    assert lists[0] == lists[1] == lists[2]


def test_tpe_learns_from_what_it_is_told(make_plan, make_backend, recorder, storage):
    plan = make_plan("baseline/iemocap-emodb", trials=40)
    make_backend(1).run(SweepSearcher(plan, storage, recorder))
    rates = settings(recorder, "baseline/iemocap-emodb")
    # A draw that learns nothing is above 3e-3 (of 1e-5 to 1e-2, on a log scale) in 17 % of cases.
    assert sum(rate > 3e-3 for rate in rates[20:]) > 10


def test_the_studies_outlive_the_process_in_a_file_that_optuna_opens(make_plan, make_backend, recorder, tmp_path):
    plan = make_plan("full/*")
    make_backend(2).run(SweepSearcher(plan, tmp_path / "optuna.db", recorder))
    names = optuna.get_all_study_names(f"sqlite:///{tmp_path / 'optuna.db'}")
    assert sorted(names) == ["made_up/full/iemocap-emodb", "made_up/full/iemocap-msp_improv"]
    study = optuna.load_study(study_name=names[0], storage=f"sqlite:///{tmp_path / 'optuna.db'}")
    assert len(study.get_trials(states=(TrialState.COMPLETE,))) == 4
    assert study.best_value > 0.3


def test_thousands_of_trials_on_many_workers_all_go_through(make_plan, make_backend, recorder, storage):
    plan = make_plan(trials=500, sampler="random")
    make_backend(64).run(SweepSearcher(plan, storage, recorder))
    assert len(recorder.records) == 4 * 503


def test_tune_can_save_and_restore_it(make_plan, recorder, storage, tmp_path: Path):
    searcher = SweepSearcher(make_plan(), storage, recorder)
    searcher.save(str(tmp_path / "state"))
    searcher.restore(str(tmp_path / "state"))
    assert searcher.suggest("a")["number"] == 0
