"""The durable record of a launch: an append-only file of events, one JSON object a line.

Everything that is tracked is written here first. MLflow is delivered to from here, so that a server that is away, or a
driver that is killed, loses nothing.
"""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any


class Journal:
    """Events of a launch, in the order in which they happened; an event's number is its line, from 0."""

    def __init__(self, path: Path) -> None:
        """Opens the journal at ``path`` or begins one; a last line that a kill has torn is cut off."""
        self.path = path
        self._lock = threading.Lock()
        whole, size = [], 0
        if path.exists():
            for line in path.read_bytes().splitlines(keepends=True):
                if not line.endswith(b"\n"):
                    break
                whole.append(json.loads(line))
                size += len(line)
            os.truncate(path, size)
        self._events: list[dict[str, Any]] = whole
        self._file = path.open("ab")

    def __len__(self) -> int:
        return len(self._events)

    def append(self, event: dict[str, Any], *, durable: bool = False) -> None:
        """Adds an event; with ``durable`` it is on the disk when this returns."""
        with self._lock:
            self._file.write(json.dumps(event).encode() + b"\n")
            self._file.flush()
            if durable:
                os.fsync(self._file.fileno())
            self._events.append(event)

    def since(self, number: int) -> list[dict[str, Any]]:
        """The events from ``number`` on."""
        with self._lock:
            return self._events[number:]

    def close(self) -> None:
        """Closes the file."""
        self._file.close()
