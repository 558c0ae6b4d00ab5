"""How much of the machine a build uses: ``python benchmarks/build_throughput.py [--hours 10] [--features mfb40 ...]``.

Builds a store of so many hours of speech as the command does, Ray's start and end included, and does the same work on a
part of them in a plain loop in one process, before each build and after it: read audio, compute, write Parquet. The
build's extra work (digests, labels, quarantine, manifest) is a loss, and so is every core that stands idle. The speech is
that of the small demo corpora, put together to utterances as long as LibriSpeech's (``--seconds``), again and again.

Machines are shared, so the measure is the cores' time. The loop's is its CPU time. The build's is what its processes
used and what no one used: the CPU time of all of them (driver, workers, Ray's own) and the idle time of all cores from
its beginning to its end, of Linux's ``/proc``. That equals cores times clock on a machine with nothing else to do. On a
busy one, where others take the cores that a build leaves idle, its waiting is not seen: look at ``others``, their share
of the cores, and do not believe a figure where it is large. ``clock`` is the ratio by the clock alone, which others spoil.

A line is a build, and the last of a feature the median of its builds and their range:

- loop, build: hours of speech per hour of one core (times real time); ratio: build over loop; loops: of such loops when
  each core has one, which share caches and memory as the build's workers do;
- where the rest of the cores' time went, in per cent: ``plan`` (the corpus read, shards made), ``start`` (of Ray and the
  first worker, until it has computed something), ``work`` (shards, beyond what the loop takes for as much: digests, rows),
  ``write`` (of Parquet, beyond the loop's; less than 0 is a gain), ``wait`` (from the first shard to the last: cores that
  compute nothing, Ray's and the driver's own work, the other workers' start), ``end`` (manifest, data sheet, Ray's end);
- MiB: the most that a worker holds for itself (RssAnon of Linux), the shared object store not counted.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import multiprocessing
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import soundfile
import torch
from _table import note

from data_prep import audio, cores, demo, features, plan, shards
from data_prep import build as command
from data_prep.shards import Shard, ShardResult

_CORES = os.cpu_count() or 1
_LOST = ("plan", "start", "work", "write", "wait", "end")
_COLUMNS = ("loop", "loops", "build", "ratio", "clock", *_LOST, "others", "MiB")
_LIBRISPEECH = 12.7  # seconds: train-clean-100 has 28,539 utterances in 100.6 hours
_FILES = 400  # that are repeated


def main() -> None:
    """Prints a line for each build, and one for each feature."""
    this = argparse.ArgumentParser(description="A build of a feature store against a plain loop, per core.")
    this.add_argument("--hours", type=float, default=1.0, help="hours of speech to build (default 1)")
    this.add_argument("--features", nargs="+", choices=features.known(), default=["mfb40"], metavar="NAME")
    this.add_argument("--repetitions", type=int, default=3, help="builds of each feature (default 3)")
    this.add_argument(
        "--seconds",
        type=float,
        default=_LIBRISPEECH,
        help="of an utterance (default 12.7, LibriSpeech's mean); 0: the demo's",
    )
    given = this.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        demo.speak(folder / "speech")
        files = sorted((folder / "speech").rglob("*.wav"))
        if given.seconds:
            files = lengthened(files, folder / "lengthened", given.seconds)
        manifest, hours = write_manifest(folder / "repeated.csv", files, given.hours)
        print(f"{hours:.1f} h of speech, {round(hours * 3600 / mean_seconds(files))} utterances, {_CORES} cores")
        print(f"{'feature':>18} {'s':>7}" + "".join(f"{name:>8}" for name in _COLUMNS))
        for name in given.features:
            rows = []
            for number in range(given.repetitions):
                rows.append(compared(name, files, manifest, hours, folder / f"{name}-{number}"))
                show(name, rows[-1])
            show("median", {column: statistics.median(row[column] for row in rows) for column in rows[0]})
            ratios = [row["ratio"] for row in rows]
            note(f"a build of {hours:.0f} h of {name}, per core", "a plain loop", "0.9", ratios)
            print(
                f"{name:>18} ratio {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})", flush=True
            )


def show(name: str, row: dict[str, float]) -> None:
    """Prints a line."""
    digits = {"ratio": 2, "clock": 2, **dict.fromkeys((*_LOST, "others"), 1)}
    cells = "".join(f"{row[column]:8.{digits.get(column, 0)}f}" for column in _COLUMNS)
    print(f"{name:>18} {row['s']:7.1f}{cells}", flush=True)


def compared(name: str, files: list[Path], manifest: Path, hours: float, folder: Path) -> dict[str, float]:
    """A build between two loops."""
    folder.mkdir()
    part = list(itertools.islice(itertools.cycle(files), loop_length(name, files)))
    before = loop(part, name, folder)
    built = measured_build(name, manifest, folder)
    after = loop(part, name, folder)
    at_once = loops(part, name, folder)
    seconds, writing = np.mean([before, after], axis=0) * hours  # that the loop would take for all
    lost = {
        "plan": built.plan,
        "start": built.start,
        "work": built.work - (seconds - writing),
        "write": built.write - writing,
        "wait": built.wait,
        "end": built.end,
    }
    return {
        "s": built.clock,
        "loop": 3600 * hours / seconds,
        "loops": 3600 / at_once,
        "build": 3600 * hours / built.total,
        "ratio": seconds / built.total,
        "clock": seconds / (_CORES * built.clock),
        **{what: 100 * spent / built.total for what, spent in lost.items()},
        "others": 100 * (1 - built.total / (_CORES * built.clock)),
        "MiB": built.memory,
    }


def lengthened(files: list[Path], folder: Path, seconds: float) -> list[Path]:
    """Recordings of about so many seconds each, made of those of ``files`` at 16 kHz."""
    folder.mkdir()
    parts, made = itertools.cycle(files), []
    for number in range(_FILES):
        pieces: list[np.ndarray] = []
        while sum(map(len, pieces)) < seconds * 16000:
            pieces.append(audio.decode(next(parts).read_bytes(), 16000)[0])
        made.append(folder / f"{number:03d}.wav")
        soundfile.write(made[-1], np.concatenate(pieces), 16000, subtype="PCM_16")
    return made


def mean_seconds(files: list[Path]) -> float:
    """Of some recordings."""
    return statistics.mean(soundfile.info(file).duration for file in files)


def write_manifest(path: Path, files: list[Path], hours: float) -> tuple[Path, float]:
    """A manifest that names the files again and again until there are so many hours, and how many there are."""
    lengths = {file: len(audio.decode(file.read_bytes(), 16000)[0]) / 16000 / 3600 for file in files}
    total = 0.0
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["utterance_id", "audio", "speaker"])
        for number, wav in enumerate(itertools.cycle(files)):
            if total >= hours:
                break
            rows.writerow([f"u{number:08d}", wav, wav.parent.name])
            total += lengths[wav]
    return path, total


def loop_length(name: str, files: list[Path]) -> int:
    """How many utterances keep the loop busy for some five seconds."""
    kind = features.load(name)
    compute(files[0], kind)
    started = time.process_time()
    for path in files[:32]:
        compute(path, kind)
    return max(64, round(160 / (time.process_time() - started)))


def compute(path: Path, kind: features.Feature) -> tuple[np.ndarray, float]:
    """The features of a file, and its seconds: what anyone's loop does."""
    waveform, seconds = audio.decode(path.read_bytes(), kind.sample_rate)
    return kind.compute(waveform), seconds


