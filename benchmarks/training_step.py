"""What the one loop costs a step: ``python benchmarks/training_step.py [--repetitions 9] [--methods cnn dann]``.

A step of the project's loop (:class:`trainables.loop.Training`: batches gathered, standardised and cut, named random
streams, turns, schedules, optimisers) against a loop written by hand for that one method in plain PyTorch. The
hand-written one (``_by_hand.py``) has what its author would prepare: padded, standardised tensors in memory, the order of
all batches drawn beforehand, fused optimisers. Both begin with the same weights; before anything is timed they take the
same steps, with the same random draws, and must have the same weights, bit for bit.

A repetition is two new processes, one for either loop, which take turns of half a second, or of an epoch where that is
longer and not twice as long: where a process has its memory makes it faster or slower than another of the same loop, by a tenth
and more, for as long as it lives. The loop by hand has the C library as it is: that memory which is freed stays with the
process (:mod:`data_prep.heap`) is the project's doing. With ``--same-memory`` it stays with that process, too, and what is
left is the loop's own cost.

The data is noise (1,200 and 1,000 utterances, about as many as RAVDESS has, of 100 to 300 frames, or of one where the feature
has no more); one thread. Epochs have 30 steps (10 with ``pseudo_label``), of which the first plans all; validation, which is no
step, is in neither. A line is a method: milliseconds a step, median and range over the repetitions, and the ratio of the two,
of each pair: 1 is as fast as by hand.
"""

from __future__ import annotations

import argparse
import copy
import multiprocessing
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from multiprocessing.connection import Connection
from typing import Any
from unittest.mock import patch

import torch
from _by_hand import LOOPS, Data
from _runs import make_run
from _table import note

from trainables.loop import Training
from trainables.streams import stream_seed
from trainables.trainable import prepare_process

_TURNS, _SECONDS = 4, 0.5  # of either loop in a repetition, and of a turn
_WARM = 3  # steps that warm up, and as many by which a turn's are counted
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


def check(name: str) -> None:
    """An epoch and a half of both from the same first weights must end with the same ones."""
    training = make_training(name)
    networks, steps = copy.deepcopy(training.modules).train(), training.steps_per_epoch * 3 // 2
    for _ in range(steps):
        training.take_step()

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
    epoch = make_training(name).steps_per_epoch
    with _process(_step_by_hand, name, same_memory) as by_hand, _process(_step_by_loop, name) as by_loop:
        both = (by_hand, by_loop)
        for each in both:
            each.send(_WARM)
        for each in both:
            each.recv()
        steps = max(1, round(_SECONDS * _WARM / min(_take_turn(each, _WARM) for each in both)))
        if 2 * steps > epoch:
            steps = max(1, round(steps / epoch)) * epoch
        turns = [[_take_turn(each, steps) for each in both] for _ in range(_TURNS)]
    hand, loop = (1000 * sum(seconds) / (_TURNS * steps) for seconds in zip(*turns, strict=True))
    return hand, loop


@contextmanager
def _process(work: Callable[..., None], *given: Any) -> Iterator[Connection]:
    """A new process that steps as often as it is told, and tells how many seconds that took; it ends when told 0."""
    fresh = multiprocessing.get_context("spawn")
    here, there = fresh.Pipe()
    process = fresh.Process(target=work, args=(there, *given), daemon=True)
    process.start()
    there.close()  # so that an error there is the end of what can be received
    yield here
    here.send(0)
    process.join()


def _take_turn(process: Connection, steps: int) -> float:
    """The seconds that so many steps take there."""
    process.send(steps)
    return float(process.recv())


def _numbers(caller: Connection) -> Iterator[int]:
    """The numbers of the steps to take, from 0, turn by turn; tells the seconds of each turn."""
    first = 0
    while count := caller.recv():
        begun = time.perf_counter()
        yield from range(first, first + count)
        caller.send(time.perf_counter() - begun)
        first += count


def _step_by_hand(caller: Connection, name: str, same_memory: bool) -> None:
    """Steps whose batches are those of the first epoch again and again."""
    with nullcontext() if same_memory else patch("data_prep.heap.keep"):
        prepare_process()
    training = make_training(name)
    epoch, networks = training.steps_per_epoch, training.modules.train()
    data, numbers = Data(training, epoch), (number % epoch for number in _numbers(caller))
    LOOPS[name](networks, data, numbers, lambda turn: None, training.policy.learning_rate)


def _step_by_loop(caller: Connection, name: str) -> None:
    prepare_process()
    training = make_training(name)
    for _ in _numbers(caller):
        training.take_step()


def _spread(values: list[float]) -> str:
    return f"{statistics.median(values):.3f} ({min(values):.3f} to {max(values):.3f})"


if __name__ == "__main__":
    main()
