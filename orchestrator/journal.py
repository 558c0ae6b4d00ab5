"""An append-only journal of events, one JSON object a line, that outlives the process which writes it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from data_prep.errors import InputError


class Journal:
    """The events of one launch, written by one process at a time.

    What :meth:`append` has written outlives a killed process; what was appended before a durable event outlives a power
    cut too. A last line that was cut off while it was written is dropped when the journal is opened again.
    """

    def __init__(self, path: Path) -> None:
        """Opens the journal at ``path``, or begins it.

        Raises:
            InputError: another process writes to it, or it cannot be written.
        """
        self.path = path
        self._lock = FileLock(path.with_suffix(".lock"))
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(timeout=0)
        except Timeout as error:
            raise InputError(f"{path.parent} is in use by another process; wait for it to end, or end it") from error
        except OSError as error:
            raise InputError(f"{path} cannot be written: {error.strerror}; give another folder") from error
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        self.size = _whole_lines(path)
        os.ftruncate(self._file, self.size)
        _synchronise_folder(path.parent)

    def append(self, event: Mapping[str, Any], *, durable: bool = False) -> None:
        """Adds an event; when ``durable``, it is on the disk when this returns, with all before it.

        Raises:
            InputError: the disk is full or fails; the journal is then as it was before.
        """
        line = json.dumps(event, separators=(",", ":")).encode() + b"\n"
        try:
            _write_all(self._file, line)
            if durable:
                os.fsync(self._file)
        except OSError as error:
            os.ftruncate(self._file, self.size)
            raise InputError(
                f"{self.path} cannot be written: {error.strerror}; what it holds is safe: free some space and resume"
            ) from error
        self.size += len(line)

    def read(self, start: int = 0) -> Iterator[tuple[int, dict[str, Any]]]:
        """The events from byte ``start`` on, each with the byte after it; lines that are no JSON are passed over."""
        with open(self.path, "rb") as file:
            file.seek(start)
            for line in file:
                if not line.endswith(b"\n"):
                    return
                start += len(line)
                try:
                    event = json.loads(line)
                except ValueError:
                    continue
                yield start, event

    def close(self) -> None:
        """Lets another process write to it."""
        os.close(self._file)
        self._lock.release()


def _whole_lines(path: Path) -> int:
    """Bytes up to the end of the last whole line."""
    data = path.read_bytes()
    return data.rfind(b"\n") + 1


def _write_all(file: int, data: bytes) -> None:
    while data:
        data = data[os.write(file, data) :]


def _synchronise_folder(path: Path) -> None:
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
