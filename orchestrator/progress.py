"""The live view of a sweep: cells x (searched, replicated, best validation UAR), and the time left."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from orchestrator.plan import Plan
    from orchestrator.records import RunKey, RunRecord
    from orchestrator.searcher import Recorder
    from trainables.config import TrialConfig


@dataclass
class _Cell:
    searched: int = 0
    replicated: int = 0
    failed: int = 0
    running: int = 0
    best: float | None = None


@dataclass
class _Pretraining:
    method: str
    epochs: int
    epoch: int = 0

    def __str__(self) -> str:
        return f"pre-training {self.method} (epoch {self.epoch} of {self.epochs} done)"


class Progress:
    """A recorder that passes everything on to another one, and shows how far the sweep is.

    On a terminal it draws a table in place; elsewhere (a log file, CI) it prints a line every ten seconds.
    """

    def __init__(
        self,
        plan: Plan,
        recorder: Recorder,
        concurrent: int,
        console: Console,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Shows ``plan`` on ``console`` while at most ``concurrent`` runs train at a time."""
        self._plan, self._recorder, self._concurrent, self._clock = plan, recorder, concurrent, clock
        self._console = console
        self._started = {}  # type: dict[str, float]
        self._seconds = []  # type: list[float]
        self._cells = {cell.name: _Cell() for cell in plan.cells}
        self._pretraining: dict[str, _Pretraining] = {}
        self._begun = clock()
        self._ended = threading.Event()
        self._lock = threading.Lock()
        for record in recorder.finished_records().values():
            self._count(record)

    def started(self, key: RunKey, config: TrialConfig) -> None:
        """A run begins."""
        self._recorder.started(key, config)
        with self._lock:
            if key.kind == "pretraining":
                self._pretraining[str(key)] = _Pretraining(config.method, config.epochs)
                return
            self._cells[key.cell].running += str(key) not in self._started  # else an earlier attempt has failed
            self._started[str(key)] = self._clock()

    def reported(self, key: RunKey, metrics: Mapping[str, float]) -> None:
        """An epoch of a run has ended."""
        self._recorder.reported(key, metrics)
        with self._lock:
            if str(key) in self._pretraining:
                self._pretraining[str(key)].epoch = int(metrics["epoch"])

    def attach(self, key: RunKey, path: Path) -> None:
        """A run has left a model."""
        self._recorder.attach(key, path)

    def ended(self, record: RunRecord) -> None:
        """A run has ended."""
        self._recorder.ended(record)
        with self._lock:
            self._pretraining.pop(str(record.key), None)
            began = self._started.pop(str(record.key), None)
            if began is not None:
                self._seconds.append(self._clock() - began)
                self._cells[record.key.cell].running -= 1
            self._count(record)

    def finished_records(self) -> Mapping[str, RunRecord]:
        """What earlier launches have finished."""
        return self._recorder.finished_records()

    def __enter__(self) -> Progress:
        self._thread = threading.Thread(target=self._show, name="progress", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._ended.set()
        self._thread.join()

    def line(self) -> str:
        """Where the sweep is, in one line."""
        with self._lock:
            done = sum(cell.searched + cell.replicated for cell in self._cells.values())
            best = max((cell.best for cell in self._cells.values() if cell.best is not None), default=None)
            failed = sum(cell.failed for cell in self._cells.values())
            pretraining = [str(each) for each in self._pretraining.values()]
        parts = [
            f"{done}/{self._plan.runs} runs",
            f"{clock_text(self._clock() - self._begun)} passed",
            self._left(done) + (" besides" if pretraining and self._seconds else ""),
            *pretraining,
        ]
        if best is not None:
            parts.append(f"best validation UAR {100 * best:.1f} %")
        if failed:
            parts.append(f"{failed} failed")
        return ", ".join(parts)

    def table(self) -> Table:
        """One row per cell."""
        table = Table(box=None, pad_edge=False, header_style="bold")
        for heading in ("cell", "searched", "replicated", "running", "best validation UAR"):
            table.add_column(heading, justify="left" if heading == "cell" else "right")
        with self._lock:
            for name, cell in self._cells.items():
                table.add_row(
                    name,
                    f"{cell.searched}/{self._plan.trials_of(self._plan.cell(name))}",
                    f"{cell.replicated}/{self._plan.replicates}",
                    str(cell.running or ""),
                    "" if cell.best is None else f"{100 * cell.best:.1f} %",
                )
        return table

    def _count(self, record: RunRecord) -> None:
        cell = self._cells.get(record.key.cell)
        if cell is None:
            return
        if record.key.kind == "search":
            cell.searched += 1
            if record.status == "finished":
                cell.best = max(cell.best or 0.0, record.metrics["validation_uar"])
        else:
            cell.replicated += 1
        cell.failed += record.status == "failed"

    def _left(self, done: int) -> str:
        if not self._seconds:
            return "time left unknown yet"
        mean = sum(self._seconds) / len(self._seconds)
        return f"about {clock_text((self._plan.runs - done) * mean / self._concurrent)} left"

    def _show(self) -> None:
        if not self._console.is_terminal:
            while not self._ended.wait(10):
                print(self.line(), file=sys.stdout, flush=True)
            return
        with Live(console=self._console, transient=True, auto_refresh=False) as live:
            while not self._ended.wait(0.5):
                live.update(Group(self.table(), Text(self.line(), style="bold")), refresh=True)


def clock_text(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def make_console() -> Console:
    """The terminal; 100 columns where there is none (a log file, CI)."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=100)
