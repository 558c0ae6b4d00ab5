"""Small made-up tasks: utterances whose class is a slow wave in their features, seen through two channels."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from trainables import methods
from trainables.config import TaskConfig, TrialConfig
from trainables.data import Domain, TaskData
from trainables.trainable import prepare_process

CLASSES = ("angry", "happy", "neutral", "sad")
# What lets a run of a few steps do all that its method does: a model so young is sure of no pseudo-label.
_SMALL = {"learning_rate": 1e-3, "batch_size": 8, "threshold": 0.0}


def _make_domain(
    utterances: int, shift: float, seed: int, corpus: str = "made_up", shortest: int = 20, dimensions: int = 6
) -> Domain:
    """Utterances of up to 19 frames more than the shortest, eight speakers (two genders), four classes in turn."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(shortest, shortest + 20, size=utterances)
    labels = np.arange(utterances) % len(CLASSES)
    waves = [
        rng.normal(size=(length, dimensions)) + np.sin(np.arange(length)[:, None] * (1 + label)) + shift
        for length, label in zip(lengths, labels, strict=True)
    ]
    return Domain(
        values=np.concatenate(waves).astype(np.float32),
        starts=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        corpora=(corpus,) * utterances,
        utterances=tuple(f"{corpus}/{number:03d}" for number in range(utterances)),
        speakers=tuple(f"{corpus}/{number % 8}" for number in range(utterances)),
        labels=labels.astype(np.int64),
        genders=tuple(("female", "male")[number % 8 % 2] for number in range(utterances)),
        languages=tuple(("de", "it")[number % 8 // 4] for number in range(utterances)),
    )


@pytest.fixture(autouse=True)
def repeatable_arithmetic() -> None:
    prepare_process()


@pytest.fixture
def make_domain() -> Callable[..., Domain]:
    return _make_domain


@pytest.fixture
def task_data() -> TaskData:
    return TaskData(_make_domain(48, 0.0, 1), _make_domain(40, 0.5, 2, "other"), CLASSES)


@pytest.fixture(scope="session")
def make_speech() -> Callable[[int], TaskData]:
    """Makes data like ``task_data``, but as long and wide as a method's networks need it."""

    @functools.cache
    def make(dimensions: int) -> TaskData:
        domains = [
            _make_domain(48, shift, seed, corpus, shortest=110, dimensions=dimensions)
            for corpus, shift, seed in (("made_up", 0.0, 1), ("other", 0.5, 2))
        ]
        return TaskData(*domains, CLASSES)

    return make


@pytest.fixture
def trial() -> Callable[..., TrialConfig]:
    """Makes a small trial: ``trial("addi", without=("decoder",), learning_rate=1e-3)``."""

    def make(
        method: str, *, without: tuple[str, ...] = (), epochs: int = 2, seed: int = 3, **given: Any
    ) -> TrialConfig:
        known = {item.name for item in dataclasses.fields(methods.load(method).hyperparameters)}
        small = {name: value for name, value in _SMALL.items() if name in known}
        values = {**small, **given}
        return TrialConfig(
            method=method,
            without=without,
            task=TaskConfig(sources=("made_up",), targets=("other",)),
            hyperparameters=dataclasses.asdict(methods.load(method).hyperparameters(**values)),
            epochs=epochs,
            seed=seed,
            data="made up",
        )

    return make
