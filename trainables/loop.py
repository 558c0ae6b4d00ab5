"""The one loop that trains every game: turns, validation, learning-rate policy, the best checkpoint, exact resume."""

from __future__ import annotations

import copy
import itertools
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from trainables import methods
from trainables.batches import statistics
from trainables.checkpoint import Best, copied
from trainables.config import TrialConfig, construct
from trainables.data import Granted, check_adaptation
from trainables.draws import Draw
from trainables.estimator import Side
from trainables.feed import Feed
from trainables.game import Batch, Method, Player, Reading, begin_with, build, play
from trainables.metrics import Scores
from trainables.networks.noise import seed_noise
from trainables.networks.shared import Shared
from trainables.outcome import Outcome, Report
from trainables.policies import Verdict
from trainables.pool import Pool, granted_pool, unlabelled
from trainables.recovery import Recovery
from trainables.sides import Batches
from trainables.streams import stream, stream_seed
from trainables.validation import epoch_metrics, predict, validate
from trainables.workers import Workers

# Utterances, and values of theirs, that are read at a time outside training.
_READ_AT_ONCE, _READ_VALUES = 256, 2**24
# What a run has become, besides its weights, optimisers and policy.
_STATE = ("pool", "epoch", "step", "seconds", "stopped", "history")


class TrainingDiverged(Exception):
    """A loss is no longer a finite number."""


class Step(NamedTuple):
    """A step of training.

    Attributes:
        draw: what it draws of the data.
        values: each schedule's value.
        noise: what the random numbers of a player's turn are drawn from, by its name and the turn's number from 0.
    """

    draw: Draw
    values: Mapping[str, float]
    noise: Mapping[tuple[str, int], int]


