"""What PyTorch offers to make a training step faster, tried: ``python benchmarks/variants.py [--methods cnn dann]``.

Steps of the loop as it is (:class:`trainables.loop.Training`: fused optimisers, single precision, no compiler) against steps
of the same run with one thing changed, in turn, on noise, on one thread of a CPU or on a GPU (``--device cuda``):

- ``unfused``: optimisers that go through weights operator by operator, PyTorch's default;
- ``bfloat16``: forward passes in mixed precision (``torch.autocast``);
- ``compiled``: networks through ``torch.compile``, on a GPU with CUDA graphs (``reduce-overhead``).

A line is a method and a change: milliseconds a step, and how many times as fast as without it, median and range over
repetitions; then the seconds that its first step took longer, and after how many steps that has been won back. What is not
``as it is`` gives other numbers, in the last bits or well before.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterator

import torch
from _runs import make_run
from _table import note

from trainables import methods
from trainables.loop import Training
from trainables.trainable import prepare_process

METHODS = ("cnn", "addi", "dann", "pseudo_label")
_PLAIN = "as it is"


def main() -> None:
    """Prints a line for each method and change."""
    this = argparse.ArgumentParser(description="What PyTorch offers to make a training step faster, tried.")
    this.add_argument(
        "--methods", nargs="+", choices=methods.known(), default=list(METHODS), help="default: four kinds"
    )
    this.add_argument("--repetitions", type=int, default=9, help="of each (default 9)")
    this.add_argument("--steps", type=int, default=10, help="in a repetition (default 10)")
    this.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu", help="cpu or cuda")
    given = this.parse_args()
    prepare_process()
    print(
        f"{'method':>14} {'change':>10} {'ms a step':>26} {'times as fast':>22} {'first step, s':>14} {'won back':>14}"
    )
    for name in given.methods:
        for line in compared(name, given.device, given.repetitions, given.steps):
            print(f"{name:>14} {line}", flush=True)


def compared(name: str, device: str, repetitions: int, steps: int) -> Iterator[str]:
    """A line for each change to a method's run."""
    step = {change: prepare(make_run(name, device=device), device) for change, prepare in CHANGES.items()}
    first = {change: _seconds(take, device) for change, take in step.items()}
    for take in step.values():  # what comes late: autotuning, a second compilation, graphs that are recorded
        _seconds(lambda take=take: [take() for _ in range(3)], device)
    spent: dict[str, list[float]] = {change: [] for change in step}
    for _ in range(repetitions):
        for change, take in step.items():
            spent[change].append(_seconds(lambda take=take: [take() for _ in range(steps)], device) / steps)
    plain = spent[_PLAIN]
    for change, seconds in spent.items():
        ratios = [before / after for before, after in zip(plain, seconds, strict=True)]
        if change != _PLAIN:
            note(f"a step of {name}, {change}, {device}", "the loop as it is", "", ratios)
        longer, saved = max(0.0, first[change] - first[_PLAIN]), statistics.median(plain) - statistics.median(seconds)
        back = "" if change == _PLAIN else f"{longer / saved:,.0f} steps" if saved > 0 else "never"
        yield (
            f"{change:>10} {_spread([1000 * each for each in seconds]):>26} {_spread(ratios):>22} "
            f"{first[change]:>14.2f} {back:>14}"
        )


def _plain(run: Training, device: str) -> Callable[[], None]:
    return run.take_step


def _unfused(run: Training, device: str) -> Callable[[], None]:
    for name, optimiser in run.optimisers.items():
        given = {**optimiser.defaults, "fused": None}
        run.optimisers[name] = type(optimiser)(optimiser.param_groups[0]["params"], **given)
    return run.take_step


def _in_bfloat16(run: Training, device: str) -> Callable[[], None]:
    def take() -> None:
        with torch.autocast(device, torch.bfloat16):
            run.take_step()

    return take


def _compiled(run: Training, device: str) -> Callable[[], None]:
    for network in run.networks.values():
        network.compile(mode="reduce-overhead" if device == "cuda" else "default")
    return run.take_step


CHANGES: dict[str, Callable[[Training, str], Callable[[], None]]] = {
    _PLAIN: _plain,
    "unfused": _unfused,
    "bfloat16": _in_bfloat16,
    "compiled": _compiled,
}


def _seconds(work: Callable[[], object], device: str) -> float:
    begun = time.perf_counter()
    work()
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - begun


def _spread(values: list[float]) -> str:
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


if __name__ == "__main__":
    main()
