"""One run as Ray Tune runs it: the bridge from a searcher's suggestion to the trainable, and back."""

from __future__ import annotations

import io
import json
import time
import uuid
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import ray
import torch

from data_prep import heap
from orchestrator.environment import code_version, machine
from orchestrator.telling import Teller
from trainables import methods
from trainables.batches import digest
from trainables.config import TaskConfig, TrialConfig
from trainables.data import TaskData
from trainables.estimator import Estimator
from trainables.outcome import Report, TrialResult
from trainables.pretraining import Pretrained, pretrain
from trainables.recovery import Recovery
from trainables.trainable import prepare_process, train

_LONG = 10.0  # seconds that a run takes, beside which fetching memory anew for the next one is nothing


class Final(NamedTuple):
    """What a run leaves.

    Attributes:
        metrics: as Tune has them: the final numbers, ``confusion`` as lists and ``origin`` as JSON.
        model: the content of its file.
    """

    metrics: dict[str, Any]
    model: bytes


def run_trial(
    config: Mapping[str, Any],
    tasks: tuple[ray.ObjectRef],
    workers: int,
    gpu: bool,
    models: str,
    pretrained: str,
    recovery: Recovery,
    telling_seconds: float,
    packers: Sequence[Any] = (),
) -> None:
    """A Tune function trainable: trains ``config["trial"]`` and tells of every epoch, then of its end.

    A run that others start from does likewise; where it is kept already, its epochs are those of its training then.

    Args:
        config: what :class:`~orchestrator.searcher.SweepSearcher` suggested.
        tasks: a reference to each task's data, in memory that all workers of a node share. It is by itself in a tuple, or
            Tune would fetch it anew for each trial.
        workers: data-parallel workers of the trial.
        gpu: whether it trains on a GPU.
        models: folder for the runs' models.
        pretrained: folder of the runs that others start from.
        recovery: where runs keep their states, from which a second attempt and a resumed sweep go on.
        telling_seconds: how long epochs wait to be told of together (:mod:`orchestrator.telling`).
        packers: handles of the actors (:class:`~orchestrator.packer.Packer`) that train runs in batches; none where
            each trial trains its own.
    """
    begun = time.monotonic()
    prepare_process()
    trial, teller = TrialConfig.from_dict(config["trial"]), Teller(telling_seconds)
    try:
        if config["kind"] == "pretraining":
            here = on_this_machine(recovery, gpu)
            final = _run_pretraining(trial, _fetched(*tasks), Path(pretrained), gpu, here, teller.epoch)
        elif packers and is_packed(config):
            final = _train_packed(config, packers, teller.epoch)
        else:
            here = on_this_machine(recovery, gpu)
            final = _train(trial, _fetched(*tasks), workers, gpu, Path(pretrained), here, teller.epoch)
        model = Path(models) / f"{uuid.uuid4().hex}.pt"
        model.write_bytes(final.model)
    except Exception:
        teller.tell()
        raise
    finally:
        if time.monotonic() - begun > _LONG:
            heap.give_back()  # what the next run may be smaller than
    teller.ended(final.metrics, model)


def on_this_machine(recovery: Recovery, gpu: bool) -> Recovery:
    """The states of this kind of machine alone: what another has begun would end with numbers that are of neither."""
    return replace(recovery, origin=f"{recovery.origin} on {machine(gpu)}")


@lru_cache(maxsize=1)
def _fetched(tasks: ray.ObjectRef) -> Mapping[TaskConfig, TaskData]:
    """The data of all tasks, once for all trials of this process: what is made of it is then the next one's, too."""
    return ray.get(tasks)


def is_packed(config: Mapping[str, Any]) -> bool:
    """Whether a packer would train the run of a Tune configuration: all that trains by gradient, pretext tasks apart."""
    fitted = isinstance(methods.load(config["trial"]["method"]), Estimator)
    return not fitted and config["kind"] != "pretraining"


