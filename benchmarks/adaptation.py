"""Does adaptation work where it must? ``python benchmarks/adaptation.py [--shift moons channel] [--seeds 5] [--first 0]``.

Two shifts whose answer is known, each method beside its baseline, which never sees the target: mean and standard
deviation of the test UAR over the seeds, and p of a paired t-test that the method is better. All select the checkpoint on
a labelled fifth of the target (``target_dev_20``), the baselines too, and the source's statistics standardise.

- ``moons``: two moons, the target's turned by 30 degrees about their middle; a point is carried by the even and the odd
  of 8 bands over 10 frames of noise. Of 10 frames dann's encoder is one hidden layer of 200 units.
- ``channel``: one small demo corpus (EMO-DB's layout, mfb40), half of its speakers the source and the other half the
  target, through a channel that adds a constant to each band's logarithm: a filter and a gain, and nothing else.

``dann, hidden`` is dann's game with a hidden layer of 64 units in the language classifier, which the paper's lacks.

Measured on the moons (``--shift moons --first 2000``, five seeds that nothing was chosen on): dann with the hidden layer
.971 against .923 (p = .024), dann as the paper has it .921 against .923 (p = .55), addi .774 against .770 (p = .34). A
turn about the middle leaves the points' mean where it was, which may be why a linear classifier of languages does not
help; for addi nothing was tuned. The setting was chosen among several, on other seeds: at 30 degrees with BN1 the baseline
is at .975 and the gain not sure (.994, p = .10, three seeds), at 38 with BN1 the hidden layer loses (.86 against .92, three
seeds), and at 40 without normalisation it has .89 against .84 (five seeds).

On the channel (``--shift channel --first 900 --seeds 3``) neither method beats its baseline: dann .598 against .731, addi
.619 against .694. Why is open. On two of those seeds, nor did dann with less dropout and penalty at 5 nepers with BN1 or
BN2, nor at 12 with a sigmoid ramp and a beta of 0.1 (BN1, BN2), or of 0.3 with the hidden layer (BN1); nor addi surely at 5.
"""

from __future__ import annotations

import argparse
import dataclasses
import tempfile
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import numpy as np
import soundfile
from scipy import stats
from sklearn.datasets import make_moons
from torch import nn

from data_prep import corpora, demo, features, labels
from trainables import methods
from trainables.config import TaskConfig, TrialConfig
from trainables.data import Domain, TaskData, draw
from trainables.game import Method, Shape
from trainables.loop import Training
from trainables.methods import dann
from trainables.trainable import prepare_process

DEGREES, POINTS, FRAMES, BANDS = 30, 480, 10, 8
LOUDNESS = 2.0  # of the channel: the standard deviation of its constants, in nepers of power (8.7 dB)
SCHEME, LONGEST = "emotion4", 100

_LANGUAGE_GAME = {"beta_ramp": "sigmoid", "dropout": 0.0, "penalty_weight": 0.0}


class Contest(NamedTuple):
    """A method and its baseline on one shift, both with the same hyperparameters as far as both have them."""

    name: str
    method: str
    epochs: int
    given: Mapping[str, Any]
    game: Method | None = None


def main() -> None:
    """Prints a line for each method on each shift."""
    this = argparse.ArgumentParser(description="Adaptation to a shift whose answer is known.")
    this.add_argument("--shift", nargs="+", choices=("moons", "channel"), default=["moons", "channel"])
    this.add_argument("--seeds", type=int, default=5, help="replicates (default 5)")
    this.add_argument("--first", type=int, default=0, help="the first of the seeds (default 0)")
    given = this.parse_args()
    prepare_process()
    seeds = range(given.first, given.first + given.seeds)
    print(f"{'shift':>8} {'method':>13} {'adapted':>13} {'baseline':>13} {'p':>8}")
    for shift in given.shift:
        data = moons if shift == "moons" else channel()
        for contest in CONTESTS[shift]:
            adapted, baseline = ([score(contest, data(seed), seed, side) for seed in seeds] for side in (True, False))
            p = stats.ttest_rel(adapted, baseline, alternative="greater").pvalue
            shown = [f"{np.mean(uars):.3f} +- {np.std(uars, ddof=1):.3f}" for uars in (adapted, baseline)]
            print(f"{shift:>8} {contest.name:>13} {shown[0]:>13} {shown[1]:>13} {p:8.4f}", flush=True)


