"""Adaptation works where it must: a known channel, and nothing else, lies between source and target."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
from scipy import stats

from trainables.config import TrialConfig
from trainables.data import Domain, TaskData
from trainables.trainable import train

CLASSES = ("low", "high")
SEEDS = range(5)
BANDS, FRAMES, UTTERANCES = 8, 32, 160

# A filter and gain: in the logarithm, a constant for each band.
CHANNEL = np.random.default_rng(5).normal(size=BANDS)
# What an emotion adds to each band: less.
EMOTIONS = 0.4 * np.random.default_rng(77).normal(size=(2, BANDS))


def spoken(make_domain, corpus: str, seed: int, channel: np.ndarray) -> Domain:
    """Utterances whose emotion is in the level of their bands, through a channel."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(UTTERANCES) % 2)
    loudness = 0.3 * rng.normal(size=(UTTERANCES, 1, 1))
    frames = rng.normal(size=(UTTERANCES, FRAMES, BANDS)) + loudness + (EMOTIONS - EMOTIONS.mean(axis=0))[labels, None]
    return dataclasses.replace(
        make_domain(UTTERANCES, 0.0, seed, corpus),
        values=(frames + channel).reshape(-1, BANDS).astype(np.float32),
        starts=np.arange(UTTERANCES + 1) * FRAMES,
        labels=labels,
    )


def utterances(make_domain, strength: float, seed: int) -> TaskData:
    """Source and target of the same kind of utterances, the target's through the channel."""
    return TaskData(
        spoken(make_domain, "made_up", seed, 0 * CHANNEL),
        spoken(make_domain, "other", 1000 + seed, strength * CHANNEL),
        CLASSES,
    )


def scores(config: Callable[[int], TrialConfig], data: Callable[[int], TaskData], seeds=SEEDS) -> np.ndarray:
    """Test UAR of each seed, the checkpoint selected on a labelled fifth of the target, adapted to it or not.

    On the source's validation part both are perfect after an epoch, and the first epoch would be kept. Source statistics
    standardise, or that alone would undo the channel.
    """
    found = []
    for seed in seeds:
        task = dataclasses.replace(config(seed).task, protocol="target_dev_20")
        found.append(train(dataclasses.replace(config(seed), task=task), data(seed)).metrics["test_uar"])
    return np.array(found)


def assert_better(adapted: np.ndarray, baseline: np.ndarray, margin: float) -> None:
    """By a margin in UAR, and in a paired t-test over the seeds."""
    assert adapted.mean() - baseline.mean() > margin, (adapted, baseline)
    assert stats.ttest_rel(adapted, baseline, alternative="greater").pvalue < 0.05, (adapted, baseline)


def test_dann_repairs_a_channel_that_its_baseline_fails_on(trial, make_domain):
    def with_parts(*without):
        return lambda seed: trial("dann", seed=seed, without=without, epochs=30, batch_size=32, learning_rate=1e-3)

    base = with_parts("language_classifier")
    repaired, failed = (
        scores(config, lambda seed: utterances(make_domain, 2.0, seed)) for config in (with_parts(), base)
    )
    assert_better(repaired, failed, margin=0.3)
    no_channel = scores(base, lambda seed: utterances(make_domain, 0.0, seed), seeds=SEEDS[:1])
    assert no_channel.min() > 0.9, "nothing but the channel is in its way"
