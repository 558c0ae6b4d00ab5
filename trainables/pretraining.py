"""The run that others start from: trained once per configuration, kept in a folder, shared by all that start from it.

A pretext task (addi.txt, 3.2) or a model of a larger corpus (multilingual.txt, 4.2) is a run like any other, with a
configuration and an identity. Its file is named after its identity; whoever needs one that is not there trains it, and
who comes meanwhile waits. A file is there whole or not at all, whenever its writer is killed.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock
from torch import Tensor

from trainables.config import TrialConfig
from trainables.data import TaskData, describe, draw
from trainables.loop import Training
from trainables.outcome import Report
from trainables.recovery import Recovery


@dataclass(frozen=True, kw_only=True)
class Pretrained:
    """What a run leaves to those that start from it.

    Attributes:
        config: the run, as plain JSON types.
        weights: state dictionary of the networks that its method keeps, on the CPU.
        metrics: ``epochs_run``, ``train_seconds``, and ``validation_uar`` if it learns emotions.
        history: what each epoch reported.
        split: what it was trained on (:func:`trainables.data.describe`).
        origin: where it was trained, in the words of who had it trained.
    """

    config: Mapping[str, Any]
    weights: Mapping[str, Tensor]
    metrics: Mapping[str, float]
    history: Sequence[Mapping[str, float]]
    split: Mapping[str, Any]
    origin: Mapping[str, Any] = field(default_factory=dict)


def pretrain(
    config: TrialConfig,
    data: TaskData,
    folder: Path,
    device: torch.device,
    report: Report = lambda metrics: None,
    origin: Mapping[str, Any] | None = None,
    recovery: Recovery | None = None,
) -> Pretrained:
    """The run ``config``, from ``folder`` if it is there, else trained and put there.

    Args:
        config: the run, fully resolved.
        data: its task's data.
        folder: one that all workers reach; made if need be.
        device: where it is trained.
        report: called after every epoch, if it is trained.
        origin: kept with it, if it is trained: plain JSON types.
        recovery: where its state is kept while it is trained, to go on from; ``None`` to keep none.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = file_of(config, folder)
    with FileLock(path.with_suffix(".lock")):
        if not path.exists():
            _keep(path, _train(config, data, device, report, origin or {}, recovery))
        return load(path)


def file_of(config: TrialConfig, folder: Path) -> Path:
    """Where the run ``config`` is kept in ``folder``, or will be."""
    return folder / f"{config.identity}.pt"


def load(path: Path) -> Pretrained:
    """What :func:`pretrain` put into a file."""
    return Pretrained(**torch.load(path, map_location="cpu", weights_only=True))


def _train(
    config: TrialConfig,
    data: TaskData,
    device: torch.device,
    report: Report,
    origin: Mapping[str, Any],
    recovery: Recovery | None,
) -> Pretrained:
    granted, _ = draw(data, config.task, config.seed)
    outcome = Training(config, granted, device, recovery=recovery).run(report)
    metrics: dict[str, float] = {"epochs_run": len(outcome.history), "train_seconds": outcome.seconds}
    if outcome.validation is not None:
        metrics["validation_uar"] = outcome.validation.unweighted_average_recall
    return Pretrained(
        config=config.to_dict(),
        weights=dict(outcome.weights),
        metrics=metrics,
        history=[dict(epoch) for epoch in outcome.history],
        split=describe(data, granted.split),
        origin=dict(origin),
    )


def _keep(path: Path, pretrained: Pretrained) -> None:
    """Writes beside the file and renames, so that no half-written one is ever found; one beside it is written over."""
    beside = path.with_suffix(".new")
    with open(beside, "wb") as file:
        torch.save(asdict(pretrained), file)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