def loop(files: list[Path], name: str, folder: Path) -> tuple[float, float]:
    """CPU seconds for an hour of speech, all and those of writing: computed, and a Parquet file for 256 utterances."""
    kind = features.load(name)
    hours, writing, started = 0.0, 0.0, time.process_time()
    for start in range(0, len(files), shards.UTTERANCES):
        rows = [compute(path, kind) for path in files[start : start + shards.UTTERANCES]]
        hours += sum(seconds for _, seconds in rows) / 3600
        began = time.process_time()
        table = pa.table({"features": [values.reshape(-1) for values, _ in rows]})
        pq.write_table(table, folder / "loop.parquet", compression="zstd")
        writing += time.process_time() - began
    return (time.process_time() - started) / hours, writing / hours


def loops(files: list[Path], name: str, folder: Path) -> float:
    """CPU seconds for an hour of speech of as many loops at once as there are cores, the mean."""
    places = [folder / f"core{number}" for number in range(_CORES)]
    for place in places:
        place.mkdir()
    with ProcessPoolExecutor(_CORES, multiprocessing.get_context("spawn"), torch.set_num_threads, (1,)) as pool:
        ready = [pool.submit(loop, files[:64], name, place) for place in places]  # libraries and tables
        wait(ready)
        return statistics.mean(each.result()[0] for each in [pool.submit(loop, files, name, place) for place in places])


@dataclass(frozen=True, kw_only=True)
class Built:
    """What a build took: seconds by the clock, seconds of cores by phase and in all, and a worker's MiB."""

    clock: float
    plan: float
    start: float
    work: float
    write: float
    wait: float
    end: float
    total: float
    memory: float


