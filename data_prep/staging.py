"""Replaces a folder as a whole or not at all, whatever kills the process that does.

Beside ``STORE`` stand, while it is written, ``STORE.lock`` (one build at a time) and ``STORE.building``, which holds

    STORE.building/<random name>   the new content
    STORE.building/replaced        the old content, between the two renames that swap them

So a build that is killed leaves the old store, or, between the two renames, a store that the next reader or build
puts back. The random name keeps a worker that outlives its build out of the folder of the next one.
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from data_prep.places import Address, Place


@contextmanager
def locked(store: Path, say: Callable[[str], None] = lambda line: None) -> Iterator[Callable[[], None]]:
    """Lets one build at a time at ``store``; a second waits, and ``say``s so.

    Yields:
        What is to be called before :func:`replace`, as in :mod:`data_prep.generations`: a lock of the disk is never lost.
    """
    store.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(_beside(store, ".lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        say(f"another build is writing {store}; waiting for it to end")
        lock.acquire()
    try:
        yield lambda: None
    finally:
        lock.release()


@contextmanager
def folder(store: Path) -> Iterator[Path]:
    """An empty folder to write the new content of ``store`` in, removed at the end; for the holder of the lock."""
    building = _beside(store, ".building")
    _put_back(store)
    _remove(building)
    content = building / uuid.uuid4().hex
    content.mkdir(parents=True)
    try:
        yield content
    finally:
        _put_back(store)
        _remove(building)


def replace(store: Path, content: Path) -> None:
    """Puts ``content``, a folder of :func:`folder`, in the place of ``store``."""
    if store.exists():
        os.rename(store, _replaced(store))
    os.rename(content, store)


def settle(store: Path) -> None:
    """Before reading: waits for the swap that is under way, and puts back what a killed one left.

    It does not wait for the lock itself, which the next build may have by then, for hours.
    """
    while not store.exists() and _replaced(store).exists():
        with suppress(Timeout), FileLock(_beside(store, ".lock"), timeout=0.1):
            _put_back(store)


def link(source: Place, destination: Place) -> None:
    """Makes ``destination`` the same file as ``source``, a copy where links cannot be.

    Files of a store are never changed once written, so that old and new may share them.
    """
    if isinstance(source, Address) or isinstance(destination, Address):
        assert isinstance(source, Address) and isinstance(destination, Address), (
            f"{source} is not of {destination}'s store"
        )
        source.copy(destination)
        return
    destination.unlink(missing_ok=True)
    try:
        os.link(source, destination)
    except OSError:
        shutil.copyfile(source, destination)


def _put_back(store: Path) -> None:
    if not store.exists() and _replaced(store).exists():
        os.rename(_replaced(store), store)


def _remove(path: Path) -> None:
    # Twice: a worker may still be writing a file while the folder is emptied for the first time.
    shutil.rmtree(path, ignore_errors=True)
    shutil.rmtree(path, ignore_errors=True)


def _replaced(store: Path) -> Path:
    return _beside(store, ".building") / "replaced"


def _beside(store: Path, ending: str) -> Path:
    return store.with_name(store.name + ending)
