"""The report's plots, each as SVG text to be set into the page."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import matplotlib

matplotlib.use("Agg")

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from optuna.distributions import FloatDistribution, IntDistribution

from orchestrator.plan import Cell
from orchestrator.records import RunRecord
from orchestrator.tables import Row, replicates

_STYLE: dict[Any, Any] = {
    "font.size": 9,
    "font.family": "sans-serif",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#8a8f98",
    "axes.labelcolor": "#30343b",
    "xtick.color": "#555b66",
    "ytick.color": "#555b66",
    "axes.titlesize": 9,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "svg.fonttype": "none",
    "svg.hashsalt": "report",
}
_BLUE, _ORANGE, _GREY, _RED = "#2563a8", "#d97706", "#9aa0aa", "#b3261e"


def overview(rows: Sequence[Row], chance: float) -> str:
    """Every replicate's test UAR by variant and task, its mean and deviation, what was published, and chance."""
    tasks = list(dict.fromkeys(row.cell.task.name for row in rows))
    with plt.rc_context(_STYLE):
        height = 0.9 + 0.42 * max(sum(row.cell.task.name == task for row in rows) for task in tasks)
        figure, axes = plt.subplots(1, len(tasks), figsize=(10, height), sharey=False, squeeze=False)
        for axis, task in zip(axes[0], tasks, strict=True):
            of_task = [row for row in rows if row.cell.task.name == task]
            for place, row in enumerate(of_task):
                _dots(axis, -place, row)
            axis.axvline(100 * chance, color=_GREY, linestyle=":", linewidth=1)
            axis.set_yticks([-place for place in range(len(of_task))], [row.cell.variant.name for row in of_task])
            axis.set_title(of_task[0].cell.task.name.replace("-", " → "))
            axis.set_xlabel("UAR on the target, % (dotted: chance)")
        return _svg(figure)


def _dots(axis: Axes, place: float, row: Row) -> None:
    scores = 100 * np.array(row.scores)
    axis.plot(scores, np.full(len(scores), place), "o", color=_BLUE, alpha=0.35, markersize=5, markeredgewidth=0)
    if row.mean is not None:
        axis.errorbar(
            100 * row.mean,
            place,
            xerr=None if row.std is None else 100 * row.std,
            fmt="|",
            color=_BLUE,
            markersize=13,
            capsize=0,
            linewidth=1.5,
            markeredgewidth=2,
        )
    if row.published is not None:
        axis.plot(row.published.mean, place, "D", markerfacecolor="none", markeredgecolor=_ORANGE, markersize=6)


def cell_figure(cell: Cell, records: Sequence[RunRecord], classes: Sequence[str]) -> str:
    """One cell: its search in order, its replicates' curves, their confusion, and the score by each hyperparameter."""
    searched = sorted((r for r in records if r.key.kind == "search"), key=lambda record: record.key.number)
    repeated = replicates(records)
    with plt.rc_context(_STYLE):
        columns = max(4, len(cell.space))
        figure, axes = plt.subplots(2, columns, figsize=(2.9 * columns, 4.9), squeeze=False)
        _search(axes[0, 0], searched)
        _curves(axes[0, 1], repeated, ["validation_uar"], "validation UAR, %", 100)
        losses = sorted({name for record in repeated for epoch in record.history for name in epoch if "loss/" in name})
        _curves(axes[0, 2], repeated, losses, "training losses", 1)
        _confusion(axes[0, 3], repeated, classes)
        for axis, name in zip(axes[1], cell.space, strict=False):
            _slice(axis, cell, name, searched)
        for axis in [*axes[0, 4:], *axes[1, len(cell.space) :]]:
            axis.set_axis_off()
        return _svg(figure)


def _search(axis: Axes, searched: Sequence[RunRecord]) -> None:
    finished = [record for record in searched if "validation_uar" in record.metrics]
    if finished:
        numbers = [record.key.number for record in finished]
        scores = [100 * record.metrics["validation_uar"] for record in finished]
        colours = [
            _ORANGE if n == 0 else _GREY if r.status == "stopped" else _BLUE
            for n, r in zip(numbers, finished, strict=True)
        ]
        axis.scatter(numbers, scores, c=colours, s=22)
        axis.step(numbers, np.maximum.accumulate(scores), where="post", color=_BLUE, linewidth=1, alpha=0.6)
        axis.xaxis.set_major_locator(matplotlib.ticker.MaxNLocator(integer=True))
    axis.set_title("search: validation UAR, %")
    axis.set_xlabel("trial (orange: the paper's; grey: stopped)")


def _curves(axis: Axes, repeated: Sequence[RunRecord], names: Sequence[str], title: str, scale: float) -> None:
    for number, name in enumerate(names):
        colour = plt.get_cmap("tab10")(number)
        for record in repeated:
            curve = [scale * epoch[name] for epoch in record.history if name in epoch]
            axis.plot(range(1, len(curve) + 1), curve, color=colour, alpha=0.45, linewidth=1)
        axis.plot([], [], color=colour, label=name.removeprefix("loss/"))
    if len(names) > 1:
        axis.legend(frameon=False, fontsize=7, handlelength=1)
    axis.set_title(title)
    axis.set_xlabel(f"epoch ({len(repeated)} replicates)")


def _confusion(axis: Axes, repeated: Sequence[RunRecord], classes: Sequence[str]) -> None:
    matrices = [np.array(record.confusion) for record in repeated if record.confusion is not None]
    axis.set_title("confusion over the replicates, % of row")
    if not matrices:
        axis.set_axis_off()
        return
    counts = np.sum(matrices, axis=0)
    shares = 100 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axis.imshow(shares, cmap="Blues", vmin=0, vmax=100)
    for (row, column), share in np.ndenumerate(shares):
        text = f"{share:.0f}\n({counts[row, column]})"
        colour = "white" if share > 55 else "#30343b"
        axis.text(column, row, text, ha="center", va="center", fontsize=6.5, color=colour)
    axis.set_xticks(range(len(classes)), classes, fontsize=7)
    axis.set_yticks(range(len(classes)), classes, fontsize=7)
    axis.set_xlabel("predicted")
    axis.set_ylabel("true")


def _slice(axis: Axes, cell: Cell, name: str, searched: Sequence[RunRecord]) -> None:
    distribution = cell.space[name].distribution
    points = [
        (record.config.hyperparameters[name], 100 * record.metrics["validation_uar"], record.key.number == 0)
        for record in searched
        if record.status == "finished" and _was_drawn(cell, name, record)
    ]
    numeric = isinstance(distribution, (FloatDistribution, IntDistribution))
    if numeric and getattr(distribution, "log", False):
        axis.set_xscale("log")
    for value, score, paper in points:
        axis.scatter(value if numeric else str(value), score, color=_ORANGE if paper else _BLUE, s=22)
    axis.set_title(name)
    axis.set_ylabel("validation UAR, %", fontsize=8)


def _was_drawn(cell: Cell, name: str, record: RunRecord) -> bool:
    conditions = cell.space[name].when
    return all(record.config.hyperparameters.get(other) in values for other, values in conditions.items())


def _svg(figure: Figure) -> str:
    figure.tight_layout()
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None})
    plt.close(figure)
    svg = text.getvalue()
    return svg[svg.index("<svg") :]
