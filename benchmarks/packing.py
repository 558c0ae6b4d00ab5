"""What it saves to train runs as one batch: ``python benchmarks/packing.py [--runs 10 64] [--methods cnn addi]``.

So many runs of one method, under seeds of their own, are trained for some steps: one after another, and as one batch
(:class:`trainables.replicas.Pack`). Both do the same steps: batches drawn and gathered, every player's turns, optimisers.
Validation, which is each run's own either way, is in neither. First both must have the same losses in two steps, up to rounding.

The data is noise (240 and 200 utterances of 100 to 300 frames). On a GPU (``--device cuda``) or on one thread of a CPU. A
line is a method and a number of runs: milliseconds for a step of all of them, median and range over repetitions that take
turns, their ratio, and how many operators PyTorch runs for it: what a GPU, which is waiting for the next one most of the
time, is kept waiting by.
"""

from __future__ import annotations

import argparse
import statistics
import time
import warnings
from collections.abc import Callable
from typing import Any

import torch
from _runs import make_run
from _table import note
from torch.utils._python_dispatch import TorchDispatchMode

from trainables.replicas import Pack
from trainables.trainable import prepare_process

METHODS = ("cnn", "addi", "dann", "pseudo_label")
# By the number of runs: what a GPU of H100's class is to reach.
_AIMS = {10: "6 times on a GPU", 64: "20 times on a GPU"}


def main() -> None:
    """Prints a line for each method and number of runs."""
    this = argparse.ArgumentParser(description="Runs trained as one batch against one after another.")
    this.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS), help="default: all of them")
    this.add_argument("--runs", nargs="+", type=int, default=[10], help="how many at a time (default 10)")
    this.add_argument("--steps", type=int, default=3, help="steps timed in a repetition (default 3)")
    this.add_argument("--repetitions", type=int, default=5, help="of each (default 5)")
    this.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu", help="cpu or cuda")
    given = this.parse_args()
    warnings.filterwarnings("ignore", message="There is a performance drop")
    prepare_process()
    print(f"{'method':>14} {'runs':>5} {'one by one, ms':>24} {'one batch, ms':>24} {'ratio':>22} {'operators':>18}")
    for name in given.methods:
        for runs in given.runs:
            check(name, runs, given.device)
            measured = Measured(name, runs, given.steps, given.device)
            columns = measured.repeat(given.repetitions)
            alone, packed = measured.operators()
            print(
                f"{name:>14} {runs:>5} {_spread(columns[0]):>24} {_spread(columns[1]):>24} {_spread(columns[2], 2):>22} "
                f"{alone:>7} / {packed} = {alone / packed:.1f}",
                flush=True,
            )
            what = f"{runs} runs of {name} as one batch, {given.device}"
            note(what, "one after another", _AIMS.get(runs, ""), columns[2])


class Measured:
    """The same runs twice, for either way of training them."""

    def __init__(self, name: str, runs: int, steps: int, device: str) -> None:
        self._alone, self._packed = both_ways(name, runs, device)
        self._steps, self._device = steps, device

    def repeat(self, repetitions: int) -> tuple[list[float], list[float], list[float]]:
        """Milliseconds a step of all runs, one by one and as one batch, and their ratios."""
        alone, packed = [], []
        for number in range(-1, repetitions):
            first, second = self._clock(self._one_by_one), self._clock(self._as_one_batch)
            if number >= 0:  # the first of each warms up
                alone.append(first)
                packed.append(second)
        return alone, packed, [one / batch for one, batch in zip(alone, packed, strict=True)]

    def operators(self) -> tuple[int, int]:
        """How many operators run in a step of all runs, one by one and as one batch: an epoch's mean."""
        steps = self._packed[0].runs[0].steps_per_epoch
        alone, packed = (_count(lambda way=way: train_steps(way, steps)) for way in (self._alone, self._packed))
        return round(alone / steps), round(packed / steps)

    def _one_by_one(self) -> None:
        train_steps(self._alone, self._steps)

    def _as_one_batch(self) -> None:
        train_steps(self._packed, self._steps)

    def _clock(self, work: Callable[[], None]) -> float:
        begun = time.perf_counter()
        work()
        if self._device == "cuda":
            torch.cuda.synchronize()
        return 1000 * (time.perf_counter() - begun) / self._steps


def train_steps(packs: list[Pack], steps: int) -> None:
    """Some steps of some batches, one batch after another."""
    for pack in packs:
        for _ in range(steps):
            pack.step()


def check(name: str, runs: int, device: str) -> None:
    """Two steps either way from the same first weights must give the same losses, up to rounding."""
    losses = []
    for packs in both_ways(name, runs, device):
        train_steps(packs, 2)
        runs_losses = [told for pack in packs for run in pack.runs for told in run.losses.values()]
        losses.append(torch.stack([loss for told in runs_losses for loss in told]))
    torch.testing.assert_close(*losses, rtol=1e-3, atol=1e-4)


def both_ways(name: str, runs: int, device: str) -> tuple[list[Pack], list[Pack]]:
    """The same runs, each by itself and all in one batch."""
    alone, packed = ([make_run(name, seed=seed, device=device) for seed in range(runs)] for _ in range(2))
    return [Pack([run]) for run in alone], [Pack(packed)]


def _spread(values: list[float], digits: int = 1) -> str:
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def _count(work: Callable[[], None]) -> int:
    with _Counter() as counter:
        work()
    return counter.count


class _Counter(TorchDispatchMode):
    count = 0

    def __torch_dispatch__(self, function: Any, types: Any, arguments: Any = (), named: Any = None) -> Any:
        self.count += 1
        return function(*arguments, **(named or {}))


if __name__ == "__main__":
    main()
