"""Early stopping, alone and inside a real Tune experiment."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from ray import tune

from data_prep.errors import InputError
from orchestrator.records import RunKey, RunRecord
from orchestrator.scheduler import CellScheduler
from orchestrator.searcher import SweepSearcher
from orchestrator.telling import Teller
from trainables.seeds import mean_epochs
from trainables.streams import stream

CELL, OTHER = "full/iemocap-emodb", "baseline/iemocap-emodb"


def trial(number: int, kind: str = "search", cell: str = CELL) -> SimpleNamespace:
    return SimpleNamespace(trial_id=f"{cell}-{kind}-{number}", config={"cell": cell, "kind": kind, "number": number})


def stopped_after(scheduler, *trials_and_scores, epochs=30) -> dict[str, int]:
    """After which epoch the scheduler stops each trial, the trials taking turns, in the order given."""
    stopped: dict[str, int] = {}
    for epoch in range(1, epochs + 1):
        for each, score in trials_and_scores:
            result = {"epoch": epoch, "validation_uar": 0.0, "best_validation_uar": score}
            if each.trial_id not in stopped and scheduler.on_trial_result(None, each, result) == "STOP":
                stopped[each.trial_id] = epoch
    return stopped


def test_a_trial_behind_the_others_of_its_cell_is_stopped_at_the_first_rung(make_plan):
    scheduler = CellScheduler(make_plan(epochs=30))
    scores = [0.62, 0.65, 0.7, 0.2]
    stopped = stopped_after(scheduler, *((trial(number + 1), score) for number, score in enumerate(scores)))
    assert stopped == {f"{CELL}-search-4": 5}


@pytest.mark.parametrize(("epochs", "rungs"), [(2, []), (7, []), (8, [5]), (15, [5]), (30, [5, 15]), (200, [22, 66])])
def test_no_trial_is_judged_before_its_learning_rate_could_fall_nor_in_the_last_third_of_its_epochs(
    epochs, rungs, make_plan
):
    # Trial 2 falls behind after the first rung, trial 3 before it.
    scheduler, judged = CellScheduler(make_plan(epochs=epochs)), set()
    for epoch in range(1, epochs + 1):
        for number in (1, 2, 3):
            score = {1: 0.5, 2: 0.6 if not judged else 0.4, 3: 0.1}[number]
            result = {"epoch": epoch, "best_validation_uar": score}
            if scheduler.on_trial_result(None, trial(number), result) == "STOP":
                judged.add(epoch)
    assert sorted(judged) == rungs


def search_of(seeds: int, trials: list[list[float]], make_plan) -> set[int]:
    """Which of a cell's trials are stopped when each is told of as the mean of its first few runs; by their numbers."""
    scheduler = CellScheduler(make_plan(epochs=30, search_seeds=seeds))

    def run(score):
        return ({"epoch": epoch, "validation_uar": score, "best_validation_uar": score} for epoch in range(1, 31))

    stopped: set[int] = set()
    streams = [mean_epochs([run(score) for score in scores[:seeds]]) for scores in trials]
    for epochs in zip(*streams, strict=True):
        for number, epoch in enumerate(epochs, 1):
            if number not in stopped and scheduler.on_trial_result(None, trial(number), dict(epoch)) == "STOP":
                stopped.add(number)
    return stopped


def test_a_good_configuration_with_bad_luck_under_one_seed_is_stopped_by_that_seed_and_not_by_the_mean(make_plan):
    fair = [[score] * 3 for score in (0.45, 0.5, 0.55)]
    good = [0.3, 0.8, 0.85]
    assert 4 in search_of(1, [*fair, good], make_plan)
    assert 4 not in search_of(3, [*fair, good], make_plan)


def test_the_more_seeds_a_trial_has_the_rarer_is_the_best_configuration_stopped_by_noise(make_plan):
    rng, lost = stream(0, "noise of validation"), {1: 0, 5: 0}
    for _ in range(60):
        # Eight fair configurations, then one that is better by as much as the noise of a single run.
        trials = [list(mean + 0.1 * rng.standard_normal(5)) for mean in (*[0.5] * 8, 0.6)]
        for seeds in lost:
            lost[seeds] += 9 in search_of(seeds, trials, make_plan)
    assert lost[5] < lost[1] / 2 and lost[1] > 10


def test_the_papers_configuration_and_the_replicates_are_never_stopped(make_plan):
    good = [(trial(number), 0.7 + number / 100) for number in (1, 2, 3)]
    bad = [(trial(0), 0.1), (trial(0, "replicate"), 0.1), (trial(1, "replicate"), 0.1)]
    assert stopped_after(CellScheduler(make_plan(epochs=30)), *good, *bad) == {}


def test_the_others_are_compared_with_the_papers_configuration_too(make_plan):
    stopped = stopped_after(CellScheduler(make_plan(epochs=30)), (trial(0), 0.5), (trial(1), 0.4))
    assert stopped == {f"{CELL}-search-1": 5}


def test_trials_of_different_cells_are_never_compared(make_plan):
    good = [(trial(number), 0.9) for number in (1, 2, 3)]
    hard = [(trial(number, cell=OTHER), 0.3 + number / 100) for number in (1, 2)]
    assert stopped_after(CellScheduler(make_plan(epochs=30)), *good, *hard) == {}


def test_without_early_stopping_nothing_is_stopped(make_plan):
    scheduler = CellScheduler(make_plan(epochs=30, early_stopping=False))
    assert stopped_after(scheduler, (trial(1), 0.9), (trial(2), 0.1)) == {}


