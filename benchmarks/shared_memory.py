"""What features take of a node's memory: ``python benchmarks/shared_memory.py [--workers 1 2 4] [--mebibytes 1024]``.

A task's features of so many MiB are put into Ray's shared memory once, as a sweep does, and so many workers each make a
run ready on them: split, standardisation, networks, a step trained. Then each says what it holds. A line is a number of
workers: MiB that all of them hold for themselves (RssAnon of Linux), what each more of them added, MiB of the features
that a worker has mapped, and what Ray's object store holds: the features count once if that stays as it is.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import ray
from _table import note

from data_prep import cores
from trainables.config import TaskConfig, TrialConfig
from trainables.data import Domain, TaskData, draw
from trainables.loop import Training

MIB = 2**20
FRAMES, DIMENSIONS = 300, 40
TASK = TaskConfig(sources=("source",), targets=("target",))


def main() -> None:
    """Prints a line for each number of workers."""
    this = argparse.ArgumentParser(description="Memory of several workers on the same features.")
    this.add_argument("--workers", nargs="+", type=int, default=[1, 2, 4], help="default: 1 2 4")
    this.add_argument("--mebibytes", type=int, default=1024, help="of features (default 1024)")
    given = this.parse_args()
    cores.join(None)
    utterances = given.mebibytes * MIB // (2 * 4 * FRAMES * DIMENSIONS)
    data = ray.put(TaskData(_noise("source", utterances), _noise("target", utterances), ("angry", "sad")))
    print(f"{given.mebibytes} MiB of features")
    print(f"{'workers':>8} {'their own, MiB':>15} {'one more, MiB':>14} {'mapped, MiB':>12} {'object store, MiB':>18}")
    before, workers, stored = 0.0, [], list[float]()
    for count in sorted(given.workers):
        added = count - len(workers)
        workers += [ray.remote(num_cpus=0)(Worker).remote() for _ in range(added)]
        held = ray.get([worker.train.remote(data) for worker in workers])
        own, mapped = sum(anonymous for anonymous, _ in held) / MIB, max(shared for _, shared in held) / MIB
        there = ray.cluster_resources()["object_store_memory"] - ray.available_resources()["object_store_memory"]
        print(
            f"{count:>8} {own:>15.0f} {(own - before) / added:>14.0f} {mapped:>12.0f} {there / MIB:>18.0f}", flush=True
        )
        before = own
        stored.append(there)
        against = f"{min(given.workers)} worker(s)"
        note(f"object store with {count} workers", against, "features counted once", [there / stored[0]])
    ray.shutdown()


class Worker:
    """A process as a sweep's trials have it."""

    def train(self, data: TaskData) -> tuple[int, int]:
        """Trains a step; bytes of memory that are its own, and that are shared."""
        config = TrialConfig(
            method="cnn",
            task=TASK,
            hyperparameters={"learning_rate": 1e-3, "batch_size": 32},
            epochs=1,
            seed=0,
            data="noise",
        )
        self.run = Training(config, draw(data, TASK, 0)[0])
        self.run.take_step()
        status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
        return tuple(1024 * int(status[name].split()[0]) for name in ("RssAnon", "RssShmem"))


def _noise(name: str, count: int) -> Domain:
    rng = np.random.default_rng(0)
    return Domain(
        values=rng.standard_normal((count * FRAMES, DIMENSIONS), dtype=np.float32),
        starts=np.arange(count + 1) * FRAMES,
        corpora=(name,) * count,
        utterances=tuple(f"{name}/{number}" for number in range(count)),
        speakers=tuple(f"{name}/{number % 8}" for number in range(count)),
        labels=np.arange(count) % 2,
    )


if __name__ == "__main__":
    main()
