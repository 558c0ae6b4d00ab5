"""A driver that is killed at any moment, and the one that goes on in its place."""

from __future__ import annotations

import dataclasses

import optuna
import pytest
from optuna.storages import InMemoryStorage
from optuna.trial import TrialState

from data_prep.errors import InputError
from orchestrator.searcher import SweepSearcher

FULL = "full/iemocap-emodb"


def configurations(recorder, cell, kind):
    return [record.config for record in recorder.of(cell, kind)]


def test_killed_at_any_moment_and_resumed_the_sweep_ends_complete_with_nothing_run_twice(
    make_plan, make_backend, make_recorder, make_storage, make_fuse, killed
):
    plan = make_plan("*/iemocap-emodb", trials=3, replicates=2)
    misfortunes = {"fails": lambda config: config["number"] == 1, "stops": lambda config: config["number"] == 2}
    search_only = {
        name: lambda config, happens=happens: config["kind"] == "search" and happens(config)
        for name, happens in misfortunes.items()
    }
    whole = make_fuse()
    make_backend(2, **search_only, fuse=whole).run(SweepSearcher(plan, make_storage(whole), make_recorder(whole)))
    assert whole.burnt > 100
    for moment in range(whole.burnt):
        fuse = make_fuse(left=moment)
        recorder, storage = make_recorder(fuse), make_storage(fuse)
        with pytest.raises(killed):
            make_backend(2, **search_only, fuse=fuse).run(SweepSearcher(plan, storage, recorder))
        before, begun = dict(recorder.ends), len(recorder.starts)
        fuse.left = None
        make_backend(2, **search_only, seed=1).run(SweepSearcher(plan, storage, recorder))
        assert len(recorder.records) == plan.runs, f"killed after {moment} steps"
        assert set(recorder.ends.values()) == {1}
        again = {str(key) for key, _ in recorder.starts[begun:]}
        assert not again & before.keys(), f"killed after {moment} steps: {again & before.keys()} ran again"
        for cell in plan.cells:
            for name, budget in ((cell.name, 3), (f"{cell.name}/replicates", 2)):
                study = optuna.load_study(study_name=f"made_up/{name}", storage=storage)
                assert sorted(trial.user_attrs["number"] for trial in study.trials) == list(range(budget))
                assert all(trial.state.is_finished() for trial in study.trials)


@pytest.mark.parametrize("lives", [17, 23, 40])
def test_killed_again_and_again_it_still_gets_there(
    lives, make_plan, make_backend, make_recorder, make_storage, make_fuse, killed
):
    plan, fuse = make_plan(), make_fuse()
    recorder, storage = make_recorder(fuse), make_storage(fuse)
    for _ in range(200):
        fuse.left = lives
        try:
            make_backend(2, fuse=fuse).run(SweepSearcher(plan, storage, recorder))
            break
        except killed:
            continue
    assert len(recorder.records) == plan.runs and set(recorder.ends.values()) == {1}


def test_killed_on_sqlite_and_opened_anew_it_goes_on(make_plan, make_backend, recorder, make_fuse, killed, tmp_path):
    plan = make_plan("full/*", trials=3, replicates=2)
    for seed in range(20):
        fuse = make_fuse(left=12)
        recorder.fuse = fuse
        try:
            make_backend(2, seed=seed, fuse=fuse).run(SweepSearcher(plan, tmp_path / "optuna.db", recorder))
            break
        except killed:
            continue
    assert seed > 1, "it was killed at least twice"
    assert len(recorder.records) == plan.runs and set(recorder.ends.values()) == {1}


def test_what_was_running_goes_on_under_its_number_with_the_configuration_it_had_however_often_it_is_killed(
    make_plan, recorder, tmp_path
):
    plan = make_plan("full/iemocap-emodb")
    first = SweepSearcher(plan, tmp_path / "optuna.db", recorder)
    suggested = [first.suggest(name) for name in ("a", "b", "c")]
    SweepSearcher(plan, tmp_path / "optuna.db", recorder).suggest("d")  # killed too, with two of them not handed out
    third = SweepSearcher(plan, tmp_path / "optuna.db", recorder)
    assert [third.suggest(name) for name in ("e", "f", "g")] == suggested
    assert third.suggest("h")["number"] == 3