@dataclass(eq=False)
class Training:
    """One training run: what changes while it goes on, and what it goes on from.

    Attributes:
        config: the run, fully resolved.
        granted: what its protocol lets it see.
        device: where the networks and the data are.
        workers: this process's place among data-parallel ones.
        start: weights that it begins with, as a pretext task left them; ``None`` to begin with none.
        recovery: where it keeps its state, from which it goes on if it was cut off; ``None`` to keep none.
        losses: by player, the loss of each of its turns in this epoch, tensors of shape ().
    """

    config: TrialConfig
    granted: Granted
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    workers: Workers = field(default_factory=Workers)
    start: Mapping[str, Tensor] | None = None
    recovery: Recovery | None = None

    def __post_init__(self) -> None:
        method = methods.load(self.config.method)
        assert isinstance(method, Method), "what has no game is fitted, not trained"
        self.game = play(method, self.config.without)
        self.hyperparameters = construct(method.hyperparameters, self.config.hyperparameters)
        self.schedules = method.schedules(self.hyperparameters)
        self.recipe = method.recipe(self.hyperparameters)
        if self.game.adapts or self.recipe.relabel is not None:
            check_adaptation(self.config, self.granted)
        self.feed = self._make_feed()
        self.modules = self._make_networks()
        self.networks = dict(self.modules.items())
        self._moved = {player.name: self._weights_of(player) for player in self.game.players}
        self.players = [player for player in self.game.players if self.weights(player)]
        self.optimisers = {
            player.name: self.recipe.optimise(self.weights(player), self.hyperparameters.learning_rate)
            for player in self.players
        }
        self.policy = self.recipe.policy(self.hyperparameters.learning_rate)
        self.epoch = self.step = self._done = 0
        self.pool = self._rebalanced(granted_pool(self.granted))
        self.losses: dict[str, list[Tensor]] = {}
        self.seconds = 0.0
        self.stopped = False
        self.best: Best | None = None
        self.history: list[Mapping[str, float]] = []
        self._keeper = None if self.recovery is None else self.recovery.begin(self)

    @property
    def steps_per_epoch(self) -> int:
        """Batches that it takes to see all that is labelled once."""
        return math.ceil(len(self.pool) / self.hyperparameters.batch_size)

    def run(self, report: Report = lambda metrics: None) -> Outcome:
        """Trains to the end, from wherever it is, and tells ``report`` of every epoch.

        Raises:
            TrainingDiverged: a loss is no longer finite.
        """
        with torch.random.fork_rng(devices=[self.device] if self.device.type == "cuda" else []):
            for epoch in self.epochs():
                report(epoch)
        return self.outcome()

    def epochs(self) -> Iterator[Mapping[str, float]]:
        """What there is to report of each epoch: first of those that are over, then of each as it has been trained."""
        for told in itertools.count():
            if told == len(self.history):
                if self.ended:
                    return
                self.run_epoch()
            yield self.history[told]

    def run_epoch(self) -> None:
        """One epoch of steps, its validation, and what the policy makes of it."""
        started = time.perf_counter()
        while not self.steps_are_done:
            self.take_step()
        self.seconds += time.perf_counter() - started
        self.end_epoch()

    @property
    def ended(self) -> bool:
        """Whether no epoch is to come."""
        return self.stopped or self.epoch >= self.config.epochs

    @property
    def steps_are_done(self) -> bool:
        """Whether all steps of the epoch that has begun are done."""
        return self._done == self.steps_per_epoch

    def begin_step(self) -> Step:
        """The next step of an epoch."""
        if not self._done:
            self.modules.train()
            self.losses = {player.name: [] for player in self.players}
            # All at once: between steps, whose arithmetic goes through all caches, each would take many times as long.
            self._steps = [self._plan(number) for number in range(self.steps_per_epoch)]
            self._batches = Batches(self.feed.sides, [step.draw for step in self._steps])
        step = self._steps[self._done]
        self.step += 1
        self._done += 1
        return step

    def _plan(self, number: int) -> Step:
        """Step ``number``, from 0, of the epoch that begins."""
        steps, later = self.steps_per_epoch, self.step + number
        progress = (self.epoch * steps + number) / (self.config.epochs * steps)
        turns = [(player.name, turn) for player in self.players for turn in range(self.recipe.turns)]
        return Step(
            draw=self.feed.draw(self.pool, later, self.game.adapts),
            values={name: schedule(progress) for name, schedule in self.schedules.items()},
            noise={(name, turn): self._noise_seed(name, later, turn) for name, turn in turns},
        )

    def _noise_seed(self, player: str, step: int, turn: int) -> int:
        later = [turn] if turn else []  # the first turn draws what a step's only one does
        return stream_seed(self.config.seed, "noise", player, step, *later)

    def take_step(self) -> None:
        """A whole step: every player's turns."""
        step = self.begin_step()
        batch = self._batches.take(self._done - 1)
        for player in self.players:
            for turn in range(self.recipe.turns):
                self._turn(player, step, batch, turn)

    def _turn(self, player: Player, step: Step, batch: Batch, turn: int) -> None:
        seed_noise(step.noise[player.name, turn], self.device)
        weights = self.weights(player)
        loss = player.loss(self.networks, batch, self.hyperparameters, {**step.values, "turn": turn})
        loss = self.recipe.penalised(loss, weights)
        self.move(player, loss.detach(), torch.autograd.grad(loss, weights, allow_unused=True))

    def move(self, player: Player, loss: Tensor, gradients: Sequence[Tensor | None]) -> None:
        """Moves a player's weights by the gradients of its loss."""
        self.workers.average(gradients)
        for weight, gradient in zip(self.weights(player), gradients, strict=True):
            # Fused optimisers go through memory as it lies: a transposed gradient would move other weights.
            weight.grad = None if gradient is None else gradient.contiguous()
        self.optimisers[player.name].step()
        for weight in self.weights(player):
            weight.grad = None  # so that the next gradients are where these were, which caches still hold
        self.losses[player.name].append(loss)

    def weights(self, player: Player) -> list[torch.nn.Parameter]:
        """The weights that a player moves."""
        return self._moved[player.name]

    def _weights_of(self, player: Player) -> list[torch.nn.Parameter]:
        moved = [name for name in player.moves if name not in self.recipe.frozen]
        return [weight for name in moved for weight in self.modules[name].parameters() if weight.requires_grad]

    def end_epoch(self) -> None:
        """The validation after an epoch's steps, and what the policy makes of it.

        Raises:
            TrainingDiverged: a loss is no longer finite.
        """
        started = time.perf_counter()
        sums = {name: torch.stack(losses).sum() for name, losses in self.losses.items()}
        self.workers.average(list(sums.values()))
        losses = {name: float(total) / self._done for name, total in sums.items()}
        self._done = 0
        self.epoch += 1
        for name, loss in losses.items():
            if not math.isfinite(loss):
                raise TrainingDiverged(f"the loss of {name} is {loss} after epoch {self.epoch}")
        scores = validate(self, self.granted) if self.game.method.supervised else None
        learning_rate = self.policy.learning_rate
        self._follow(scores)
        numbers = {
            "learning_rate": learning_rate,
            **({} if scores is None else epoch_metrics(scores, self.policy.best)),
            **{f"loss/{name}": loss for name, loss in losses.items()},
            **{f"schedule/{name}": value for name, value in self._steps[-1].values.items()},
            **self._relabel(),
        }
        self.seconds += time.perf_counter() - started
        self.history.append({"epoch": self.epoch, **numbers, "train_seconds": self.seconds})
        if self._keeper is not None and self.workers.rank == 0:
            self._keeper.note(self)

    def state_dict(self) -> dict[str, Any]:
        """All that resuming needs, on the CPU: what is not in here is a function of the configuration and the data."""
        state = {
            "weights": self.modules.state_dict(),
            "optimisers": {name: optimiser.state_dict() for name, optimiser in self.optimisers.items()},
            "policy": vars(self.policy),
            "best": None if self.best is None else vars(self.best),
            **{name: getattr(self, name) for name in _STATE},
        }
        return copied(state, "cpu")

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Goes on from :meth:`state_dict`, exactly as if it had never stopped."""
        state = copy.deepcopy(dict(state))
        self.modules.load_state_dict(state["weights"])
        for name, optimiser in self.optimisers.items():
            optimiser.load_state_dict(state["optimisers"][name])
        vars(self.policy).update(state["policy"])
        self.best = None if state["best"] is None else Best(**state["best"])
        for name in _STATE:
            setattr(self, name, state[name])

    def probabilities(self, rows: np.ndarray, side: Side) -> np.ndarray:
        """Class probabilities of the utterances ``rows`` by the weights as they are, float32 of shape (rows, classes)."""
        return self._read(self.game.method.predict, rows, side).softmax(dim=1).numpy()

    def representations(self, rows: np.ndarray, side: Side) -> np.ndarray:
        """What the emotion is read from, float32 of shape (rows, features)."""
        return self._read(self.game.method.represent, rows, side).numpy()

    def _make_feed(self) -> Feed:
        """The batches, standardised as the recipe has it, or else the protocol."""
        normalisation = self.recipe.normalisation or self.granted.normalisation
        return Feed(
            replace(self.granted, normalisation=normalisation),
            seed=self.config.seed,
            batch_size=self.hyperparameters.batch_size,
            crop=self.recipe.crop,
            device=self.device,
            workers=self.workers,
            mixup=self.recipe.mixup,
        )

    def _make_networks(self) -> torch.nn.ModuleDict:
        """The networks on the device, with the weights to begin with."""
        networks = build(self.game, self.feed.shape, self.hyperparameters, self.config.seed)
        if self.start is not None:
            begin_with(networks, self.start)
        for module in networks.modules():
            if isinstance(module, Shared):
                module.worker, module.workers = self.workers.rank, self.workers.count
        return networks.to(self.device)

    def _rebalanced(self, pool: Pool) -> Pool:
        """The pool as this epoch is to train on it."""
        if not self.recipe.rebalance:
            return pool
        return pool.rebalanced(stream(self.config.seed, "rebalance", self.epoch))

    def _read(self, reading: Reading, rows: np.ndarray, side: Side) -> Tensor:
        held = self.feed.source if side == "source" else self.feed.target
        per_utterance = self.feed.shape.frames * self.feed.shape.dimensions
        size = max(1, min(_READ_AT_ONCE, _READ_VALUES // per_utterance))
        self.modules.eval()
        with torch.no_grad():
            parts = [
                reading(self.networks, *held.gather(torch.from_numpy(part).to(self.device)))
                for part in np.array_split(rows, math.ceil(len(rows) / size))
            ]
        return torch.cat(parts).cpu()

    def _follow(self, scores: Scores | None) -> None:
        """Does what the policy says of an epoch; one that nothing can judge counts as better than those before it."""
        verdict = self.policy.judge(self.epoch if scores is None else scores.unweighted_average_recall)
        if verdict is Verdict.BEST and scores is not None:
            optimisers = {name: optimiser.state_dict() for name, optimiser in self.optimisers.items()}
            self.best = Best(self.epoch, scores, *copied((self.modules.state_dict(), optimisers)))
        elif verdict is Verdict.RESTORE:
            assert self.best is not None, "the first epoch is always the best so far"
            self.modules.load_state_dict(self.best.weights)
            for name, optimiser in self.optimisers.items():
                optimiser.load_state_dict(copy.deepcopy(self.best.optimisers[name]))
        for optimiser in self.optimisers.values():
            for group in optimiser.param_groups:
                group["lr"] = self.policy.learning_rate
        self.stopped = verdict is Verdict.STOP

    def _relabel(self) -> dict[str, float]:
        """Pseudo-labels the target where this epoch is one for it; what there is to say of them."""
        relabel = self.recipe.relabel
        if relabel is None or self.epoch >= self.config.epochs:
            return {}
        rows = unlabelled(self.granted)
        if not len(rows) or self.epoch % max(1, round(relabel.every * self.config.epochs)):
            return {}
        granted = granted_pool(self.granted)
        pool = granted.with_pseudo_labels(relabel, rows, self.probabilities(rows, "target"))
        admitted = len(pool.target) - len(granted.target)
        self.pool = self._rebalanced(pool)
        return {"pseudo_labels": admitted, "pseudo_labels_share": admitted / len(rows)}

    def outcome(self) -> Outcome:
        """What a run that has ended leaves; its networks are then those of the selected epoch."""
        if self.best is not None:
            self.modules.load_state_dict(self.best.weights)
        predictors, test = self.game.method.predictors, self.granted.split.test
        return Outcome(
            weights={
                name: weight.detach().cpu().clone()
                for name, weight in self.modules.state_dict().items()
                if name.split(".")[0] in predictors
            },
            validation=None if self.best is None else self.best.scores,
            predicted=predict(self, test, "target") if len(test) else test,
            best_epoch=self.epoch if self.best is None else self.best.epoch,
            history=tuple(self.history),
            normalisation=statistics(self.feed.source, self.feed.target),
            seconds=self.seconds,
        )
