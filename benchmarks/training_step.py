"""What the one loop costs a step: ``python benchmarks/training_step.py [--repetitions 9] [--methods cnn dann]``.

A step of the project's loop (:class:`trainables.loop.Training`: batches gathered, standardised and cut, named random
streams, turns, schedules, optimisers) against a loop written by hand for that one method in plain PyTorch. The
hand-written one has what its author would prepare: padded, standardised tensors in memory, the order of all batches
drawn beforehand, fused optimisers; it calls the same network modules, and gradients go to those weights alone that a turn
moves. Both begin with the same weights; before anything is timed they take the same steps, with the same random draws,
and must have the same weights, bit for bit. What is timed runs in a process of its own, with the C library as it is: that
memory which is freed stays with the process (:mod:`data_prep.heap`) is the project's doing.

The data is noise (240 and 200 utterances of 100 to 300 frames); one thread. A line is a method: milliseconds a step,
median and range over epochs that take turns, and the ratio of the two, of each pair: 1 is as fast as by hand.
"""

from __future__ import annotations

import argparse
import copy
import multiprocessing
import statistics
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache
from unittest.mock import patch

import torch
from _runs import CLASSES, make_run
from _table import note
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, mse_loss, one_hot, softplus

from trainables.batches import batch_rows
from trainables.loop import Training
from trainables.networks.reversal import reverse_gradient
from trainables.policies import Verdict
from trainables.streams import stream, stream_seed
from trainables.trainable import prepare_process

Seed = Callable[[str], None]


class Data:
    """What the author of a loop by hand has in memory: all utterances, padded and standardised, and the batches' order."""

    def __init__(self, training: Training, steps: int) -> None:
        feed, split, config = training.feed, training.granted.split, training.config
        size = config.hyperparameters["batch_size"]
        sides = (feed.source, feed.target)
        self.features, self.lengths = zip(*(side.gather(torch.arange(len(side))) for side in sides), strict=True)
        self.labels, self.crop = feed.source.labels, training.recipe.crop
        parts = ((split.train, "source"), (split.adaptation, "target"))
        self.rows = [
            [torch.from_numpy(batch_rows(rows, size, step, config.seed, name)) for rows, name in parts]
            for step in range(steps)
        ]
        self.where = [
            torch.from_numpy(stream(config.seed, "crop", "source", step).random(size)) for step in range(steps)
        ]

    def source(self, step: int) -> tuple[Tensor, Tensor, Tensor]:
        """Features, lengths and labels of a batch."""
        rows = self.rows[step][0]
        features, lengths, labels = self.features[0], self.lengths[0][rows], self.labels[rows]
        if self.crop is None:
            return features[rows], lengths, labels
        spare = (lengths - self.crop).clamp(min=0)
        starts = (self.where[step] * (spare + 1)).long().clamp(max=spare)
        places = starts.unsqueeze(1) + torch.arange(min(self.crop, features.shape[1]))
        return features[rows.unsqueeze(1), places], lengths.clamp(max=self.crop), labels

    def target(self, step: int) -> tuple[Tensor, Tensor]:
        """Features and lengths of a batch."""
        rows = self.rows[step][1]
        return self.features[1][rows], self.lengths[1][rows]


def weights_of(networks: nn.ModuleDict, *names: str) -> list[nn.Parameter]:
    """The weights of some networks."""
    return [weight for name in names for weight in networks[name].parameters()]


def update(loss: Tensor, weights: list[nn.Parameter], optimiser: torch.optim.Optimizer) -> None:
    """One step of an optimiser."""
    optimiser.zero_grad()
    loss.backward(inputs=weights)
    optimiser.step()


def cnn(networks: nn.ModuleDict, data: Data, steps: range, seed: Seed, rate: float) -> None:
    """The baseline."""
    weights = weights_of(networks, "encoder", "classifier")
    optimiser = torch.optim.Adam(weights, lr=rate, fused=True)
    for step in steps:
        features, _, labels = data.source(step)
        seed(f"classifier {step}")
        update(cross_entropy(networks["classifier"](networks["encoder"](features)), labels), weights, optimiser)


