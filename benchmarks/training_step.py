"""What the one loop costs a step: ``python benchmarks/training_step.py [--repetitions 9] [--methods cnn dann]``.

A step of the project's loop (:class:`trainables.loop.Training`: batches gathered, standardised and cut, named random
streams, turns, schedules, optimisers) against a loop written by hand for that one method in plain PyTorch. The
hand-written one (``_by_hand.py``) has what its author would prepare: padded, standardised tensors in memory, the order of
all batches drawn beforehand, fused optimisers. Both begin with the same weights; before anything is timed they take the
same steps, with the same random draws, and must have the same weights, bit for bit. What is timed runs in a process of its
own, with the C library as it is: that memory which is freed stays with the process (:mod:`data_prep.heap`) is the
project's doing. With ``--same-memory`` it stays with that process, too, and what is left is the loop's own cost.

The data is noise (240 and 200 utterances of 100 to 300 frames, or of one where the feature has no more); one thread. A line
is a method: milliseconds a step, median and range over repetitions of half a second that take turns, and the ratio of the
two, of each pair: 1 is as fast as by hand.
"""

from __future__ import annotations

import argparse
import copy
import multiprocessing
import statistics
import time
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from functools import lru_cache
from typing import Any
from unittest.mock import patch

import torch
from _by_hand import LOOPS, Data
from _runs import make_run
from _table import note
from torch import nn

from trainables.loop import Training
from trainables.policies import Verdict
from trainables.streams import stream_seed
from trainables.trainable import prepare_process

_SECONDS = 0.5  # that are timed at a time
_ATTRIBUTES = {"attributes": "gender+speaker+language"}
# Each has its own hyperparameters but for schedules, which the loops by hand do without, and several attributes.
_GIVEN: Mapping[str, Mapping[str, Any]] = {
    "dann": {"beta_ramp": "constant"},
    "mtl": _ATTRIBUTES,
    "gradient_reversal": {**_ATTRIBUTES, "alpha_ramp": "constant"},
    "adversarial_discriminator": _ATTRIBUTES,
}


def main() -> None:
    """Prints a line for each method."""
    this = argparse.ArgumentParser(description="A step of the loop against one written by hand.")
    this.add_argument("--methods", nargs="+", choices=list(LOOPS), default=list(LOOPS), help="default: all")
    this.add_argument("--repetitions", type=int, default=9, help="of either (default 9)")
    this.add_argument(
        "--same-memory", action="store_true", help="memory that is freed stays with the loop by hand, too"
    )
    given = this.parse_args()
    prepare_process()
    print(f"{'method':>14} {'by hand, ms a step':>26} {'the loop, ms a step':>26} {'by hand / the loop':>26}")
    for name in given.methods:
        check(name)
        columns = measure(name, given.repetitions, given.same_memory)
        print(f"{name:>14} " + " ".join(f"{_spread(values):>26}" for values in columns), flush=True)
        memory = ", which keeps its memory" if given.same_memory else ""
        note(f"a step of {name}", f"a loop by hand{memory}", "0.98 on a CPU", columns[2])


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

    LOOPS[name](networks, Data(training, steps), range(steps), seed, training.policy.learning_rate)
    for (weight, value), other in zip(
        networks.state_dict().items(), training.modules.state_dict().values(), strict=True
    ):
        assert torch.equal(value, other), f"{name}: the two loops differ in {weight}"


def measure(name: str, repetitions: int, same_memory: bool) -> tuple[list[float], list[float], list[float]]:
    """Milliseconds a step by hand and of the loop, and their ratios."""
    training, by_hand, by_loop = make_training(name), [], []
    begun = time.perf_counter()
    _epochs(training, 1)
    epochs = max(1, round(_SECONDS / (time.perf_counter() - begun)))
    steps = training.steps_per_epoch * epochs
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as author:
        for number in range(-1, repetitions):
            hand = author.submit(_seconds_by_hand, name, epochs, same_memory).result()
            begun = time.perf_counter()
            _epochs(training, epochs)
            if number >= 0:  # the first of each warms up
                by_hand.append(1000 * hand / steps)
                by_loop.append(1000 * (time.perf_counter() - begun) / steps)
    return by_hand, by_loop, [hand / loop for hand, loop in zip(by_hand, by_loop, strict=True)]


@lru_cache
def _prepared(name: str, same_memory: bool) -> tuple[nn.ModuleDict, Data, int, float]:
    """What a loop by hand begins with, in its own process."""
    with nullcontext() if same_memory else patch("data_prep.heap.keep"):
        prepare_process()
    training = make_training(name)
    steps = training.steps_per_epoch
    return training.modules.train(), Data(training, steps), steps, training.policy.learning_rate


def _seconds_by_hand(name: str, epochs: int, same_memory: bool) -> float:
    """What so many epochs take, each with the batches of the first."""
    networks, data, steps, rate = _prepared(name, same_memory)
    begun = time.perf_counter()
    LOOPS[name](networks, data, [*range(steps)] * epochs, lambda turn: None, rate)
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
