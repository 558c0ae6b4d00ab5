"""One trial as Ray Tune runs it: the bridge from a searcher's suggestion to the trainable, and back."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from ray import tune

from orchestrator.environment import machine
from trainables.config import TaskConfig, TrialConfig
from trainables.data import TaskData
from trainables.pretraining import Pretrained, pretrain
from trainables.trainable import prepare_process, train

MODEL = "model.pt"


def run_trial(
    config: Mapping[str, Any], tasks: Mapping[TaskConfig, TaskData], workers: int, gpu: bool, pretrained: str
) -> None:
    """A Tune function trainable: trains ``config["trial"]`` and reports every epoch, then the final result.

    The final result has ``final`` set, the trial's final metrics, its ``confusion`` matrix as lists and its ``origin``
    (:class:`~orchestrator.records.RunRecord`), and comes with a checkpoint that holds the model.

    Args:
        config: what :class:`~orchestrator.searcher.SweepSearcher` suggested.
        tasks: each task's data, in memory that all workers of a node share.
        workers: data-parallel workers of the trial.
        gpu: whether it trains on a GPU.
        pretrained: folder of the runs that others start from.
    """
    prepare_process()
    trial = TrialConfig.from_dict(config["trial"])
    start = _start(trial, tasks, Path(pretrained), gpu)
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
        torch.save({"config": trial.to_dict(), "weights": dict(result.weights)}, Path(folder) / MODEL)
        origin = {"device": "cuda" if gpu else "cpu", "machine": machine(gpu), "split": dict(result.split)}
        tune.report(
            {**result.metrics, "confusion": result.confusion.tolist(), "origin": json.dumps(origin), "final": True},
            checkpoint=tune.Checkpoint.from_directory(folder),
        )


def _start(trial: TrialConfig, tasks: Mapping[TaskConfig, TaskData], folder: Path, gpu: bool) -> Pretrained | None:
    if trial.start is None:
        return None
    return pretrain(trial.start, tasks[trial.start.task], folder, torch.device("cuda" if gpu else "cpu"))


def _callbacks(workers: int) -> list[Any]:
    if workers == 1:
        return []
    from ray.tune.integration.ray_train import TuneReportCallback

    return [TuneReportCallback()]
