"""What the one loop costs a step: ``python benchmarks/training_step.py [--repetitions 9] [--methods cnn dann]``.

A step of the project's loop (:class:`trainables.loop.Training`: batches gathered, standardised and cut, named random
streams, turns, schedules, optimisers) against a loop written by hand for that one method in plain PyTorch. The
hand-written one (``_by_hand.py``) has what its author would prepare: padded, standardised tensors in memory, the order of
all batches drawn beforehand, fused optimisers. Both begin with the same weights; before anything is timed they take the
same steps, with the same random draws, and must have the same weights, bit for bit.

A repetition is two new processes, one for either loop, which take turns of half a second: where a process has its memory
makes it faster or slower than another of the same loop, by a tenth and more, for as long as it lives. The loop by hand has
the C library as it is: that memory which is freed stays with the process (:mod:`data_prep.heap`) is the project's doing. With
``--same-memory`` it stays with that process, too, and what is left is the loop's own cost.

The data is noise (1,200 and 1,000 utterances, as RAVDESS has, of 100 to 300 frames, or of one where the feature has no
more); one thread. Epochs have 30 steps, of which the first plans all; validation, which is no step, is in neither. A line is
a method: milliseconds a step, median and range over the repetitions, and the ratio of the two, of each pair: 1 is as fast as
by hand.
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
from trainables.streams import stream_seed
from trainables.trainable import prepare_process

_TURNS, _SECONDS = 4, 0.5  # of either loop in a repetition, and of a turn
_SIZES = (1200, 1000)
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
    """A run that takes steps for ever."""
    return make_run(name, sizes=_SIZES, **_GIVEN.get(name, {}))


def take(training: Training, steps: int) -> None:
    """So many steps."""
    for _ in range(steps):
        training.take_step()


def check(name: str) -> None:
    """An epoch and a half of both from the same first weights must end with the same ones."""
    training = make_training(name)
    networks, steps = copy.deepcopy(training.modules).train(), training.steps_per_epoch * 3 // 2
    take(training, steps)

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
    by_hand, by_loop = zip(*(_repetition(name, same_memory) for _ in range(repetitions)), strict=True)
    return list(by_hand), list(by_loop), [hand / loop for hand, loop in zip(by_hand, by_loop, strict=True)]


def _repetition(name: str, same_memory: bool) -> tuple[float, float]:
    """Milliseconds a step by hand and of the loop, each in a process of its own."""
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, fresh) as author, ProcessPoolExecutor(1, fresh) as project:
        warm = [author.submit(_take_by_hand, name, range(3), same_memory), project.submit(_take_by_loop, name, 3)]
        steps = max(1, round(_SECONDS / (min(each.result() for each in warm) / 3)))
        hand = loop = 0.0
        for turn in range(_TURNS):
            numbers = range(3 + turn * steps, 3 + (turn + 1) * steps)
            hand += author.submit(_take_by_hand, name, numbers, same_memory).result()
            loop += project.submit(_take_by_loop, name, steps).result()
    return 1000 * hand / (_TURNS * steps), 1000 * loop / (_TURNS * steps)


@lru_cache
def _by_hand(name: str, same_memory: bool) -> tuple[nn.ModuleDict, Data, int, float]:
    """What a loop by hand begins with, in its own process."""
    with nullcontext() if same_memory else patch("data_prep.heap.keep"):
        prepare_process()
    training = make_training(name)
    steps = training.steps_per_epoch
    return training.modules.train(), Data(training, steps), steps, training.policy.learning_rate


def _take_by_hand(name: str, numbers: range, same_memory: bool) -> float:
    """The seconds that steps take, whose batches are those of the first epoch again and again."""
    networks, data, steps, rate = _by_hand(name, same_memory)
    begun = time.perf_counter()
    LOOPS[name](networks, data, [number % steps for number in numbers], lambda turn: None, rate)
    return time.perf_counter() - begun


@lru_cache
def _by_loop(name: str) -> Training:
    """The same of the project's loop."""
    prepare_process()
    return make_training(name)


def _take_by_loop(name: str, steps: int) -> float:
    """The seconds that steps take."""
    training = _by_loop(name)
    begun = time.perf_counter()
    take(training, steps)
    return time.perf_counter() - begun


def _spread(values: list[float]) -> str:
    return f"{statistics.median(values):.3f} ({min(values):.3f} to {max(values):.3f})"


if __name__ == "__main__":
    main()