def test_of_epochs_that_are_told_of_together_each_is_judged(make_plan):
    scheduler = CellScheduler(make_plan(epochs=30))
    stopped_after(scheduler, (trial(1), 0.9))
    bad = [{"epoch": epoch, "best_validation_uar": 0.1} for epoch in range(1, 9)]
    assert scheduler.on_trial_result(None, trial(2), {"epochs": bad[:4]}) == "CONTINUE"
    assert scheduler.on_trial_result(None, trial(2), {"epochs": bad[4:]}) == "STOP"


def test_others_are_compared_with_the_epochs_that_a_final_report_tells_of(make_plan):
    scheduler = CellScheduler(make_plan(epochs=30))
    good = [{"epoch": epoch, "best_validation_uar": 0.9} for epoch in range(1, 31)]
    scheduler.on_trial_complete(None, trial(1), {"final": True, "epochs": good, "validation_uar": 0.9})
    assert stopped_after(scheduler, (trial(2), 0.1)) == {f"{CELL}-search-2": 5}


def test_a_resumed_sweep_compares_with_what_ended_before(make_plan):
    plan = make_plan(epochs=30)
    key = RunKey(cell=CELL, kind="search", number=1)
    history = [{"epoch": epoch, "best_validation_uar": 0.7} for epoch in range(1, 31)]
    record = RunRecord(key=key, config=plan.config(key, {}), status="finished", history=history)
    assert stopped_after(CellScheduler(plan, [record]), (trial(2), 0.5)) == {f"{CELL}-search-2": 5}


def test_a_second_attempt_is_not_compared_with_the_first(make_plan):
    scheduler = CellScheduler(make_plan(epochs=30))
    stopped_after(scheduler, (trial(1), 0.7), epochs=9)
    again = trial(1)
    again.trial_id = "another of Tune's ids"
    assert stopped_after(scheduler, (again, 0.6), epochs=9) == {}


def run_tune(searcher, scheduler, folder):
    tune.Tuner(
        tune.with_resources(_trainable, {"cpu": 1}),
        tune_config=tune.TuneConfig(
            search_alg=searcher,
            scheduler=scheduler,
            num_samples=-1,
            reuse_actors=True,
            max_concurrent_trials=2,
        ),
        run_config=tune.RunConfig(name="tune", storage_path=str(folder), verbose=0),
    ).fit()


def _trainable(config):
    """Nine epochs and a final result. Search trial 2 is hopeless, and the last replicate of one cell always fails."""
    if (config["cell"], config["kind"], config["number"]) == ("full/iemocap-emodb", "replicate", 1):
        raise ValueError("too hot\nby far")
    hopeless = (config["kind"], config["number"]) == ("search", 2)
    score = 0.1 if hopeless else 0.6 + config["number"] / 100
    teller = Teller(seconds=0 if hopeless else 60)
    for epoch in range(1, 10):
        teller.epoch({"epoch": epoch, "validation_uar": score, "best_validation_uar": score, "loss/classifier": 1.0})
    final = {"validation_uar": score, "test_uar": score - 0.1, "confusion": [[1, 2], [3, 4]]}
    teller.ended(final, Path("model"))


def test_a_real_tune_experiment_records_every_run_and_stops_the_hopeless_ones(
    ray_session, make_plan, recorder, tmp_path
):
    plan = make_plan("full/*", epochs=9, trials=3, replicates=2)
    searcher = SweepSearcher(plan, tmp_path / "optuna.db", recorder)
    run_tune(searcher, CellScheduler(plan, explain=searcher.explain), tmp_path)
    assert searcher.done
    for cell in plan.cells:
        search, replicates = recorder.of(cell.name, "search"), recorder.of(cell.name, "replicate")
        assert [record.status for record in search] == ["finished", "finished", "stopped"]
        assert [record.status for record in replicates] == ["finished", "failed" if cell.name == CELL else "finished"]
        assert replicates[0].config.hyperparameters == search[1].config.hyperparameters
        assert [epoch["epoch"] for epoch in search[1].history] == [1, 2, 3, 4, 5, 6, 7, 8, 9]
        assert search[1].history[0].keys() == {"epoch", "validation_uar", "best_validation_uar", "loss/classifier"}
        assert [epoch["epoch"] for epoch in search[2].history] == [1, 2, 3, 4, 5]
        assert search[2].metrics == {"validation_uar": 0.1, "best_epoch": 1, "epochs_run": 5}
        assert search[1].metrics == {"validation_uar": 0.61, "test_uar": 0.51}
        assert search[1].confusion == [[1, 2], [3, 4]]
        assert recorder.models[str(search[1].key)] == Path("model") and str(search[2].key) not in recorder.models
    assert searcher.problems == [f"{CELL}/replicate-1 failed 2 times: ValueError: too hot"]
    assert len(recorder.starts) == plan.runs + 1, "one second attempt"


def test_a_record_that_cannot_be_written_ends_a_real_tune_experiment_with_that_error(
    ray_session, make_plan, recorder, storage, tmp_path
):
    def full(record):
        raise InputError("the disk is full")

    recorder.ended = full
    plan = make_plan(CELL, epochs=9, trials=1)
    searcher = SweepSearcher(plan, storage, recorder)
    with pytest.raises(InputError, match="the disk is full"):
        run_tune(searcher, CellScheduler(plan), tmp_path)
