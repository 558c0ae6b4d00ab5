"""States of runs in training, kept in files: a run that is cut off goes on from its last one, not from the beginning.

After an epoch a run's state is copied, at most once a minute, and a thread writes the copy while training goes on. A run
that finds its own state when it begins goes on from there, and has the numbers that it would have had undisturbed: bit for bit,
or where it is trained in a batch with others, up to the order of floating-point sums.
"""

from __future__ import annotations

import logging
import os
import tempfile
import threading
import time
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from trainables.config import TrialConfig
    from trainables.loop import Training

# What a run that is cut off loses at the most, besides an epoch. A run that is over sooner, as most are, writes nothing.
RECOVERY_SECONDS = 60.0

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Recovery:
    """Where runs keep their states, and which of those that are there they may go on from.

    Attributes:
        folder: one that all workers reach, and that is there; a file is named after its run's identity.
        origin: all that numbers depend on besides a run's configuration; states of another are left alone.
        every: seconds of a run between two copies of its state.
    """

    folder: Path
    origin: str
    every: float = RECOVERY_SECONDS

    def begin(self, run: Training) -> Keeper:
        """Has a run that begins go on from its state, if there is one; returns what keeps its later ones."""
        path = self.folder / f"{run.config.identity}.pt"
        state = self._read(path)
        if state is not None:
            run.load_state_dict(state)
        return Keeper(path, self.origin, self.every)

    def _read(self, path: Path) -> Mapping[str, Any] | None:
        try:
            with zipfile.ZipFile(path) as file:
                if file.testzip() is not None:  # torch.load itself looks at no checksum
                    raise zipfile.BadZipFile("a checksum is wrong")
            kept = torch.load(path, map_location="cpu", weights_only=False)
            return kept["state"] if kept["origin"] == self.origin else None
        except FileNotFoundError:
            return None
        except Exception as error:  # whatever a damaged file makes of what reads it
            _LOG.warning("%s is damaged (%s); its run begins again", path, error)
            return None


@dataclass(eq=False)
class Keeper:
    """Keeps the states of one run, the newest in place of the one before.

    Attributes:
        path: the file.
        origin, every: as of :class:`Recovery`.
    """

    path: Path
    origin: str
    every: float
    _writer: threading.Thread | None = field(default=None, init=False)
    _ended: bool = field(default=False, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def __post_init__(self) -> None:
        self._copied = time.monotonic()

    def note(self, run: Training) -> None:
        """Keeps the state of a run after an epoch, if it is time.

        While a state is being written no other is copied, so that there is one in memory at the most; the next epoch's
        is. Of a run that has ended none is kept, nor what is still being written.
        """
        if run.ended:
            with self._lock:
                self._ended = True
            return
        writing = self._writer is not None and self._writer.is_alive()
        if writing or time.monotonic() - self._copied < self.every:
            return
        self._writer = threading.Thread(target=self._write, args=(run.state_dict(),), name="recovery", daemon=True)
        self._writer.start()
        self._copied = time.monotonic()

    def _write(self, state: Mapping[str, Any]) -> None:
        """Writes beside the file and renames, so that it is whole whenever this process is killed."""
        beside = None
        try:
            # A name of its own: elsewhere the same run may be trained in another cell.
            handle, beside = tempfile.mkstemp(".new", f"{self.path.stem}.", self.path.parent)
            with os.fdopen(handle, "wb") as file:
                torch.save({"origin": self.origin, "state": state}, file)
            with self._lock:
                if not self._ended:
                    with suppress(FileNotFoundError):  # removed with the run's other states: its trial has ended
                        os.replace(beside, self.path)
        except Exception as error:
            _LOG.warning("%s cannot be written (%s): cut off now, its run would begin again", self.path, error)
        finally:
            if beside is not None:
                Path(beside).unlink(missing_ok=True)


def forget(folder: Path, config: TrialConfig) -> None:
    """Removes the states of a trial's runs, which have ended."""
    for run in config.runs:
        for path in folder.glob(f"{run.identity}.*"):
            path.unlink(missing_ok=True)