def _train_packed(config: Mapping[str, Any], packers: Sequence[Any], report: Report) -> Final:
    """Has a packer train a trial's runs; those of one cell go to the same one, where most of them are alike."""
    packer = packers[zlib.crc32(config["cell"].encode()) % len(packers)]
    name = uuid.uuid4().hex
    try:
        for reference in packer.train.remote(name, config["trial"]):
            event = ray.get(reference)
            if isinstance(event, Final):
                return event
            report(event)
        raise RuntimeError("the process that trained it has ended")
    finally:  # however it ends: Tune stops a trial by an exception in its report
        packer.drop.remote(name)


def _train(
    trial: TrialConfig,
    tasks: Mapping[TaskConfig, TaskData],
    workers: int,
    gpu: bool,
    pretrained: Path,
    recovery: Recovery,
    report: Report,
) -> Final:
    start = start_of(trial, tasks, pretrained, gpu, recovery)
    result = train(
        trial,
        tasks[trial.task],
        report,
        workers=workers,
        gpu=gpu,
        callbacks=_callbacks(workers),
        start=None if start is None else start.weights,
        recovery=recovery,
    )
    return conclude(trial, result, start, gpu=gpu)


def start_of(
    trial: TrialConfig, tasks: Mapping[TaskConfig, TaskData], pretrained: Path, gpu: bool, recovery: Recovery
) -> Pretrained | None:
    """The run that a trial starts from; ``None`` where it starts from none."""
    return None if trial.start is None else _pretrain(trial.start, tasks, pretrained, gpu, recovery)


def conclude(
    trial: TrialConfig, result: TrialResult, start: Pretrained | None, *, gpu: bool, packed: bool = False
) -> Final:
    """What a trained trial leaves; ``packed`` if it was trained in one batch with others."""
    origin: dict[str, Any] = {
        **_here(gpu),
        "split": dict(result.split),
        "normalisation": digest(result.normalisation),
        "packed": packed,
    }
    if trial.start is not None and start is not None:
        origin["start"] = {"identity": trial.start.identity, **start.origin}
    held = {"weights": dict(result.weights), "normalisation": dict(result.normalisation)}
    metrics = {**result.metrics, "confusion": result.confusion.tolist(), "origin": json.dumps(origin)}
    return Final(metrics, _saved({"config": trial.to_dict(), **held}))


def _saved(model: Mapping[str, Any]) -> bytes:
    """The content of a model's file."""
    file = io.BytesIO()
    torch.save(dict(model), file)
    return file.getvalue()


def _run_pretraining(
    config: TrialConfig,
    tasks: Mapping[TaskConfig, TaskData],
    folder: Path,
    gpu: bool,
    recovery: Recovery,
    report: Report,
) -> Final:
    found = True

    def trained(metrics: Mapping[str, float]) -> None:
        nonlocal found
        found = False
        report(metrics)

    kept = _pretrain(config, tasks, folder, gpu, recovery, trained)
    for epoch in kept.history if found else ():
        report(epoch)
    origin = {**kept.origin, "split": dict(kept.split), "found": found}
    return Final(
        {**kept.metrics, "origin": json.dumps(origin)},
        _saved({"config": dict(kept.config), "weights": dict(kept.weights)}),
    )


def _pretrain(
    config: TrialConfig,
    tasks: Mapping[TaskConfig, TaskData],
    folder: Path,
    gpu: bool,
    recovery: Recovery,
    report: Report = lambda metrics: None,
) -> Pretrained:
    device = torch.device("cuda" if gpu and torch.cuda.is_available() else "cpu")
    origin = {**_here(device.type == "cuda"), "code": code_version()}
    return pretrain(config, tasks[config.task], folder, device, report, origin, recovery)


def _here(gpu: bool) -> dict[str, str]:
    return {"device": "cuda" if gpu else "cpu", "machine": machine(gpu)}


def _callbacks(workers: int) -> list[Any]:
    if workers == 1:
        return []
    from ray.tune.integration.ray_train import TuneReportCallback

    return [TuneReportCallback()]
