"""How far long work is: a live view on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from data_prep.shards import ShardResult

# Seconds between two lines where there is no terminal.
_PAUSE = 10.0


@dataclass
class _Count:
    """What is done of one feature of one corpus."""

    total: int
    done: int = 0
    seconds: float = 0.0

    def add(self, result: ShardResult) -> None:
        self.done += result.utterances
        self.seconds += result.seconds


@contextmanager
def shown(totals: Mapping[tuple[str, str], int], console: Console) -> Iterator[Callable[[ShardResult], None]]:
    """Shows progress while its block runs.

    Args:
        totals: utterances to do, by (corpus, feature).
        console: where to; a quiet one shows nothing.

    Yields:
        What to call with each shard that is done.
    """
    counts = {key: _Count(total) for key, total in totals.items()}
    started = time.monotonic()

    def speed() -> float:
        return sum(count.seconds for count in counts.values()) / max(time.monotonic() - started, 1e-9)

    if console.is_terminal and not console.quiet:
        with _bars(console) as bars:
            yield _on_terminal(bars, counts, speed)
    else:
        yield _in_lines(console, counts, speed)


@contextmanager
def counted(what: str, console: Console) -> Iterator[Callable[[int, int], None]]:
    """Shows how far something is while its block runs: a bar on a terminal, a line every ten seconds elsewhere."""
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        task, last = bars.add_task(what), time.monotonic()

        def show(done: int, total: int) -> None:
            nonlocal last
            bars.update(task, completed=done, total=total)
            if not console.is_terminal and (done == total or time.monotonic() - last > _PAUSE):
                last = time.monotonic()
                console.print(f"{what}: {done}/{total}")

        yield show


def _bars(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[hours]:.2f} h"),
        TextColumn("{task.fields[speed]:,.0f} x real time"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    )


def _on_terminal(
    bars: Progress, counts: Mapping[tuple[str, str], _Count], speed: Callable[[], float]
) -> Callable[[ShardResult], None]:
    tasks = {key: bars.add_task(" ".join(key), total=count.total, hours=0, speed=0) for key, count in counts.items()}

    def advance(result: ShardResult) -> None:
        key = (result.corpus, result.feature)
        counts[key].add(result)
        bars.update(tasks[key], completed=counts[key].done, hours=counts[key].seconds / 3600, speed=speed())

    return advance


def _in_lines(
    console: Console, counts: Mapping[tuple[str, str], _Count], speed: Callable[[], float]
) -> Callable[[ShardResult], None]:
    last = time.monotonic()

    def advance(result: ShardResult) -> None:
        nonlocal last
        key = (result.corpus, result.feature)
        count = counts[key]
        count.add(result)
        if count.done == count.total or time.monotonic() - last > _PAUSE:
            last = time.monotonic()
            console.print(
                f"{' '.join(key)}: {count.done}/{count.total} utterances, {count.seconds / 3600:.2f} h, "
                f"{speed():,.0f} x real time"
            )

    return advance
