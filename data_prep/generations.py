"""Replaces a store at an address as a whole or not at all: what :mod:`data_prep.staging` does for folders.

An object store can rename nothing, so a store there is a manifest that names the folder of its files:

    STORE/store.json             the manifest, as it is in a folder, and ``content``: where the files are
    STORE/content-<number>/      a whole store of its own, never changed; a build makes a new one
    STORE.building/<number>      the claims of builds

A build writes its own content and then, in one write, the manifest that names it. One that is killed before leaves the
old store; what it had written, and the content that is no longer named, the next one removes.

A lock it has no more: a build writes a claim and looks for others. Finding one, it takes its own back and tries again
later; so of two that begin at once, at most one goes on. Who goes on writes the claim anew every few seconds, and a claim
that does not change any more is a killed build's. Nothing is compared between the clocks of two machines.
"""

from __future__ import annotations

import json
import random
import re
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from data_prep.datasheet import DATASHEET
from data_prep.errors import InputError
from data_prep.places import Address, Unreachable
from data_prep.store import MANIFEST, QUARANTINE

BEAT = 4.0
"""Seconds between two writes of a claim."""

DEAD = 20.0
"""Seconds for which a claim does not change if its build is killed."""

_CONTENT = re.compile(r"content-[0-9a-f]{32}")


@contextmanager
def locked(store: Address, say: Callable[[str], None] = lambda line: None) -> Iterator[Callable[[], None]]:
    """Lets one build at a time at ``store``; a second waits, and ``say``s so.

    Yields:
        What is to be called before :func:`replace`: it raises an :class:`InputError` if the claim may have been lost,
        because this process stood still or could not reach the store for too long.
    """
    if store.parent == store:
        raise InputError(f"{store} is a whole bucket; give a folder in it, such as {store}/store")
    claim = store.with_name(f"{store.name}.building") / uuid.uuid4().hex
    ended = threading.Event()
    try:
        held = _acquired(store, claim, say)
        beating = threading.Thread(target=held.beat, args=(ended,), daemon=True)
        beating.start()
        try:
            yield held.check
        finally:
            ended.set()
            beating.join()
    finally:
        with suppress(OSError):  # what ended the block matters more, and a claim left behind dies
            claim.remove()


@contextmanager
def folder(store: Address) -> Iterator[Address]:
    """An empty folder to write the new content of ``store`` in; for the holder of the lock.

    What killed builds left is removed before. When the block ends, only this folder is, unless it is the store's content
    then: whoever lost the lock meanwhile must not touch what the next build writes.
    """
    for place in store.iterdir():
        if _CONTENT.fullmatch(place.name) and place.name != _named(store):
            place.remove()
    content = store / f"content-{uuid.uuid4().hex}"
    try:
        yield content
    finally:
        with suppress(OSError):  # what ended the block matters more, and the next build tidies up
            if _named(store) != content.name:
                content.remove()


def replace(store: Address, content: Address) -> None:
    """Makes ``content``, a folder of :func:`folder`, that of ``store``, and removes the old one."""
    old = _manifest(store)
    manifest = {**json.loads((content / MANIFEST).read_text()), "content": content.name}
    (store / MANIFEST).write_text(json.dumps(manifest, indent=1, sort_keys=True) + "\n")
    if old is None:
        return
    copied = (*old["features"], QUARANTINE, DATASHEET)  # here from a folder, as they were
    for name in (old["content"],) if "content" in old else copied:
        (store / name).remove()


class _Held:
    """A claim that this process holds."""

    def __init__(self, store: Address, claim: Address) -> None:
        self._store, self._claim = store, claim
        self._written = time.time()
        self._lost = False

    def write(self) -> None:
        """Writes the claim as it was not before."""
        now = time.time()  # before it is written: this is how old it is at least
        self._claim.write_text(uuid.uuid4().hex)
        self._lost |= now - self._written > DEAD
        self._written = now

    def beat(self, ended: threading.Event) -> None:
        while not ended.wait(BEAT):
            with suppress(OSError):  # the next one may get through; check() knows how old the last one is
                self.write()

    def check(self) -> None:
        if self._lost or time.time() - self._written > DEAD:
            raise InputError(
                f"this build could not hold on to {self._store}: it stood still, or could not reach it, for more than "
                f"{DEAD:g} s, and another may have begun; nothing was changed, build again"
            )


def _acquired(store: Address, claim: Address, say: Callable[[str], None]) -> _Held:
    seen: dict[str, tuple[str, float]] = {}
    said = False
    while True:
        held = _Held(store, claim)
        held.write()
        others = [other for other in claim.parent.iterdir() if other.name != claim.name]
        dead = [other for other in others if _is_dead(other, seen)]
        if len(dead) == len(others):
            for other in dead:
                other.remove()
            return held
        claim.remove()
        if not said:
            say(f"another build is writing {store}, or was killed just now; waiting for it to end")
            said = True
        time.sleep(random.uniform(0.25, 0.75) * BEAT)


def _is_dead(claim: Address, seen: dict[str, tuple[str, float]]) -> bool:
    """Whether a claim has been the same for long; ``seen`` is what this build has seen of claims, and when first."""
    try:
        now = claim.read_text()
    except (FileNotFoundError, Unreachable):
        return False  # it was taken back this moment, before it was read or meanwhile: try again
    before, since = seen.setdefault(claim.name, (now, time.monotonic()))
    if before != now:
        seen[claim.name] = (now, time.monotonic())
        return False
    return time.monotonic() - since > DEAD


def _named(store: Address) -> str | None:
    return (_manifest(store) or {}).get("content")


def _manifest(store: Address) -> dict[str, Any] | None:
    try:
        return json.loads((store / MANIFEST).read_text())
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise InputError(f"{store / MANIFEST} is not a store's manifest ({error}); give another --store") from error
