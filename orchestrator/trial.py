"""One run as Ray Tune runs it: the bridge from a searcher's suggestion to the trainable, and back."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from ray import tune

from orchestrator.environment import code_version, machine
from trainables.batches import digest
from trainables.config import TaskConfig, TrialConfig
from trainables.data import TaskData
from trainables.outcome import Report
from trainables.pretraining import Pretrained, pretrain
from trainables.trainable import prepare_process, train

MODEL = "model.pt"


def run_trial(
    config: Mapping[str, Any], tasks: Mapping[TaskConfig, TaskData], workers: int, gpu: bool, pretrained: str
) -> None:
    """A Tune function trainable: trains ``config["trial"]`` and reports every epoch, then the final result.

    The final result has ``final`` set, the trial's final metrics, its ``confusion`` matrix as lists and its ``origin``
    (:class:`~orchestrator.records.RunRecord`), and comes with a checkpoint that holds the model. A run that others start
    from ends likewise, with what it has of these; where it is kept already, its epochs are those of its training then.

    Args:
        config: what :class:`~orchestrator.searcher.SweepSearcher` suggested.
        tasks: each task's data, in memory that all workers of a node share.
        workers: data-parallel workers of the trial.
        gpu: whether it trains on a GPU.
        pretrained: folder of the runs that others start from.
    """
    prepare_process()
    trial = TrialConfig.from_dict(config["trial"])
    if config["kind"] == "pretraining":
        _run_pretraining(trial, tasks, Path(pretrained), gpu)
        return
    start = None if trial.start is None else _pretrain(trial.start, tasks, Path(pretrained), gpu)
    result = train(
        trial,
        tasks[trial.task],
        lambda metrics: tune.report(dict(metrics)),
        workers=workers,
        gpu=gpu,
        callbacks=_callbacks(workers),
        start=None if start is None else start.weights,
    )
    with tempfile.TemporaryDirectory(prefix="ser-model-") as folder:
        model = {"weights": dict(result.weights), "normalisation": dict(result.normalisation)}
        torch.save({"config": trial.to_dict(), **model}, Path(folder) / MODEL)
        statistics = digest(result.normalisation)
        origin: dict[str, Any] = {**_here(gpu), "split": dict(result.split), "normalisation": statistics}
        if trial.start is not None and start is not None:
            origin["start"] = {"identity": trial.start.identity, **start.origin}
        tune.report(
            {**result.metrics, "confusion": result.confusion.tolist(), "origin": json.dumps(origin), "final": True},
            checkpoint=tune.Checkpoint.from_directory(folder),
        )


def _run_pretraining(config: TrialConfig, tasks: Mapping[TaskConfig, TaskData], folder: Path, gpu: bool) -> None:
    found = True

    def report(metrics: Mapping[str, float]) -> None:
        nonlocal found
        found = False
        tune.report(dict(metrics))

    kept = _pretrain(config, tasks, folder, gpu, report)
    for epoch in kept.history if found else ():
        tune.report(dict(epoch))
    with tempfile.TemporaryDirectory(prefix="ser-model-") as model:
        torch.save({"config": dict(kept.config), "weights": dict(kept.weights)}, Path(model) / MODEL)
        origin = {**kept.origin, "split": dict(kept.split), "found": found}
        tune.report(
            {**kept.metrics, "origin": json.dumps(origin), "final": True},
            checkpoint=tune.Checkpoint.from_directory(model),
        )


def _pretrain(
    config: TrialConfig,
    tasks: Mapping[TaskConfig, TaskData],
    folder: Path,
    gpu: bool,
    report: Report = lambda metrics: None,
) -> Pretrained:
    device = torch.device("cuda" if gpu and torch.cuda.is_available() else "cpu")
    origin = {**_here(device.type == "cuda"), "code": code_version()}
    return pretrain(config, tasks[config.task], folder, device, report, origin)


def _here(gpu: bool) -> dict[str, str]:
    return {"device": "cuda" if gpu else "cpu", "machine": machine(gpu)}


def _callbacks(workers: int) -> list[Any]:
    if workers == 1:
        return []
    from ray.tune.integration.ray_train import TuneReportCallback

    return [TuneReportCallback()]