def measured_build(name: str, manifest: Path, folder: Path) -> Built:
    """Builds a store; the workers note when each shard began and ended, and what it took of their CPU."""
    notes = folder / "notes"
    notes.mkdir()
    planning: list[tuple[float, float]] = []

    class Writer:
        def __call__(self, row: dict[str, Shard]) -> dict[str, ShardResult]:
            return {"result": noted(row["shard"], notes)}

    with ExitStack() as patched:
        patched.enter_context(patch.object(command, "jobs", _timed(command.jobs, planning)))
        patched.enter_context(patch.object(plan.Job, "shards", _timed(plan.Job.shards, planning)))
        patched.enter_context(patch.object(cores, "_Writer", Writer))
        patched.enter_context(patch.dict(os.environ))  # the loops are those of a user who has set nothing
        with watched() as seen:
            began = time.monotonic()
            command.build(folder / "store", {"repeated": manifest}, [name], quiet=True)
            ended = time.monotonic()
    shard = np.concatenate([np.loadtxt(file, ndmin=2) for file in notes.iterdir()])
    first, last = shard[:, 0].min(), shard[:, 1].max()
    busy, write = shard[:, 2].sum(), shard[:, 3].sum()
    planned = sum(seen.spent(*span) for span in planning)
    return Built(
        clock=ended - began,
        plan=planned,
        start=seen.spent(began, first) - planned,
        work=busy - write,
        write=write,
        wait=seen.spent(first, last) - busy,
        end=seen.spent(last, ended),
        total=seen.spent(began, ended),
        memory=seen.memory,
    )


def _timed(function: Callable[..., Any], spans: list[tuple[float, float]]) -> Callable[..., Any]:
    def timed(*given: Any) -> Any:
        began = time.monotonic()
        result = function(*given)
        spans.append((began, time.monotonic()))
        return result

    return timed


def noted(shard: Shard, notes: Path) -> ShardResult:
    """Writes a shard in a worker, and a line: beginning, end, CPU seconds in all, and those of writing Parquet."""
    own = notes / f"{os.getpid()}.txt"
    if not own.exists():  # what the first second takes longer, libraries and tables, is the worker's start
        kind = features.load(shard.feature)
        kind.compute(np.random.default_rng(0).normal(0, 0.1, kind.sample_rate).astype(np.float32))
    writing = 0.0

    def write_tables(*given: Any, **options: Any) -> None:
        nonlocal writing
        before = time.process_time()
        original(*given, **options)
        writing += time.process_time() - before

    original = shards.write_tables
    with patch.object(shards, "write_tables", write_tables):
        began, before = time.monotonic(), time.process_time()
        result = shards.write(shard)
        ended, after = time.monotonic(), time.process_time()
    with own.open("a") as file:
        file.write(f"{began} {ended} {after - before} {writing}\n")
    return result


@dataclass
class Seen:
    """What a build's processes, and nobody, took of the cores: in all since its beginning, at some times.

    Attributes:
        times: seconds of the monotonic clock.
        taken: seconds of cores until then.
        memory: the most MiB that a worker had.
    """

    times: list[float] = field(default_factory=list)
    taken: list[float] = field(default_factory=list)
    memory: float = 0.0

    def spent(self, begin: float, end: float) -> float:
        """Seconds of cores between two times."""
        first, last = np.interp([begin, end], self.times, self.taken)
        return float(last - first)


@contextmanager
def watched() -> Iterator[Seen]:
    """Looks at the processes that this one starts, and at the machine, while the block runs, twice a second."""
    seen, ended, used = Seen(), threading.Event(), dict[int, float]()

    def look() -> None:
        own = {pid: spent for pid, spent in _descendants().items() if pid != os.getpid()}
        used.update(own)
        driver = time.process_time() - time.thread_time()  # without this thread, which measures
        seen.times.append(time.monotonic())
        seen.taken.append(_idle() + sum(used.values()) + driver)
        seen.memory = max([seen.memory, *_workers(own)])

    def watch() -> None:
        while not ended.wait(0.5):
            look()
        look()

    # A clock of the thread itself: the first look is its own, too.
    thread = threading.Thread(target=lambda: (look(), watch()), daemon=True)
    thread.start()
    try:
        while not seen.times:
            time.sleep(0.01)
        yield seen
    finally:
        ended.set()
        thread.join()


_TICK = os.sysconf("SC_CLK_TCK")


def _idle() -> float:
    """Seconds that cores of this machine were idle, since it runs, or waiting for a disk."""
    line = Path("/proc/stat").read_text().splitlines()[0].split()
    return (int(line[4]) + int(line[5])) / _TICK


def _descendants() -> dict[int, float]:
    """This process and all that it started, directly or not: CPU seconds of each."""
    parents, spent = {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            after_name = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has just ended
        parents[int(folder.name)] = int(after_name[1])
        spent[int(folder.name)] = (int(after_name[11]) + int(after_name[12])) / _TICK
    own = {os.getpid()}
    while found := {pid for pid, parent in parents.items() if parent in own} - own:
        own |= found
    return {pid: spent[pid] for pid in own if pid in spent}


def _workers(pids: Sequence[int] | dict[int, float]) -> Iterator[float]:
    """MiB of those that are Ray's workers."""
    for pid in pids:
        folder = Path("/proc") / str(pid)
        try:
            if (folder / "cmdline").read_bytes().startswith(b"ray::"):
                status = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines())
                yield int(status["RssAnon"].split()[0]) / 1024
        except (OSError, KeyError):
            continue


if __name__ == "__main__":
    sys.exit(main())
