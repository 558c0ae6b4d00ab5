"""A sweep whose search trials are of several seeds: reported, and a search trial reproduced."""

from __future__ import annotations

import json
import re
from collections import Counter

from mlflow.tracking import MlflowClient

SWEEP = ("orchestrator.sweep", "ablation_addi")


def test_search_trials_of_several_seeds_are_one_run_each_and_are_reproduced_bit_for_bit(here, speech):
    given = [f"--corpus={name}={speech[name]}" for name in ("emodb", "iemocap")]
    cells = ["--cells=encoder_classifier/iemocap-emodb", "--cells=is09_source/iemocap-emodb"]
    budget = ["--preset=smoke", "--trials=2", "--replicates=2", "--epochs=2", "--search-seeds=2"]
    printed = " ".join(here.types(*SWEEP, *budget, *cells, *given).split())
    assert "Every search trial was trained under 2 seeds" in printed and "INCOMPLETE" not in printed
    assert "mean over 2 seeds each" in printed
    ended = Counter(here.ended())
    assert len(ended) == 2 + 2 + 1 + 2 and set(ended.values()) == {1}, "all there, none twice"

    records = finished(here)
    for record in records:
        several = record["kind"] == "search"
        assert record["config"].get("seeds", 1) == (2 if several else 1)
        assert ("test_uar_sd" in record["metrics"]) is ("validation_uar_sd" in record["history"][0]) is several
    seeds = {record["config"]["seed"] for record in records if record["kind"] == "replicate"}
    assert seeds == {1, 2}

    client = MlflowClient(tracking_uri=f"sqlite:///{here.home / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("ablation_addi").experiment_id
    first = "tags.`ser.cell` = 'encoder_classifier/iemocap-emodb' and tags.`ser.kind` = 'search' and tags.`ser.number` = '0'"
    (run,) = client.search_runs([experiment], filter_string=f"{first} and attributes.status = 'FINISHED'")
    assert run.data.params["seeds"] == "2" and "epoch/validation_uar_sd" in run.data.metrics
    reproduced = here.types("orchestrator.reproduce", run.info.run_id)
    assert "seed 0, 1000003" in reproduced and "reproduced bit for bit" in reproduced
    assert re.search(r"test_uar_sd .* yes", reproduced)


def finished(user) -> list[dict]:
    lines = next(user.home.glob("runs/ablation_addi/*/journal.jsonl")).read_text().splitlines()
    events = [json.loads(line) for line in lines if line.endswith("}")]
    return [event["record"] for event in events if event["event"] == "ended"]
