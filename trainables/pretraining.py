"""The run that others start from: trained once per configuration, kept in a folder, shared by all that start from it.

A pretext task (addi.txt, 3.2) or a model of a larger corpus (multilingual.txt, 4.2) is a run like any other, with a
configuration and an identity. Its file is named after its identity; whoever needs one that is not there trains it, and
who comes meanwhile waits.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock
from torch import Tensor

from trainables.config import TrialConfig
from trainables.data import TaskData, draw
from trainables.loop import Training


@dataclass(frozen=True, kw_only=True)
class Pretrained:
    """What a run leaves to those that start from it.

    Attributes:
        config: the run, as plain JSON types.
        weights: state dictionary of the networks that its method keeps, on the CPU.
        metrics: ``epochs_run``, ``train_seconds``, and ``validation_uar`` if it learns emotions.
        history: what each epoch reported.
    """

    config: Mapping[str, Any]
    weights: Mapping[str, Tensor]
    metrics: Mapping[str, float]
    history: Sequence[Mapping[str, float]]


def pretrain(config: TrialConfig, data: TaskData, folder: Path, device: torch.device) -> Pretrained:
    """The run ``config``, from ``folder`` if it is there, else trained and put there.

    Args:
        config: the run, fully resolved.
        data: its task's data.
        folder: one that all workers reach; made if need be.
        device: where it is trained.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{config.identity}.pt"
    with FileLock(path.with_suffix(".lock")):
        if not path.exists():
            _keep(path, _train(config, data, device))
        return load(path)


def load(path: Path) -> Pretrained:
    """What :func:`pretrain` put into a file."""
    return Pretrained(**torch.load(path, map_location="cpu", weights_only=True))


def _train(config: TrialConfig, data: TaskData, device: torch.device) -> Pretrained:
    outcome = Training(config, draw(data, config.task, config.seed)[0], device).run()
    metrics: dict[str, float] = {"epochs_run": len(outcome.history), "train_seconds": outcome.seconds}
    if outcome.validation is not None:
        metrics["validation_uar"] = outcome.validation.unweighted_average_recall
    return Pretrained(
        config=config.to_dict(),
        weights=dict(outcome.weights),
        metrics=metrics,
        history=[dict(epoch) for epoch in outcome.history],
    )


def _keep(path: Path, pretrained: Pretrained) -> None:
    """Writes beside the file and renames, so that no half-written one is ever found."""
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".new", delete=False) as beside:
        torch.save(asdict(pretrained), beside)
    os.replace(beside.name, path)