def addi(networks: nn.ModuleDict, data: Data, steps: range, seed: Seed, rate: float) -> None:
    """The three-player game, and its classifier."""
    encoder, decoder, classifier = (networks[name] for name in ("encoder", "decoder", "classifier"))
    of_source, of_target = networks["source_discriminator"], networks["target_discriminator"]
    moved = {
        "autoencoder": weights_of(networks, "encoder", "decoder"),
        "generator": weights_of(networks, "encoder", "decoder"),
        "discriminators": weights_of(networks, "source_discriminator", "target_discriminator"),
        "classifier": weights_of(networks, "encoder", "classifier"),
    }
    optimisers = {name: torch.optim.Adam(weights, lr=rate, fused=True) for name, weights in moved.items()}
    codes = [one_hot(torch.full((len(data.rows[0][0]),), domain), 2).float() for domain in (0, 1)]
    for step in steps:
        source, _, labels = data.source(step)
        target, _ = data.target(step)

        seed(f"autoencoder {step}")
        first = mse_loss(decoder(encoder(source), codes[0]), source)
        loss = 0.5 * (first + mse_loss(decoder(encoder(target), codes[1]), target))
        update(loss, moved["autoencoder"], optimisers["autoencoder"])

        seed(f"generator {step}")
        latent, other = encoder(source), encoder(target)
        first = mse_loss(decoder(latent, codes[0]), source)
        loss = 0.5 * (first + mse_loss(decoder(other, codes[1]), target))
        loss = loss - softplus(of_source(decoder(other, codes[0]))).mean()
        loss = loss - softplus(of_target(decoder(latent, codes[1]))).mean()
        update(loss, moved["generator"], optimisers["generator"])

        seed(f"discriminators {step}")
        with torch.no_grad():
            latent, other = encoder(source), encoder(target)
            as_source, as_target = decoder(other, codes[0]), decoder(latent, codes[1])
        loss = softplus(-of_source(source)).mean() + softplus(of_source(as_source)).mean()
        loss = loss + softplus(-of_target(target)).mean() + softplus(of_target(as_target)).mean()
        update(loss, moved["discriminators"], optimisers["discriminators"])

        seed(f"classifier {step}")
        update(cross_entropy(classifier(encoder(source)), labels), moved["classifier"], optimisers["classifier"])


def dann(networks: nn.ModuleDict, data: Data, steps: range, seed: Seed, rate: float) -> None:
    """Domain-adversarial training with BN1, alpha 0.5, beta 1 and the l2 penalty."""
    weights = weights_of(networks, "encoder", "normalisation", "emotion_classifier", "language_classifier")
    optimiser = torch.optim.Adam(weights, lr=rate, fused=True)
    matrices = [weight for weight in weights if weight.ndim > 1]
    encoder, normalise, drop = networks["encoder"], networks["normalisation"], networks["dropout"]
    size = len(data.rows[0][0])
    domains = torch.cat([torch.zeros(size, dtype=torch.int64), torch.ones(size, dtype=torch.int64)])
    for step in steps:
        source, lengths, labels = data.source(step)
        target, others = data.target(step)
        seed(f"dann {step}")
        first, second = normalise(torch.cat([encoder(source, lengths), encoder(target, others)])).split([size, size])
        first, second = drop(first), drop(second)
        emotion = cross_entropy(networks["emotion_classifier"](first), labels)
        told = networks["language_classifier"](reverse_gradient(torch.cat([first, second]), 1.0))
        penalty = sum((5e-3 * weight.square().sum() for weight in matrices), torch.zeros(()))
        update(0.5 * emotion + 0.5 * cross_entropy(told, domains) + penalty, weights, optimiser)


def pseudo_label(networks: nn.ModuleDict, data: Data, steps: range, seed: Seed, rate: float) -> None:
    """Hard labels, between two labellings."""
    weights = weights_of(networks, "encoder", "classifier")
    optimiser = torch.optim.Adam(weights, lr=rate, fused=True)
    for step in steps:
        features, lengths, labels = data.source(step)
        seed(f"classifier {step}")
        logits = networks["classifier"](networks["encoder"](features, lengths))
        update(cross_entropy(logits, one_hot(labels, len(CLASSES)).float()), weights, optimiser)


