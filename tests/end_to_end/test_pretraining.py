"""A sweep whose runs start from a pre-training: killed in its midst, gone on with, reproduced, and taken up by another."""

from __future__ import annotations

import json
import signal
from collections import Counter
from pathlib import Path

import torch
from mlflow.tracking import MlflowClient

from data_prep import demo

SWEEP = ("orchestrator.sweep", "saddi_cross_corpus")
# As many epochs as leave time to kill the driver between the first and the last.
EPOCHS = 12
BUDGET = ("--preset=smoke", "--paper-values", "--replicates=1", f"--epochs={EPOCHS}")


def test_it_is_trained_once_whoever_is_killed_and_whoever_starts_from_it(user, here, speech):
    unlabelled = demo.speak(user.home / "speech", size="tiny", seed=0, corpora=["librispeech"])
    given = [f"--corpus={name}={path}" for name, path in {**speech, **unlabelled}.items() if name != "emodb"]
    process = user.start(*SWEEP, *BUDGET, "--cells=cnn_ssl/iemocap-*", "--cells=saddi/iemocap-*", *given)
    user.wait_for(process, lambda: len(reported(user)) >= 2)
    user.kill(process, signal.SIGKILL)
    assert len(reported(user)) < EPOCHS and not user.ended() and not kept(user)

    printed = here.types(*SWEEP, "--resume")
    assert "INCOMPLETE" not in printed and "CNN-SSL" in printed and "sADDi" in printed
    runs = runs_of(user)
    assert Counter(run.data.tags["ser.kind"] for run in runs) == {
        "sweep": 1, "cell": 2, "search": 2, "replicate": 2, "pretraining": 2
    }  # fmt: skip
    cut, trained = sorted(
        (r for r in runs if r.data.tags["ser.kind"] == "pretraining"), key=lambda r: r.info.start_time
    )
    assert (cut.info.status, trained.info.status) == ("KILLED", "FINISHED")
    assert trained.data.tags["ser.found"] == "false" and trained.data.metrics["epochs_run"] == EPOCHS
    (launch,) = (run for run in runs if run.data.tags["ser.kind"] == "sweep")
    assert trained.data.tags["mlflow.parentRunId"] == launch.info.run_id
    started = {run.data.tags.get("ser.start") for run in runs if run.data.tags["ser.kind"] in ("search", "replicate")}
    assert started == {trained.info.run_id}
    (file,) = kept(user)
    weights = torch.load(client(user).download_artifacts(trained.info.run_id, "model/model.pt"), weights_only=True)
    held = torch.load(file, weights_only=True)
    assert all(torch.equal(value, weights["weights"][name]) for name, value in held["weights"].items())

    before = file.stat().st_mtime_ns
    here.types(*SWEEP, *BUDGET, "--cells=saddi/msp_improv-*", *given)
    assert kept(user) == [file] and file.stat().st_mtime_ns == before, "another launch and another column train none"
    found = [run.data.tags["ser.found"] for run in runs_of(user) if "ser.found" in run.data.tags]
    assert sorted(found) == ["false", "true"]

    file.unlink()
    printed = here.types("orchestrator.reproduce", "saddi_cross_corpus/saddi/iemocap-msp_improv")
    assert "first what it starts from, emotional_gan" in printed and "reproduced bit for bit" in printed


def reported(user) -> list[dict]:
    """The epochs of pre-trainings that the journals hold."""
    lines = [line for file in user.home.glob("runs/*/*/journal.jsonl") for line in file.read_text().splitlines()]
    events = [json.loads(line) for line in lines if line.endswith("}")]
    return [event for event in events if event["event"] == "reported" and "/pretraining-" in event["run"]]


def kept(user) -> list[Path]:
    return list(user.home.glob("runs/pretrained/*/*.pt"))


def client(user) -> MlflowClient:
    return MlflowClient(tracking_uri=f"sqlite:///{user.home / 'mlflow.db'}")


def runs_of(user) -> list:
    experiment = client(user).get_experiment_by_name("saddi_cross_corpus").experiment_id
    return list(client(user).search_runs([experiment], max_results=1000))
