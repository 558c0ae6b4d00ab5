"""Sanity of the whole pipeline: wrong labels teach nothing, and where nothing lies between the domains nothing is gained."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from trainables.data import TaskData
from trainables.outcome import TrialResult
from trainables.trainable import train

CLASSES = ("low", "high")
BANDS, FRAMES, UTTERANCES = 8, 32, 160


@pytest.fixture
def same_kind(make_domain):
    """Makes source and target from one distribution: other utterances, other speakers, nothing else in between."""
    emotions = 0.4 * np.random.default_rng(77).normal(size=(2, BANDS))

    def spoken(corpus: str, seed: int):
        rng = np.random.default_rng(seed)
        labels = rng.permutation(np.arange(UTTERANCES) % 2)
        values = rng.normal(size=(UTTERANCES, FRAMES, BANDS)) + emotions[labels, None]
        return dataclasses.replace(
            make_domain(UTTERANCES, 0.0, seed, corpus),
            values=values.reshape(-1, BANDS).astype(np.float32),
            starts=np.arange(UTTERANCES + 1) * FRAMES,
            labels=labels,
        )

    return lambda seed: TaskData(spoken("made_up", seed), spoken("other", 1000 + seed), CLASSES)


def test_permuted_source_labels_give_chance_on_the_target(trial, same_kind):
    intact, permuted = [], []
    for seed in range(8):
        data, config = same_kind(seed), trial("cnn", seed=seed, epochs=4, batch_size=16)
        order = np.random.default_rng(seed).permutation(UTTERANCES)
        wrong = dataclasses.replace(data.source, labels=data.source.labels[order])
        intact.append(train(config, data).metrics["test_uar"])
        permuted.append(train(config, dataclasses.replace(data, source=wrong)).metrics["test_uar"])
    # Noise learnt by heart still points somewhere, so that a seed may be far from one half, to either side.
    error = np.std(permuted, ddof=1) / np.sqrt(len(permuted))
    assert abs(np.mean(permuted) - 0.5) < max(3 * error, 0.05), permuted
    assert np.mean(permuted) < 0.7 < 0.9 < np.mean(intact), (permuted, intact)


def test_where_source_and_target_are_of_one_kind_they_cannot_be_told_apart_and_nothing_is_gained(trial, same_kind):
    def runs(without: tuple[str, ...] = ()) -> list[TrialResult]:
        given = {"epochs": 10, "batch_size": 32, "without": without}
        return [train(trial("dann", seed=seed, **given), same_kind(seed)) for seed in range(3)]

    adapted, base = runs(), runs(("language_classifier",))
    for where in ("raw", "representation"):
        told = np.mean([run.metrics[f"domain_accuracy/{where}"] for run in (*adapted, *base)])
        assert abs(told - 0.5) < 0.1, where
    gain = np.mean([a.metrics["test_uar"] - b.metrics["test_uar"] for a, b in zip(adapted, base, strict=True)])
    assert abs(gain) < 0.05
    assert np.mean([run.metrics["test_uar"] for run in base]) > 0.9