# Each has its own hyperparameters but for a schedule, which the loops by hand do without.
_GIVEN = {"dann": {"beta_ramp": "constant"}}
BY_HAND = {loop.__name__: loop for loop in (cnn, addi, dann, pseudo_label)}


def main() -> None:
    """Prints a line for each method."""
    this = argparse.ArgumentParser(description="A step of the loop against one written by hand.")
    this.add_argument("--methods", nargs="+", choices=list(BY_HAND), default=list(BY_HAND), help="default: all")
    this.add_argument("--repetitions", type=int, default=9, help="epochs timed of each (default 9)")
    given = this.parse_args()
    prepare_process()
    print(f"{'method':>14} {'by hand, ms a step':>26} {'the loop, ms a step':>26} {'by hand / the loop':>26}")
    for name in given.methods:
        check(name)
        columns = measure(name, given.repetitions)
        print(f"{name:>14} " + " ".join(f"{_spread(values):>26}" for values in columns), flush=True)
        note(f"a step of {name}", "a loop by hand", "0.98 on a CPU", columns[2])


def make_training(name: str) -> Training:
    """A run whose epochs hold steps and nothing else."""
    training = make_run(name, **_GIVEN.get(name, {}))
    training.policy.judge = lambda score: Verdict.CONTINUE
    return training


def check(name: str) -> None:
    """Two epochs of both from the same first weights must end with the same ones."""
    training = make_training(name)
    networks, steps = copy.deepcopy(training.modules).train(), 2 * training.steps_per_epoch
    _epochs(training, 2)

    def seed(turn: str) -> None:
        player, step = turn.split()
        torch.manual_seed(stream_seed(training.config.seed, "noise", player, int(step)))

    BY_HAND[name](networks, Data(training, steps), range(steps), seed, training.policy.learning_rate)
    for (weight, value), other in zip(
        networks.state_dict().items(), training.modules.state_dict().values(), strict=True
    ):
        assert torch.equal(value, other), f"{name}: the two loops differ in {weight}"


def measure(name: str, repetitions: int) -> tuple[list[float], list[float], list[float]]:
    """Milliseconds a step by hand and of the loop, and their ratios."""
    training, by_hand, by_loop = make_training(name), [], []
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as author:
        for number in range(-1, repetitions):
            hand = author.submit(_epoch_by_hand, name).result()
            begun = time.perf_counter()
            _epochs(training, 1)
            if number >= 0:  # the first of each warms up
                by_hand.append(1000 * hand / training.steps_per_epoch)
                by_loop.append(1000 * (time.perf_counter() - begun) / training.steps_per_epoch)
    return by_hand, by_loop, [hand / loop for hand, loop in zip(by_hand, by_loop, strict=True)]


@lru_cache
def _prepared(name: str) -> tuple[nn.ModuleDict, Data, range, float]:
    """What a loop by hand begins with, in its own process."""
    with patch("data_prep.heap.keep"):
        prepare_process()
    training = make_training(name)
    steps = training.steps_per_epoch
    return training.modules.train(), Data(training, steps), range(steps), training.policy.learning_rate


def _epoch_by_hand(name: str) -> float:
    """Seconds of an epoch."""
    networks, data, steps, rate = _prepared(name)
    begun = time.perf_counter()
    BY_HAND[name](networks, data, steps, lambda turn: None, rate)
    return time.perf_counter() - begun


def _epochs(training: Training, count: int) -> None:
    """Epochs without validation."""
    scores: Mapping[str, float] = {}
    with (
        patch("trainables.loop.validate", lambda *run: None),
        patch("trainables.loop.epoch_metrics", lambda *run: scores),
    ):
        for _ in range(count):
            training.run_epoch()


def _spread(values: list[float]) -> str:
    return f"{statistics.median(values):.3f} ({min(values):.3f} to {max(values):.3f})"


if __name__ == "__main__":
    main()