def score(contest: Contest, data: TaskData, seed: int, adapts: bool) -> float:
    """Test UAR of the method, or of its baseline."""
    name, without = contest.method, ()
    if not adapts:
        name, without = ("dann", ("language_classifier",)) if name == "dann" else ("cnn", ())
    config = TrialConfig(
        method=name,
        without=without,
        task=TaskConfig(
            sources=("source",), targets=("target",), scheme=SCHEME, protocol="target_dev_20", max_frames=LONGEST
        ),
        hyperparameters=dataclasses.asdict(methods.load(name).hyperparameters(**contest.given)),
        epochs=contest.epochs,
        seed=seed,
        data="made up",
    )
    granted, evaluator = draw(data, config.task, seed)
    with nullcontext() if contest.game is None else patch.object(dann, "METHOD", contest.game):
        predicted = Training(config, granted).run().predicted
    return evaluator.score(predicted).unweighted_average_recall


def moons(seed: int) -> TaskData:
    """Two moons, and two turned ones."""
    turns = (0.0, np.deg2rad(DEGREES))
    return TaskData(
        *(
            _moons(name, 2 * seed + side, turn)
            for side, (name, turn) in enumerate(zip(("source", "target"), turns, strict=True))
        ),
        ("upper", "lower"),
    )


def _moons(name: str, seed: int, turn: float) -> Domain:
    points, classes = make_moons(POINTS, noise=0.05, random_state=seed)
    turned = (points - (0.5, 0.25)) @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    noise = 0.05 * np.random.default_rng(seed).normal(size=(POINTS, FRAMES, BANDS))
    values = np.tile(turned, BANDS // 2)[:, None] + noise
    return _domain(name, list(values), classes, [str(number % 8) for number in range(POINTS)])


def channel() -> Callable[[int], TaskData]:
    """Speaks a demo corpus, and gives what parts it into source and target by speakers."""
    scheme, feature = labels.load(SCHEME), features.load("mfb40")
    with tempfile.TemporaryDirectory() as scratch:
        root = demo.speak(Path(scratch) / "demo", corpora=("emodb",))["emodb"]
        rows = [row for row in corpora.read("emodb", root) if scheme.target("emodb", row.emotion) is not None]
        values = [feature.compute(soundfile.read(root / row.audio, dtype="float32")[0]) for row in rows]
    classes = np.array([scheme.target("emodb", row.emotion) for row in rows])
    speakers = np.array([row.speaker for row in rows])
    added = LOUDNESS * np.random.default_rng(5).normal(size=feature.dimensions)

    def parted(seed: int) -> TaskData:
        order = np.random.default_rng(seed).permutation(sorted(set(speakers)))
        of_source = np.isin(speakers, order[: len(order) // 2])
        return TaskData(
            *(
                _domain(name, [values[row] + offset for row in here], classes[here], speakers[here].tolist())
                for name, here, offset in (
                    ("source", np.flatnonzero(of_source), 0 * added),
                    ("target", np.flatnonzero(~of_source), added),
                )
            ),
            scheme.classes,
        )

    return parted


def _domain(name: str, values: list[np.ndarray], classes: np.ndarray, speakers: list[str]) -> Domain:
    return Domain(
        values=np.concatenate(values).astype(np.float32),
        starts=np.cumsum([0, *(len(each) for each in values)]),
        corpora=(name,) * len(values),
        utterances=tuple(f"{name}/{number}" for number in range(len(values))),
        speakers=tuple(f"{name}/{speaker}" for speaker in speakers),
        labels=classes.astype(np.int64),
        genders=("unknown",) * len(values),
        languages=("und",) * len(values),
    )


_LINEAR = dann.METHOD.networks["language_classifier"]


def _language_classifier(shape: Shape, hyperparameters: Any) -> nn.Module:
    features = _LINEAR(shape, hyperparameters).in_features
    return nn.Sequential(nn.Linear(features, 64), nn.ReLU(), nn.Linear(64, 2))


HIDDEN = dataclasses.replace(
    dann.METHOD, networks={**dann.METHOD.networks, "language_classifier": _language_classifier}
)
_MOONS = {**_LANGUAGE_GAME, "learning_rate": 2e-2, "batch_norm": "none"}
CONTESTS = {
    "moons": (
        Contest("dann", "dann", 50, _MOONS),
        Contest("dann, hidden", "dann", 50, _MOONS, HIDDEN),
        Contest("addi", "addi", 12, {"learning_rate": 1e-3}),
    ),
    "channel": (
        Contest("dann", "dann", 30, {"learning_rate": 1e-3, "batch_norm": "BN2"}),
        Contest("addi", "addi", 16, {"learning_rate": 1e-3, "batch_size": 8}),
    ),
}


if __name__ == "__main__":
    main()
