"""Where a training step's time goes, and how far it is from the machine's limit: ``python benchmarks/arithmetic.py``.

A run of one method of each kind is trained for some steps on noise (240 and 200 utterances of 100 to 300 frames), on one
thread of a CPU or on a GPU (``--device cuda``). A line is a method: milliseconds a step, its floating-point operations
(:class:`torch.utils.flop_counter.FlopCounterMode`: products and convolutions, forward and back), how many a second that
is, and what share that is of the machine's limit, which is what a large product of matrices reaches in the same run. Then
its operators by the time they took themselves, as PyTorch's profiler sees them; ``the rest`` is Python and what is called
from it between two operators.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from _runs import make_run
from _table import note
from torch.profiler import ProfilerActivity, profile
from torch.utils.flop_counter import FlopCounterMode

from trainables import methods
from trainables.loop import Training
from trainables.trainable import prepare_process

# A game of four players, a gradient reversal, pseudo-labels on 2-D convolutions, a recurrent network.
METHODS = ("cnn", "addi", "dann", "pseudo_label", "cnn_lstm")
_SHOWN = 6
_SIDE = 2048


def main() -> None:
    """Prints the machine's limit, and some lines for each method."""
    this = argparse.ArgumentParser(description="Time and floating-point operations of a training step.")
    this.add_argument(
        "--methods", nargs="+", choices=methods.known(), default=list(METHODS), help="default: five kinds"
    )
    this.add_argument("--steps", type=int, default=20, help="timed, of each method (default 20)")
    this.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu", help="cpu or cuda")
    given = this.parse_args()
    prepare_process()
    device = given.device
    limit = peak(device)
    print(f"a product of matrices of {_SIDE} x {_SIDE}: {limit / 1e9:.1f} GFLOP/s")
    print(f"{'method':>14} {'ms a step':>24} {'GFLOP a step':>13} {'GFLOP/s':>9} {'of the limit':>13}")
    for name in given.methods:
        run = make_run(name, device=device)
        run.take_step()
        seconds = [_seconds(run.take_step, device) for _ in range(given.steps)]
        with FlopCounterMode(display=False) as counted:
            run.take_step()
        work, middle = counted.get_total_flops(), statistics.median(seconds)
        note(f"GFLOP/s of {name}, {device}", "a product of matrices", "", [work / each / limit for each in seconds])
        spread = f"{1000 * middle:.1f} ({1000 * min(seconds):.1f} to {1000 * max(seconds):.1f})"
        print(f"{name:>14} {spread:>24} {work / 1e9:>13.2f} {work / middle / 1e9:>9.1f} {work / middle / limit:>12.0%}")
        for operator, share in profiled(run, given.steps, device):
            print(f"{'':>14} {share:>6.1%} {operator}", flush=True)


def peak(device: str) -> float:
    """Floating-point operations a second of a large product in single precision."""
    left, right = torch.randn(2, _SIDE, _SIDE, device=device)
    return 2 * _SIDE**3 / min(_seconds(lambda: left @ right, device) for _ in range(10))


def profiled(run: Training, steps: int, device: str) -> list[tuple[str, float]]:
    """The operators that take the most of some steps' time, each with its share, and the share of all else."""
    activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if device == "cuda" else [])]
    with profile(activities=activities) as seen:
        whole = _seconds(lambda: [run.take_step() for _ in range(steps)], device)
    timed = sorted(
        ((event.self_cpu_time_total / 1e6 / whole, event.key) for event in seen.key_averages()), reverse=True
    )
    named = [(key, share) for share, key in timed if key.startswith(("aten::", "torch::", "mkldnn"))]
    rest = [("other operators", sum(share for _, share in named[_SHOWN:])), ("the rest", 1 - sum(s for _, s in named))]
    return named[:_SHOWN] + rest


def _seconds(work: Callable[[], object], device: str) -> float:
    begun = time.perf_counter()
    work()
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - begun


if __name__ == "__main__":
    main()
