"""The table of a sweep: pure functions from records to rows, and rows to a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich import box
from rich.table import Table
from scipy.stats import ttest_rel

from data_prep import labels, splits
from orchestrator.plan import Cell, Plan
from orchestrator.records import RunRecord
from orchestrator.selection import select
from search_spaces import Published, Sweep


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A cell against the reference variant of the same task, replicate by replicate of the same seed.

    Attributes:
        mean: mean of the differences in test UAR, in [-1, 1].
        pairs: how many replicates of both cells have the same seed.
        p: two-sided p of the paired t-test; ``None`` with fewer than two pairs, or where all differ by the same.
    """

    mean: float
    pairs: int
    p: float | None


@dataclass(frozen=True, kw_only=True)
class Row:
    """One cell of the table. Scores are in [0, 1].

    Attributes:
        cell: variant and task.
        scores: test UAR of each finished replicate, in the order of their numbers.
        wanted: replicates planned.
        searched, stopped, failed: search trials that finished, were stopped early, failed.
        selected: the search run that was replicated.
        published: the paper's figure, in per cent.
        difference: to the reference variant; ``None`` for the reference itself.
    """

    cell: Cell
    scores: tuple[float, ...]
    wanted: int
    searched: int
    stopped: int
    failed: int
    selected: RunRecord | None
    published: Published | None
    difference: Difference | None

    @property
    def mean(self) -> float | None:
        """Mean over the replicates; ``None`` with none."""
        return float(np.mean(self.scores)) if self.scores else None

    @property
    def std(self) -> float | None:
        """Sample standard deviation over the replicates (ddof 1); ``None`` with fewer than two."""
        return float(np.std(self.scores, ddof=1)) if len(self.scores) > 1 else None

    @property
    def complete(self) -> bool:
        """Whether every planned replicate has finished."""
        return len(self.scores) == self.wanted


def summarise(plan: Plan, sweep: Sweep, records: Sequence[RunRecord]) -> list[Row]:
    """A row for every cell of the plan, in its order, complete or not."""
    by_cell = {cell.name: [record for record in records if record.key.cell == cell.name] for cell in plan.cells}
    return [_row(cell, plan, sweep, by_cell) for cell in plan.cells]


def _row(cell: Cell, plan: Plan, sweep: Sweep, by_cell: dict[str, list[RunRecord]]) -> Row:
    own = by_cell[cell.name]
    search = [record for record in own if record.key.kind == "search"]
    reference = by_cell.get(f"{sweep.reference}/{cell.task.name}", [])
    return Row(
        cell=cell,
        scores=tuple(record.metrics["test_uar"] for record in replicates(own)),
        wanted=plan.replicates,
        searched=sum(record.status == "finished" for record in search),
        stopped=sum(record.status == "stopped" for record in search),
        failed=sum(record.status == "failed" for record in search),
        selected=select(search),
        published=sweep.published.get((cell.variant.name, cell.task.name)),
        difference=None if cell.variant.name == sweep.reference else difference(own, reference),
    )


def replicates(records: Sequence[RunRecord]) -> list[RunRecord]:
    """The finished replicates, by number."""
    finished = [record for record in records if record.key.kind == "replicate" and record.status == "finished"]
    return sorted(finished, key=lambda record: record.key.number)


def difference(records: Sequence[RunRecord], reference: Sequence[RunRecord]) -> Difference | None:
    """A cell's replicates against the reference's of the same seed; ``None`` where no seed is shared."""
    scores = {record.config.seed: record.metrics["test_uar"] for record in replicates(records)}
    others = {record.config.seed: record.metrics["test_uar"] for record in replicates(reference)}
    seeds = sorted(scores.keys() & others.keys())
    if not seeds:
        return None
    own, other = np.array([scores[seed] for seed in seeds]), np.array([others[seed] for seed in seeds])
    varies = len(seeds) > 1 and float(np.ptp(own - other)) > 1e-12
    p = float(ttest_rel(own, other).pvalue) if varies else None
    return Difference(mean=float(np.mean(own - other)), pairs=len(seeds), p=p)


def best_cell(rows: Sequence[Row]) -> Row | None:
    """The row whose selected configuration has the highest validation UAR; test scores have no say in it."""
    selected = [row for row in rows if row.selected is not None and row.scores]
    return max(selected, key=lambda row: row.selected.metrics["validation_uar"], default=None)  # type: ignore[union-attr]


