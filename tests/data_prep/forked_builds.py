"""Builds in forked processes, for test_staging.py, which runs this as a script: Ray's threads would not survive a fork.

    forked_builds.py kill LAB FOLDER    kills builds of FOLDER/store at each of their steps in turn
    forked_builds.py race LAB FOLDER    runs builds of one store at once, and reads it meanwhile

A step is a change to the disk, as Python's audit events tell of it before it is made, or the writing of a Parquet file,
which a kill leaves half written. Shards are computed one after another in the process itself. Prints what it found, as
JSON.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.dataset  # noqa: F401  which reading needs, loaded before the forks
import torch

from data_prep import build as command
from data_prep import features, places, shards
from data_prep.datasheet import DATASHEET
from data_prep.errors import InputError
from data_prep.store import MANIFEST, open_store

CHANGES = ("os.link", "os.mkdir", "os.remove", "os.rename", "os.rmdir")

command.connected = lambda address: contextlib.nullcontext()
command.on_all_cores = lambda todo: (shards.write(shard) for shard in todo)


def fork(work: Callable[[], object]) -> int:
    """Does some work in a process of its own; returns its number."""
    child = os.fork()
    if child:
        return child
    try:
        work()
        os._exit(0)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        os._exit(1)


def ended(child: int) -> int:
    """Waits for a process: its exit status, negative where a signal ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def kill_at(step: int) -> None:
    """Has this process killed before its ``step``-th change to the disk, or in the middle of that one if it can be."""
    taken = 0

    def take() -> bool:
        nonlocal taken
        taken += 1
        return taken == step

    def listen(event: str, arguments: tuple[object, ...]) -> None:
        writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        if (event in CHANGES or writes) and take():
            os.kill(os.getpid(), signal.SIGKILL)

    def write_tables(tables: object, schema: object, path: Path, **options: object) -> None:
        half = take()
        write(tables, schema, path, **options)
        if half:
            os.truncate(path, path.stat().st_size // 2)
            os.kill(os.getpid(), signal.SIGKILL)

    write = places.write_tables
    places.write_tables = shards.write_tables = write_tables
    sys.addaudithook(listen)


def content(store: Path) -> str:
    """Digest of a store's files but the two that hold the time; empty where there is none."""
    files = sorted(path for path in store.rglob("*") if path.is_file() and path.name not in (MANIFEST, DATASHEET))
    digest = hashlib.sha256(b"".join(str(file.relative_to(store)).encode() + file.read_bytes() for file in files))
    return digest.hexdigest() if files else ""


def kill(lab: Path, folder: Path) -> dict[str, object]:
    """Kills a build at each step: of a new store, and of one that has other rows."""
    found: dict[str, object] = {}
    old, store = folder / "old", folder / "store"
    before, after = lab / "before.csv", lab / "lab.csv"
    assert ended(fork(lambda: command.build(old, {"lab": before, "other": before}, quiet=True))) == 0
    for name in ("new", "there"):
        shutil.rmtree(store, ignore_errors=True)
        start = (lambda: shutil.copytree(old, store)) if name == "there" else (lambda: None)
        start()
        was = content(store)
        assert ended(fork(lambda: command.build(store, {"lab": after}, quiet=True))) == 0
        right, steps, kept, arrived = content(store), 0, 0, 0
        while True:
            shutil.rmtree(store)
            start()
            steps += 1

            def work(step: int = steps) -> None:
                kill_at(step)
                command.build(store, {"lab": after}, quiet=True)

            status = ended(fork(work))
            if status == 0:
                break
            assert status == -signal.SIGKILL, status
            with contextlib.suppress(InputError):  # there may be none yet
                open_store(store)
            now = content(store)
            assert now in (was, right), f"{name}: a kill at step {steps} leaves neither the old store nor the new one"
            kept, arrived = kept + (now == was), arrived + (now == right)
            assert ended(fork(lambda: command.build(store, {"lab": after}, quiet=True))) == 0
            assert content(store) == right, f"{name}: after a kill at step {steps} the next build gives something else"
            assert sorted(path.name for path in folder.iterdir() if path.name.startswith("store")) == [
                "store",
                "store.lock",
            ]
        assert content(store) == right
        found[name] = {"steps": steps, "kept": kept, "arrived": arrived}
    return found


def race(lab: Path, folder: Path) -> dict[str, object]:
    """Builds four corpora into one store at once, again and again, each with other labels every time."""
    store, rounds = folder / "store", 8
    names = ("a", "b", "c", "d")
    assert ended(fork(lambda: command.build(store, {"first": lab / "lab.csv"}, quiet=True))) == 0

    def work(name: str) -> None:
        for number in range(rounds):
            manifest = lab / ("before.csv" if number % 2 else "lab.csv")
            command.build(store, {name: manifest}, quiet=True)

    children = [fork(lambda name=name: work(name)) for name in names]
    running, reads = set(children), 0
    while running:
        assert "first" in open_store(store).corpora("mfb40")  # always a whole store, whichever
        reads += 1
        for child in list(running):
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                assert os.waitstatus_to_exitcode(status) == 0
                running.remove(child)
    opened = open_store(store)
    return {"corpora": opened.corpora("mfb40"), "rows": len(opened.load("mfb40", names)), "reads": reads}


if __name__ == "__main__":
    torch.set_num_threads(1)
    features.load("mfb40").compute(np.zeros(1600, np.float32))  # loads what the forks would load each
    what = {"kill": kill, "race": race}[sys.argv[1]]
    print(json.dumps(what(Path(sys.argv[2]), Path(sys.argv[3]))))
