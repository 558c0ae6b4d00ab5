"""The one loop that trains every game: turns, validation, learning-rate policy, the best checkpoint, exact resume."""

from __future__ import annotations

import copy
import dataclasses
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from data_prep.errors import InputError
from trainables import methods
from trainables.batches import batch_rows, utterances
from trainables.config import TrialConfig, construct
from trainables.data import Granted
from trainables.game import Batch, Player, Shape, build, play
from trainables.metrics import Scores, score
from trainables.networks.shared import Shared
from trainables.policies import RestoreAndHalve, Verdict
from trainables.streams import stream_seed
from trainables.workers import Workers

Report = Callable[[Mapping[str, float]], None]


class TrainingDiverged(Exception):
    """A loss is no longer a finite number."""


@dataclass
class Best:
    """The epoch that validation selected, as training goes on from it."""

    epoch: int
    scores: Scores
    weights: dict[str, Any]
    optimisers: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a training run leaves.

    Attributes:
        weights: of the networks that predict, at the selected epoch: a state dictionary on the CPU.
        validation: scores of the selected epoch on what selected it.
        predicted: class numbers of the test set by the selected epoch, int64 of shape (test utterances,).
        best_epoch: the selected epoch, from 1.
        history: what was reported after each epoch.
        seconds: wall time of training.
    """

    weights: Mapping[str, Tensor]
    validation: Scores
    predicted: np.ndarray
    best_epoch: int
    history: tuple[Mapping[str, float], ...]
    seconds: float


@dataclass
class Training:
    """One training run: what changes while it goes on, and what it goes on from.

    Attributes:
        config: the run, fully resolved.
        granted: what its protocol lets it see.
        device: where the networks and the data are.
        workers: this process's place among data-parallel ones.
    """

    config: TrialConfig
    granted: Granted
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    workers: Workers = field(default_factory=Workers)

    def __post_init__(self) -> None:
        method = methods.load(self.config.method)
        self.game = play(method, self.config.without)
        self.hyperparameters = construct(method.hyperparameters, self.config.hyperparameters)
        self.schedules = method.schedules(self.hyperparameters)
        if self.game.adapts and not len(self.granted.split.adaptation):
            raise InputError(
                f"{self.config.method} adapts to the target, of which protocol {self.config.task.protocol} grants "
                "nothing; take another protocol, or a method or variant that does not adapt"
            )
        shape = Shape(self.granted.frames, self.granted.source.values.shape[1], len(self.granted.classes))
        self.modules = build(self.game, shape, self.config.seed).to(self.device)
        self.networks = dict(self.modules.items())
        for module in self.modules.modules():
            if isinstance(module, Shared):
                module.worker, module.workers = self.workers.rank, self.workers.count
        self.optimisers = {
            player.name: torch.optim.Adam(self._weights(player), lr=self.hyperparameters.learning_rate, fused=True)
            for player in self.game.players
        }
        self.policy = RestoreAndHalve(self.hyperparameters.learning_rate)
        self.source, self.target = utterances(self.granted, self.device)
        self.steps_per_epoch = math.ceil(len(self.granted.split.train) / self.hyperparameters.batch_size)
        self.epoch = 0
        self.seconds = 0.0
        self.stopped = False
        self.best: Best | None = None
        self.history: list[Mapping[str, float]] = []

    def run(self, report: Report = lambda metrics: None) -> Outcome:
        """Trains to the end, from wherever it is, and tells ``report`` of every epoch.

        Raises:
            TrainingDiverged: a loss is no longer finite.
        """
        with torch.random.fork_rng(devices=[self.device] if self.device.type == "cuda" else []):
            while not self.stopped and self.epoch < self.config.epochs:
                self.run_epoch()
                report(self.history[-1])
        return self._outcome()

    def run_epoch(self) -> None:
        """One epoch of steps, its validation, and what the policy makes of it."""
        started = time.perf_counter()
        self.modules.train()
        sums = {player.name: torch.zeros((), device=self.device) for player in self.game.players}
        values: Mapping[str, float] = {}
        for step in range(self.epoch * self.steps_per_epoch, (self.epoch + 1) * self.steps_per_epoch):
            progress = step / (self.config.epochs * self.steps_per_epoch)
            values = {name: schedule(progress) for name, schedule in self.schedules.items()}
            batch = self._batch(step)
            for player in self.game.players:
                sums[player.name] += self._turn(player, batch, values, step)
        self.workers.average(list(sums.values()))
        losses = {name: float(total) / self.steps_per_epoch for name, total in sums.items()}
        self.epoch += 1
        for name, loss in losses.items():
            if not math.isfinite(loss):
                raise TrainingDiverged(f"the loss of {name} is {loss} after epoch {self.epoch}")
        scores = self._validate()
        learning_rate = self.policy.learning_rate
        self._follow(scores)
        self.seconds += time.perf_counter() - started
        self.history.append(
            {
                "epoch": self.epoch,
                "validation_uar": scores.unweighted_average_recall,
                "validation_accuracy": scores.accuracy,
                "best_validation_uar": self.policy.best,
                "learning_rate": learning_rate,
                "train_seconds": self.seconds,
                **{f"loss/{name}": loss for name, loss in losses.items()},
                **{f"schedule/{name}": value for name, value in values.items()},
            }
        )

    def state_dict(self) -> dict[str, Any]:
        """All that resuming needs: what is not in here is a function of the configuration and the data."""
        best = None if self.best is None else vars(self.best)
        return copy.deepcopy(
            {
                "weights": self.modules.state_dict(),
                "optimisers": {name: optimiser.state_dict() for name, optimiser in self.optimisers.items()},
                "policy": dataclasses.asdict(self.policy),
                "best": best,
                "epoch": self.epoch,
                "seconds": self.seconds,
                "stopped": self.stopped,
                "history": self.history,
            }
        )

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Goes on from :meth:`state_dict`, exactly as if it had never stopped."""
        state = copy.deepcopy(dict(state))
        self.modules.load_state_dict(state["weights"])
        for name, optimiser in self.optimisers.items():
            optimiser.load_state_dict(state["optimisers"][name])
        self.policy = RestoreAndHalve(**state["policy"])
        self.best = None if state["best"] is None else Best(**state["best"])
        self.epoch, self.seconds, self.stopped = state["epoch"], state["seconds"], state["stopped"]
        self.history = state["history"]

    def predict(self, rows: np.ndarray, domain: str) -> np.ndarray:
        """Class numbers of the utterances ``rows`` of the ``source`` or the ``target``, by the weights as they are."""
        held = self.source if domain == "source" else self.target
        self.modules.eval()
        with torch.no_grad():
            parts = [
                self.game.method.predict(self.networks, held[torch.from_numpy(part).to(self.device)]).argmax(dim=1)
                for part in np.array_split(rows, math.ceil(len(rows) / 256))
            ]
        return torch.cat(parts).cpu().numpy()

    def _batch(self, step: int) -> Batch:
        seed, size, split = self.config.seed, self.hyperparameters.batch_size, self.granted.split
        rows = self._rows(batch_rows(split.train, size, step, seed, "source"))
        target = None
        if self.game.adapts:
            target = self.target[self._rows(batch_rows(split.adaptation, size, step, seed, "target"))]
        return Batch(self.source[rows], self.source.labels[rows], target)

    def _rows(self, rows: np.ndarray) -> Tensor:
        return torch.from_numpy(self.workers.part(rows)).to(self.device)

    def _turn(self, player: Player, batch: Batch, values: Mapping[str, float], step: int) -> Tensor:
        torch.manual_seed(stream_seed(self.config.seed, "noise", player.name, step))
        loss = player.loss(self.networks, batch, self.hyperparameters, values)
        weights = self._weights(player)
        gradients = torch.autograd.grad(loss, weights, allow_unused=True)
        self.workers.average(gradients)
        for weight, gradient in zip(weights, gradients, strict=True):
            weight.grad = gradient
        self.optimisers[player.name].step()
        return loss.detach()

    def _weights(self, player: Player) -> list[torch.nn.Parameter]:
        return [weight for name in player.moves for weight in self.modules[name].parameters()]

    def _validate(self) -> Scores:
        """Scores on what selects: the source's validation part, the target's development part, or both together."""
        granted = self.granted
        parts = (
            ("source", granted.source.labels, granted.split.validation),
            ("target", granted.target.labels, granted.split.development),
        )
        held_out = [(labels[rows], self.predict(rows, domain)) for domain, labels, rows in parts if len(rows)]
        truth, predicted = (np.concatenate(arrays) for arrays in zip(*held_out, strict=True))
        return score(truth, predicted, len(granted.classes))

    def _follow(self, scores: Scores) -> None:
        verdict = self.policy.judge(scores.unweighted_average_recall)
        if verdict is Verdict.BEST:
            optimisers = {name: optimiser.state_dict() for name, optimiser in self.optimisers.items()}
            self.best = Best(self.epoch, scores, *copy.deepcopy((self.modules.state_dict(), optimisers)))
        elif verdict is Verdict.RESTORE:
            assert self.best is not None, "the first epoch is always the best so far"
            self.modules.load_state_dict(self.best.weights)
            for name, optimiser in self.optimisers.items():
                optimiser.load_state_dict(copy.deepcopy(self.best.optimisers[name]))
                for group in optimiser.param_groups:
                    group["lr"] = self.policy.learning_rate
        self.stopped = verdict is Verdict.STOP

    def _outcome(self) -> Outcome:
        assert self.best is not None, "a run has at least one epoch"
        self.modules.load_state_dict(self.best.weights)
        predictors = self.game.method.predictors
        return Outcome(
            weights={
                name: weight.detach().cpu().clone()
                for name, weight in self.modules.state_dict().items()
                if name.split(".")[0] in predictors
            },
            validation=self.best.scores,
            predicted=self.predict(self.granted.split.test, "target"),
            best_epoch=self.best.epoch,
            history=tuple(self.history),
            seconds=self.seconds,
        )
