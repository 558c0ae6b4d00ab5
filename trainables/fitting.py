"""Runs an :class:`~trainables.estimator.Estimator` as the loop runs a game: from what is granted to an outcome."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import torch

from data_prep.errors import InputError
from trainables import methods
from trainables.batches import statistics, utterances
from trainables.config import TrialConfig, construct
from trainables.data import Granted, check_adaptation
from trainables.estimator import Estimator, Examples, Fitted, Side
from trainables.metrics import Scores
from trainables.outcome import Outcome, Report
from trainables.pool import granted_pool
from trainables.streams import stream_seed
from trainables.validation import epoch_metrics, predict, validate


@dataclass
class Fitting:
    """One fit.

    Attributes:
        config: the run, fully resolved.
        granted: what its protocol lets it see.
    """

    config: TrialConfig
    granted: Granted
    fitted: Fitted | None = field(default=None, init=False)
    validation: Scores | None = field(default=None, init=False)
    history: list[Mapping[str, float]] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        estimator = methods.load(self.config.method)
        assert isinstance(estimator, Estimator), "what has a game is trained, not fitted"
        if self.config.without:
            raise InputError(f"{self.config.method} has no players and networks; leave out {self.config.without}")
        self.estimator = estimator
        self.hyperparameters = construct(estimator.hyperparameters, self.config.hyperparameters)
        normalisation = estimator.normalisation(self.hyperparameters) or self.granted.normalisation
        if estimator.adapts(self.hyperparameters):
            check_adaptation(self.config, self.granted)
        self._held = utterances(replace(self.granted, normalisation=normalisation), torch.device("cpu"))

    def run(self, report: Report = lambda metrics: None) -> Outcome:
        """Fits, and tells ``report`` of it as of one epoch."""
        for epoch in self.epochs():
            report(epoch)
        return self.outcome()

    def epochs(self) -> Iterator[Mapping[str, float]]:
        """Fits, and has one epoch to report: all that there is of its training."""
        started = time.perf_counter()
        pool, split = granted_pool(self.granted), self.granted.split
        features = np.concatenate([self._features(pool.source, "source"), self._features(pool.target, "target")])
        labels = np.concatenate([self.granted.source.labels[pool.source], pool.likely.argmax(axis=1)])
        examples = Examples(
            features=features,
            labels=labels,
            sides=np.arange(len(pool)) >= len(pool.source),
            target=self._features(split.adaptation, "target"),
            classes=len(self.granted.classes),
            seed=stream_seed(self.config.seed, "noise"),
        )
        self.fitted = self.estimator.fit(examples, self.hyperparameters)
        self.validation = validate(self, self.granted)
        assert self.validation is not None, "a protocol that grants labels to fit on holds some out"
        epoch = {
            "epoch": 1,
            **epoch_metrics(self.validation, self.validation.unweighted_average_recall),
            "train_seconds": time.perf_counter() - started,
        }
        self.history.append(epoch)
        yield epoch

    def outcome(self) -> Outcome:
        """What it leaves, once it has been fitted."""
        assert self.fitted is not None, "it has been fitted"
        return Outcome(
            weights={name: torch.from_numpy(np.asarray(value)) for name, value in self.fitted.weights.items()},
            validation=self.validation,
            predicted=predict(self, self.granted.split.test, "target"),
            best_epoch=1,
            history=tuple(self.history),
            normalisation=statistics(*self._held),
            seconds=self.history[-1]["train_seconds"],
        )

    def probabilities(self, rows: np.ndarray, side: Side) -> np.ndarray:
        """Class probabilities, of shape (rows, classes)."""
        assert self.fitted is not None, "it has been fitted"
        return self.fitted.probabilities(self._features(rows, side), side)

    def representations(self, rows: np.ndarray, side: Side) -> np.ndarray:
        """What the emotion is read from, of shape (rows, features)."""
        assert self.fitted is not None, "it has been fitted"
        return self.fitted.represent(self._features(rows, side), side)

    def _features(self, rows: np.ndarray, side: Side) -> np.ndarray:
        held = self._held[0] if side == "source" else self._held[1]
        gathered, _ = held.gather(torch.from_numpy(rows))
        return gathered.flatten(start_dim=1).numpy()