def notes(plan: Plan, sweep: Sweep, rows: Sequence[Row], demo: bool) -> list[str]:
    """What a reader must know to read the table, one sentence each."""
    task = plan.cells[0].task
    protocol, chance = splits.load(task.protocol), 100 / len(labels.load(task.scheme).classes)
    counts = sorted({len(row.scores) for row in rows})
    said = [
        f"Unweighted average recall (UAR) on the target in per cent, mean ± sample standard deviation over "
        f"{' to '.join(map(str, dict.fromkeys((counts[0], counts[-1]))))} replicates; chance is {chance:.1f}.",
        f"Protocol {protocol.name} ({protocol.source}): {protocol.grants}.",
        f"Selected by {protocol.selection}: checkpoint and configuration have the highest validation UAR on held-out "
        f"source utterances, of {plan.trials} configurations per cell, every cell the same number; the target's labels "
        "select nothing.",
        f"Difference to {sweep.reference}: mean over replicates of equal seed, with the two-sided p of a paired t-test, "
        "not corrected for the number of rows.",
    ]
    if any(row.published for row in rows):
        said.append(f"Published: {sweep.source}.")
    if demo:
        said.insert(0, DEMO)
    incomplete = [row.cell.name for row in rows if not row.complete]
    if incomplete:
        said.append(f"INCOMPLETE: {', '.join(incomplete)} lack replicates.")
    return said


DEMO = (
    "DEMO CORPORA: synthetic speech, for trying the software. Nothing here says anything about real speech; published "
    "figures stand beside it for orientation only."
)


def render(sweep: Sweep, rows: Sequence[Row], demo: bool) -> Table:
    """The table for a terminal of 100 columns."""
    title = f"{sweep.title}{' — DEMO CORPORA (synthetic speech)' if demo else ''}"
    table = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left", title_style="bold", pad_edge=False)
    table.add_column("configuration", ratio=1)
    for heading in ("UAR %", "n", "published", f"Δ {sweep.reference}", "p", "val. UAR", "trials"):
        table.add_column(heading, justify="right", no_wrap=True)
    for task in dict.fromkeys(row.cell.task.name for row in rows):
        of_task = [row for row in rows if row.cell.task.name == task]
        sources, targets = of_task[0].cell.task.sources, of_task[0].cell.task.targets
        table.add_row(f"[bold]{' + '.join(sources)} → {' + '.join(targets)}[/bold]")
        for row in of_task:
            table.add_row(f"  {row.cell.variant.title or row.cell.variant.name}", *cells_of(row))
        table.add_section()
    return table


def cells_of(row: Row) -> list[str]:
    """A row's numbers as they are printed, in per cent."""
    validation = None if row.selected is None else row.selected.metrics["validation_uar"]
    trials = f"{row.searched}" + (f"+{row.stopped}s" if row.stopped else "") + (f"+{row.failed}f" if row.failed else "")
    return [
        plus_minus(row.mean, row.std),
        f"{len(row.scores)}" if row.complete else f"{len(row.scores)}/{row.wanted}",
        "" if row.published is None else plus_minus(row.published.mean / 100, _share(row.published.std)),
        "" if row.difference is None else f"{100 * row.difference.mean:+.1f}",
        "" if row.difference is None or row.difference.p is None else p_value(row.difference.p),
        "" if validation is None else f"{100 * validation:.1f}",
        trials,
    ]


def plus_minus(mean: float | None, std: float | None) -> str:
    """``45.1 ± 0.8``, from shares."""
    if mean is None:
        return "–"
    return f"{100 * mean:.1f}" + ("" if std is None else f" ± {100 * std:.1f}")


def p_value(p: float) -> str:
    """Two significant digits, as far as that says anything."""
    return "<.001" if p < 0.001 else f"{p:.3f}" if p < 0.1 else f"{p:.2f}"


def settings(record: RunRecord) -> dict[str, Any]:
    """A record's hyperparameters, numbers rounded for reading."""
    return {
        name: f"{value:.3g}" if isinstance(value, float) else value
        for name, value in record.config.hyperparameters.items()
    }


def _share(percent: float | None) -> float | None:
    return None if percent is None else percent / 100
