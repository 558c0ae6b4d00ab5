"""Runs on noise, for benchmarks of training steps: 240 source and 200 target utterances of 100 to 300 frames.

There may be as many utterances as are asked for. Features that have one frame of an utterance, however long, have one here.
"""

from __future__ import annotations

import dataclasses
from functools import lru_cache
from typing import Any

import numpy as np
import torch

from data_prep import features as feature_types
from trainables import methods
from trainables.config import TaskConfig, TrialConfig
from trainables.data import Domain, TaskData, draw
from trainables.loop import Step, Training

SIZES, FRAMES, CLASSES = (240, 200), (100, 300), ("anger", "happiness", "neutral", "sadness")
EPOCHS = 1000  # planned, so that nothing that happens now and then happens while steps are timed


class Steps(Training):
    """A run that may take steps for ever: after an epoch's last one the next begins, validated or not."""

    def begin_step(self) -> Step:
        """The next step."""
        if self.steps_are_done:
            self._done = 0
        return super().begin_step()


def make_run(
    name: str, *, seed: int = 1, device: str = "cpu", sizes: tuple[int, int] = SIZES, **given: Any
) -> Training:
    """A run of a method with its own hyperparameters, but for those that are given."""
    method = methods.load(name)
    feature = feature_types.load(method.feature)
    frames = FRAMES if feature.frame_shift else (1, 2)
    task = TaskConfig(sources=("source",), targets=("target",), feature=method.feature, max_frames=frames[1])
    config = TrialConfig(
        method=name,
        task=task,
        hyperparameters=dataclasses.asdict(method.hyperparameters(**given)),
        epochs=EPOCHS,
        seed=seed,
        data="noise",
    )
    sides = zip(("source", "target"), sizes, strict=True)
    source, target = (_noise(side, size, frames, feature.dimensions) for side, size in sides)
    granted, _ = draw(TaskData(source, target, CLASSES), task, seed)
    return Steps(config, granted, torch.device(device))


@lru_cache  # the runs of a process share their features
def _noise(name: str, count: int, frames: tuple[int, int], dimensions: int) -> Domain:
    rng = np.random.default_rng(count)
    starts = np.concatenate([[0], np.cumsum(rng.integers(*frames, count))])
    return Domain(
        values=rng.normal(size=(starts[-1], dimensions)).astype(np.float32),
        starts=starts,
        corpora=(name,) * count,
        utterances=tuple(f"{name}/{number}" for number in range(count)),
        speakers=tuple(f"{name}/{number % 8}" for number in range(count)),
        labels=rng.integers(0, len(CLASSES), count),
        genders=tuple(("female", "male")[number % 2] for number in range(count)),
        languages=tuple(("de", "it")[number // 2 % 2] for number in range(count)),
    )
