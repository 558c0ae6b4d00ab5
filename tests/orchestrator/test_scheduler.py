"""Early stopping, alone and inside a real Tune experiment."""

from __future__ import annotations

import time
from types import SimpleNamespace

from ray import tune

from orchestrator.scheduler import CellScheduler
from orchestrator.searcher import SweepSearcher


def trial(cell: str, kind: str, number: int) -> SimpleNamespace:
    config = {"cell": cell, "kind": kind, "number": number}
    return SimpleNamespace(trial_id=f"{cell}-{kind}-{number}", config=config)


def verdicts(plan, trials_and_scores, epochs=range(1, 7)) -> dict[str, list[str]]:
    """What the scheduler says to each trial after each epoch; the trials take turns, best ones first."""
    scheduler = CellScheduler(plan)
    said: dict[str, list[str]] = {}
    for each, _ in trials_and_scores:
        scheduler.on_trial_add(None, each)
    for epoch in epochs:
        for each, score in trials_and_scores:
            result = {"epoch": epoch, "validation_uar": score, "best_validation_uar": score}
            said.setdefault(each.trial_id, []).append(scheduler.on_trial_result(None, each, result))
    return said


def test_a_trial_far_behind_the_others_of_its_cell_is_stopped(make_plan):
    cell = "full/iemocap-emodb"
    trials = [(trial(cell, "search", number), score) for number, score in enumerate([0.7, 0.6, 0.65, 0.62, 0.2])]
    said = verdicts(make_plan(trials=5), trials)
    assert "STOP" in said[f"{cell}-search-4"] and "STOP" not in said[f"{cell}-search-2"]


def test_the_papers_configuration_and_the_replicates_are_never_stopped(make_plan):
    cell = "full/iemocap-emodb"
    good = [(trial(cell, "search", number), 0.7 + number / 100) for number in (3, 2, 1)]
    bad = [(trial(cell, "search", 0), 0.1), (trial(cell, "replicate", 0), 0.1), (trial(cell, "replicate", 1), 0.1)]
    said = verdicts(make_plan(), good + bad)
    assert all("STOP" not in said[each.trial_id] for each, _ in bad)


def test_trials_of_different_cells_are_never_compared(make_plan):
    good = [(trial("full/iemocap-emodb", "search", number), 0.9) for number in (1, 2, 3)]
    hard = [(trial("baseline/iemocap-emodb", "search", number), 0.3 + 0.01 * (3 - number)) for number in (1, 2)]
    said = verdicts(make_plan(), good + hard)
    assert "STOP" not in said["baseline/iemocap-emodb-search-1"]


def test_without_early_stopping_nothing_is_stopped(make_plan):
    cell = "full/iemocap-emodb"
    trials = [(trial(cell, "search", number), score) for number, score in enumerate([0.7, 0.6, 0.65, 0.62, 0.2])]
    said = verdicts(make_plan(early_stopping=False), trials)
    assert {verdict for each in said.values() for verdict in each} == {"CONTINUE"}


def _trainable(config):
    """Reports six epochs and a final result; its third search trial is hopeless."""
    hopeless = (config["kind"], config["number"]) == ("search", 2)
    score = 0.1 if hopeless else 0.6 + config["number"] / 100
    for epoch in range(1, 7):
        if hopeless:
            time.sleep(0.5)  # so that the others are ahead
        tune.report({"epoch": epoch, "validation_uar": score, "best_validation_uar": score, "loss/classifier": 1.0})
    tune.report({"final": True, "validation_uar": score, "test_uar": score - 0.1, "confusion": [[1, 2], [3, 4]]})


def test_a_real_tune_experiment_records_every_run_and_stops_the_hopeless_one(
    ray_session, make_plan, recorder, tmp_path
):
    plan = make_plan("full/*", trials=3, replicates=2)
    searcher = SweepSearcher(plan, tmp_path / "optuna.db", recorder)
    tune.Tuner(
        tune.with_resources(_trainable, {"cpu": 1}),
        tune_config=tune.TuneConfig(
            metric="validation_uar",
            mode="max",
            search_alg=searcher,
            scheduler=CellScheduler(plan),
            num_samples=-1,
            reuse_actors=True,
            max_concurrent_trials=2,
        ),
        run_config=tune.RunConfig(name="tune", storage_path=str(tmp_path), verbose=0),
    ).fit()
    assert searcher.done
    for cell in plan.cells:
        search, replicates = recorder.of(cell.name, "search"), recorder.of(cell.name, "replicate")
        assert [record.status for record in search] == ["finished", "finished", "stopped"]
        assert [record.status for record in replicates] == ["finished", "finished"]
        assert replicates[0].config.hyperparameters == search[1].config.hyperparameters
        assert [epoch["epoch"] for epoch in search[1].history] == [1, 2, 3, 4, 5, 6]
        assert 0 < len(search[2].history) < 6
        assert search[1].metrics == {"validation_uar": 0.61, "test_uar": 0.51}
        assert search[1].confusion == [[1, 2], [3, 4]]