def test_a_killed_search_tries_what_it_would_have_tried(make_plan, make_backend, make_recorder, make_fuse, killed):
    plan = make_plan("full/*", trials=14)  # TPE learns from the eleventh on
    undisturbed = make_recorder()
    make_backend(1).run(SweepSearcher(plan, InMemoryStorage(), undisturbed))
    fuse, storage = make_fuse(left=131), InMemoryStorage()
    recorder = make_recorder(fuse)
    with pytest.raises(killed):
        make_backend(1, fuse=fuse).run(SweepSearcher(plan, storage, recorder))
    assert 10 < len(recorder.records) < plan.runs
    fuse.left = None
    make_backend(1).run(SweepSearcher(plan, storage, recorder))
    for cell in plan.cells:
        for kind in ("search", "replicate"):
            assert configurations(recorder, cell.name, kind) == configurations(undisturbed, cell.name, kind)


def test_a_run_that_had_ended_when_optuna_had_not_been_told_is_told_and_not_run(
    make_plan, make_backend, make_recorder, storage, make_fuse, killed
):
    plan = make_plan("full/iemocap-emodb")
    recorder = make_recorder()
    searcher = SweepSearcher(plan, storage, recorder)
    config = searcher.suggest("a")
    recorder.fuse = make_fuse(left=3)  # dies after the record is durable: reported, attached, before, after
    with pytest.raises(killed):
        make_backend(1).complete(searcher, "a", config)
    study = optuna.load_study(study_name=f"made_up/{FULL}", storage=storage)
    assert [trial.state for trial in study.trials] == [TrialState.RUNNING]
    recorder.fuse = make_fuse()
    resumed = SweepSearcher(plan, storage, recorder)
    assert [trial.state for trial in study.trials] == [TrialState.COMPLETE]
    assert resumed.suggest("b")["number"] == 1


def test_a_driver_that_resumes_counts_the_failures_that_the_killed_one_saw(make_plan, make_backend, recorder, storage):
    plan = make_plan("full/iemocap-emodb")
    first = SweepSearcher(plan, storage, recorder)
    first.suggest("a")
    first.on_trial_complete("a", error=True)
    resumed = SweepSearcher(plan, storage, recorder)
    assert resumed.suggest("b")["number"] == 0
    resumed.on_trial_complete("b", error=True)
    assert recorder.records[f"{FULL}/search-0"].status == "failed"
    assert SweepSearcher(plan, storage, recorder).problems == resumed.problems != []


def test_the_end_of_a_sweep_is_known_to_a_driver_that_opens_it_again(make_plan, make_backend, recorder, storage):
    plan = make_plan()
    make_backend(4).run(SweepSearcher(plan, storage, recorder))
    begun = len(recorder.starts)
    again = SweepSearcher(plan, storage, recorder)
    assert again.done and again.suggest("a") == "FINISHED" and len(recorder.starts) == begun


def test_without_the_recorders_records_optunas_are_enough_and_are_recorded_again(
    make_plan, make_backend, make_recorder, tmp_path
):
    plan, first, second = make_plan("full/*"), make_recorder(), make_recorder()
    make_backend(2, stops=lambda config: config["number"] == 1).run(SweepSearcher(plan, tmp_path / "optuna.db", first))
    again = SweepSearcher(plan, tmp_path / "optuna.db", second)
    assert again.done
    assert second.records == {name: dataclasses.replace(record, history=()) for name, record in first.records.items()}


