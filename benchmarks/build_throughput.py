"""How much of the machine a build uses: ``python benchmarks/build_throughput.py [--hours 100] [--feature mfb40 ...]``.

Builds a store of so many hours of speech (the small demo corpora, repeated) and computes the same features of a part of
them in a plain loop in one process, before the build and after it. Throughput is in hours of speech per hour of one
core; the ratio, build over loop, is what Ray Data, hashing, planning and the store's files leave of a core. Memory is
what a worker holds for itself at its peak (RssAnon of Linux), the shared object store not counted.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch

from data_prep import audio, demo, features
from data_prep.build import build
from data_prep.cores import join

_ROWS = 256


def main() -> None:
    """Prints a line for each feature."""
    this = argparse.ArgumentParser(description="A build of a feature store against a plain loop, per core.")
    this.add_argument("--hours", type=float, default=1.0, help="hours of speech to build (default 1)")
    this.add_argument("--feature", action="append", choices=features.known(), help="default: mfb40")
    given = this.parse_args()
    torch.set_num_threads(1)
    join(None)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        demo.speak(folder / "speech")
        files = sorted((folder / "speech").rglob("*.wav"))
        manifest, hours = write_manifest(folder / "repeated.csv", files, given.hours)
        print(
            f"{hours:.1f} h of speech, {os.cpu_count()} cores; x real time per core, and MiB of a worker's own memory"
        )
        print(f"{'feature':>18} {'loop':>8} {'build':>8} {'ratio':>6} {'MiB':>6}")
        for name in given.feature or ["mfb40"]:
            part = list(itertools.islice(itertools.cycle(files), loop_length(name, files)))
            loops = [per_core(lambda part=part, name=name: loop(part, name, folder / "loop"))]
            build(
                folder / f"warm-{name}",
                {"warm": write_manifest(folder / "warm.csv", files[:64], 0)[0]},
                [name],
                quiet=True,
            )
            with peak_memory() as peak:
                built = per_core(lambda name=name: whole(folder / name, manifest, name, hours)) / (os.cpu_count() or 1)
            loops.append(per_core(lambda part=part, name=name: loop(part, name, folder / "loop")))
            mean = statistics.fmean(loops)
            print(f"{name:>18} {mean:8.0f} {built:8.0f} {built / mean:6.2f} {peak():6.0f}", flush=True)


def write_manifest(path: Path, files: list[Path], hours: float) -> tuple[Path, float]:
    """A manifest that names the files again and again until there are so many hours, and how many there are."""
    lengths = {file: len(audio.decode(file.read_bytes(), 16000)[0]) / 16000 / 3600 for file in files}
    total = 0.0
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["utterance_id", "audio", "speaker"])
        for number, wav in enumerate(itertools.cycle(files)):
            if total >= hours and number >= len(files):
                break
            rows.writerow([f"u{number:08d}", wav, wav.parent.name])
            total += lengths[wav]
    return path, total


def loop_length(name: str, files: list[Path]) -> int:
    """How many utterances keep the loop busy for some ten seconds."""
    started = time.perf_counter()
    for path in files[:32]:
        compute(path, name)
    return max(64, round(320 / (time.perf_counter() - started)))


def compute(path: Path, name: str) -> tuple[np.ndarray, float]:
    """The features of a file, and its seconds: what anyone's loop does."""
    kind = features.load(name)
    waveform, seconds = audio.decode(path.read_bytes(), kind.sample_rate)
    return kind.compute(waveform), seconds


def loop(files: list[Path], name: str, folder: Path) -> float:
    """Hours of speech that a loop computes and writes, a Parquet file for every 256 utterances."""
    folder.mkdir(exist_ok=True)
    total = 0.0
    for start in range(0, len(files), _ROWS):
        rows = [compute(path, name) for path in files[start : start + _ROWS]]
        total += sum(seconds for _, seconds in rows)
        table = pa.table({"features": [values.reshape(-1) for values, _ in rows]})
        pq.write_table(table, folder / f"{start}.parquet", compression="zstd")
    return total / 3600


def whole(store: Path, manifest: Path, name: str, hours: float) -> float:
    """Hours of speech that a build puts into a store."""
    build(store, {"repeated": manifest}, [name], quiet=True)
    return hours


def per_core(work: Callable[[], float]) -> float:
    """Hours of speech done in an hour of the clock."""
    started = time.perf_counter()
    return 3600 * work() / (time.perf_counter() - started)


@contextmanager
def peak_memory() -> Iterator[Callable[[], float]]:
    """The most MiB that any one Ray worker of this machine has for itself while the block runs."""
    peak, ended = 0.0, threading.Event()

    def watch() -> None:
        nonlocal peak
        while not ended.wait(0.5):
            peak = max([peak, *_workers()])

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield lambda: peak
    finally:
        ended.set()
        thread.join()


def _workers() -> Iterator[float]:
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if (folder / "cmdline").read_bytes().startswith(b"ray::"):
                status = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines())
                yield int(status["RssAnon"].split()[0]) / 1024
        except (OSError, KeyError):
            continue  # it has just ended


if __name__ == "__main__":
    sys.exit(main())