def test_without_optunas_storage_the_recorders_records_are_enough_and_are_stored_again(
    make_plan, make_backend, recorder, storage
):
    plan = make_plan("full/*")
    make_backend(2).run(SweepSearcher(plan, storage, recorder))
    elsewhere = InMemoryStorage()
    assert SweepSearcher(plan, elsewhere, recorder).done
    for name in (f"made_up/{FULL}", f"made_up/{FULL}/replicates"):
        before, after = (optuna.load_study(study_name=name, storage=each).trials for each in (storage, elsewhere))
        told = [{trial.user_attrs["number"]: (trial.params, trial.value) for trial in each} for each in (before, after)]
        assert told[0] == told[1]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"epochs": 7}, "epochs"),
        ({"seed": 1}, "seed"),
        ({"sampler": "random"}, "sampler"),
        ({"search_seeds": 2}, "seeds"),
        ({"fingerprint": lambda task: "other data"}, "data"),
        ({"space": {}}, "search space"),
    ],
)
def test_a_launch_does_not_go_on_with_runs_that_could_not_be_compared(change, named, make_plan, recorder, storage):
    plan = make_plan("full/iemocap-emodb")
    SweepSearcher(plan, storage, recorder)
    of_cell = {name: value for name, value in change.items() if name in ("fingerprint", "space")}
    changed = tuple(dataclasses.replace(cell, **of_cell) for cell in plan.cells)
    of_plan = {name: value for name, value in change.items() if name not in of_cell}
    with pytest.raises(InputError, match=f"{FULL} was begun with another {named} than it has now"):
        SweepSearcher(dataclasses.replace(plan, cells=changed, **of_plan), storage, recorder)


def test_a_launch_does_not_go_on_under_fewer_seeds(make_plan, recorder, storage):
    SweepSearcher(make_plan("full/iemocap-emodb", search_seeds=2), storage, recorder)
    with pytest.raises(InputError, match=f"{FULL} was begun with another seeds than it has now"):
        SweepSearcher(make_plan("full/iemocap-emodb"), storage, recorder)


def test_a_search_that_ran_out_of_time_is_not_taken_up_again_once_its_best_is_being_replicated(
    make_plan, make_backend, make_recorder, storage, make_fuse, killed
):
    plan, fuse = make_plan("full/*", trials=30), make_fuse()
    recorder, backend = make_recorder(), make_backend(2, fuse=fuse)
    searcher = SweepSearcher(plan, storage, recorder, time_budget=30, clock=backend.clock)
    ended = recorder.ended

    def dies_after_the_first_replicate(record):
        ended(record)
        fuse.left = 0 if record.key == dataclasses.replace(record.key, cell=FULL, kind="replicate") else None

    recorder.ended = dies_after_the_first_replicate
    with pytest.raises(killed):
        backend.run(searcher)
    searched = len(recorder.of(FULL, "search"))
    recorder.ended, fuse.left = ended, None
    backend.run(SweepSearcher(plan, storage, recorder, time_budget=1000, clock=backend.clock))
    assert len(recorder.of(FULL, "search")) == searched < 30
    replicates = configurations(recorder, FULL, "replicate")
    assert [config.hyperparameters for config in replicates] == [replicates[0].hyperparameters] * 3


def test_search_trials_of_several_seeds_go_on_as_such_and_their_replicates_have_one(
    make_plan, make_backend, make_recorder, storage, make_fuse, killed
):
    plan, fuse = make_plan("full/iemocap-emodb", search_seeds=3), make_fuse(left=12)
    recorder = make_recorder(fuse)
    with pytest.raises(killed):
        make_backend(2, fuse=fuse).run(SweepSearcher(plan, storage, recorder))
    assert len(recorder.records) < plan.runs
    fuse.left = None
    make_backend(2).run(SweepSearcher(plan, storage, recorder))
    assert [config.seeds for config in configurations(recorder, FULL, "search")] == [3] * 4
    assert [(config.seed, config.seeds) for config in configurations(recorder, FULL, "replicate")] == [
        (1, 1),
        (2, 1),
        (3, 1),
    ]


def test_more_replicates_may_be_asked_for_later(make_plan, make_backend, recorder, storage):
    make_backend(2).run(SweepSearcher(make_plan("full/*", replicates=1), storage, recorder))
    make_backend(2).run(SweepSearcher(make_plan("full/*", replicates=5), storage, recorder))
    assert [config.seed for config in configurations(recorder, FULL, "replicate")] == [1, 2, 3, 4, 5]


def test_tune_can_save_and_restore_it(make_plan, recorder, storage, tmp_path):
    searcher = SweepSearcher(make_plan(), storage, recorder)
    searcher.save(str(tmp_path / "state"))
    searcher.restore(str(tmp_path / "state"))
    assert searcher.suggest("a")["number"] == 0
