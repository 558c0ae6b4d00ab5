"""The report's plots: SVG to be set into the page, whose colours of text and lines they take, by day and by night."""

from __future__ import annotations

import io
import itertools
import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullLocator
from optuna.distributions import CategoricalDistribution, json_to_distribution

from orchestrator.records import RunRecord
from orchestrator.selection import choose
from orchestrator.study import Study
from orchestrator.tables import Row, finished_replicates

# Legible on white and on near-black, apart for colour-blind eyes too; a variant has the same one throughout.
_PALETTE = ("#3d7fc1", "#d9822b", "#2f9e77", "#a566c2", "#c94f5d", "#8a8350", "#3aa3b5", "#8d6e63")
_COLUMNS = 3
_WIDTH = 11.0  # inches
_INK, _LINE = "#010203", "#040506"  # stand-ins for the page's own colours
_STYLE: Any = {
    "font.size": 9,
    "text.color": _INK,
    "axes.labelcolor": _INK,
    "axes.edgecolor": _LINE,
    "axes.titlesize": 9,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": _LINE,
    "grid.linewidth": 0.5,
    "grid.alpha": 0.6,
    "xtick.color": _LINE,
    "ytick.color": _LINE,
    "xtick.labelcolor": _INK,
    "ytick.labelcolor": _INK,
    "legend.frameon": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "report",
}


def colours(study: Study) -> dict[str, str]:
    """Each variant's colour."""
    return dict(zip(study.variants, itertools.cycle(_PALETTE), strict=False))


def overview(rows: Sequence[Row], study: Study) -> str:
    """Test UAR of every replicate by variant and task, with mean ± standard deviation, the published figure, chance."""
    tasks = [task for task in study.tasks if any(row.task == task.name for row in rows)]
    with rc_context(_STYLE):
        longest = max(len(title) for title in study.variants.values())
        left, gap = 0.25 + 0.07 * longest, 0.3
        width = (_WIDTH - left) / len(
            tasks
        ) - gap  # inches of a task's axes, of which a letter of its title takes 0.085
        titles = [textwrap.fill(task.title, max(12, int(width / 0.085))) for task in tasks]
        lines = 1 + max(title.count("\n") for title in titles)
        figure = Figure(figsize=(_WIDTH, 0.85 + 0.15 * lines + 0.42 * len(study.variants)))
        every = np.atleast_1d(figure.subplots(1, len(tasks), sharey=True))
        _place(figure, 1, left=left, top=0.2 + 0.15 * lines, bottom=0.55, gap=gap)
        places = {variant: -number for number, variant in enumerate(study.variants)}
        for axes, task, title in zip(every, tasks, titles, strict=True):
            for row in rows:
                if row.task == task.name:
                    _dots(axes, row, places[row.variant], colours(study)[row.variant])
            axes.axvline(100 * task.chance, color=_INK, linewidth=1, linestyle=(0, (1, 2)))
            axes.set_yticks(list(places.values()), [study.variants[variant] for variant in places])
            axes.set_ylim(min(places.values()) - 0.6, 0.6)
            axes.tick_params(axis="y", length=0)
            axes.set_title(title)
            axes.set_xlabel("test UAR, %")
        return _svg(figure, "Test UAR of every replicate by variant and task")


def search(cell: str, records: Iterable[RunRecord], study: Study) -> str | None:
    """Validation UAR of a cell's search trials in their order, and against each hyperparameter; ``None`` with none."""
    trials = sorted((r for r in records if r.key.kind == "search"), key=lambda record: record.key.number)
    scored = [record for record in trials if "validation_uar" in record.metrics]
    if not scored:
        return None
    names = list(study.cells[cell])
    with rc_context(_STYLE):
        figure, every = _panels(1 + len(names), sharey=True)
        colour = colours(study)[cell.partition("/")[0]]
        _order(every[0], trials, scored, study, colour)
        for axes, name in zip(every[1:], names, strict=False):
            _slice(axes, name, scored, study, colour)
        for axes in every[::_COLUMNS]:
            axes.set_ylabel("validation UAR, %")
        return _svg(figure, f"Search of {cell}")


def curves(cell: str, records: Iterable[RunRecord], study: Study) -> str | None:
    """Validation UAR and losses by epoch, a line for each replicate and their mean; ``None`` where there are none."""
    replicates = [record for record in finished_replicates(records) if record.history]
    if not replicates:
        return None
    losses = sorted({name for record in replicates for epoch in record.history for name in epoch if _is_loss(name)})
    panels = {"validation_uar": "validation UAR, %", **{name: f"loss: {name.removeprefix('loss/')}" for name in losses}}
    with rc_context(_STYLE):
        figure, every = _panels(len(panels), sharex=True)
        colour = colours(study)[cell.partition("/")[0]]
        for axes, (name, title) in zip(every, panels.items(), strict=False):
            _curve(axes, replicates, name, 100.0 if name == "validation_uar" else 1.0, colour)
            axes.set_title(title)
            axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
        for axes in every[-_COLUMNS:]:
            axes.set_xlabel("epoch")
            axes.tick_params(labelbottom=True)
        return _svg(figure, f"Training of {cell}")


def _panels(count: int, *, sharex: bool = False, sharey: bool = False) -> tuple[Figure, list[Axes]]:
    """A figure of ``count`` panels of equal size, row by row."""
    lines = -(-count // _COLUMNS)
    figure = Figure(figsize=(_WIDTH, 2.3 * lines))
    every = list(np.ravel(figure.subplots(lines, _COLUMNS, sharex=sharex, sharey=sharey, squeeze=False)))
    _place(figure, lines, left=0.6, top=0.3, bottom=0.5, gap=0.2 if sharey else 0.45)
    for axes in every[count:]:
        axes.set_axis_off()
    return figure, every[:count]


def _place(figure: Figure, lines: int, *, left: float, top: float, bottom: float, gap: float) -> None:
    """Sets margins, in inches: matplotlib's own layout would measure every text, for most of the report's time."""
    width, height = figure.get_size_inches()
    panel = (height - top - bottom) / lines
    figure.subplots_adjust(
        left=left / width, right=1 - 0.15 / width, top=1 - top / height, bottom=bottom / height,
        wspace=gap / 3, hspace=0.55 / max(panel - 0.55, 0.1),
    )  # fmt: skip


def _dots(axes: Axes, row: Row, place: float, colour: str) -> None:
    scores = 100 * np.array(row.replicates)
    # Spread out around the row's line, in their order, so that equal scores do not hide one another.
    offsets = np.linspace(0.13, -0.13, len(scores)) if len(scores) > 1 else np.zeros(len(scores))
    axes.plot(scores, place + offsets, "o", color=colour, alpha=0.45, markersize=4, markeredgewidth=0)
    if row.mean is not None:
        spread = None if row.std is None else 100 * row.std
        axes.errorbar(100 * row.mean, place, xerr=spread, fmt="|", color=colour, markersize=13, markeredgewidth=2.2)
    if row.published is not None:
        axes.plot(row.published.mean, place, "D", markerfacecolor="none", markeredgecolor=_INK, markersize=6)


def _order(axes: Axes, trials: Sequence[RunRecord], scored: Sequence[RunRecord], study: Study, colour: str) -> None:
    _points(axes, [record.key.number for record in scored], scored, choose(scored, study.criterion), colour)
    finished = [record for record in scored if record.status == "finished"]
    if finished:
        best = np.maximum.accumulate([100 * record.metrics["validation_uar"] for record in finished])
        axes.step([record.key.number for record in finished], best, where="post", color=colour, linewidth=1, alpha=0.7)
    for record in trials:
        if record.status == "failed":
            axes.axvline(record.key.number, ymax=0.06, color="#c0392b", linewidth=2)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_title("trial")


def _slice(axes: Axes, name: str, scored: Sequence[RunRecord], study: Study, colour: str) -> None:
    distribution: Any = json_to_distribution(study.space[name]["distribution"])
    shown = [r for r in scored if name in study.searched(r.key.cell, r.config.values)]
    values: Sequence[Any] = [record.config.values[name] for record in shown]
    if isinstance(distribution, CategoricalDistribution):
        choices = list(distribution.choices)
        axes.set_xticks(range(len(choices)), [str(choice) for choice in choices])
        axes.set_xlim(-0.5, len(choices) - 0.5)
        values = [choices.index(value) for value in values]
    else:
        if distribution.log:
            axes.set_xscale("log")
            axes.xaxis.set_major_formatter(lambda value, place: f"{value:g}".replace("e-0", "e-"))
            axes.xaxis.set_minor_locator(NullLocator())
        axes.set_xlim(*_widened(distribution.low, distribution.high, distribution.log))
    _points(axes, values, shown, choose(scored, study.criterion), colour)
    axes.set_title(name)


def _points(
    axes: Axes, values: Sequence[Any], records: Sequence[RunRecord], selected: RunRecord | None, colour: str
) -> None:
    """Finished trials are filled, those stopped early hollow; the paper's is a diamond, the selected one has a ring."""
    for value, record in zip(values, records, strict=True):
        axes.plot(
            value,
            100 * record.metrics["validation_uar"],
            "D" if record.key.number == 0 else "o",
            color=colour,
            markersize=7 if record.key.number == 0 else 5,
            markeredgecolor=_INK if record.key.number == 0 else colour,
            markerfacecolor=colour if record.status == "finished" else "none",
        )
        if record is selected:
            ring = 100 * record.metrics["validation_uar"]
            axes.plot(value, ring, "o", markersize=12, markerfacecolor="none", markeredgecolor=_INK, markeredgewidth=1)


def _curve(axes: Axes, replicates: Sequence[RunRecord], name: str, scale: float, colour: str) -> None:
    by_epoch: dict[float, list[float]] = {}
    for record in replicates:
        points = [(epoch["epoch"], scale * epoch[name]) for epoch in record.history if name in epoch]
        if points:
            axes.plot(*zip(*points, strict=True), color=colour, linewidth=0.7, alpha=0.4)
        for epoch, value in points:
            by_epoch.setdefault(epoch, []).append(value)
    # Replicates stop at different epochs: a mean over the few that are left would jump for no other reason.
    most = {epoch: values for epoch, values in sorted(by_epoch.items()) if 2 * len(values) >= len(replicates)}
    means = [(epoch, np.mean(values)) for epoch, values in most.items()]
    if means:
        axes.plot(*zip(*means, strict=True), color=colour, linewidth=2)


def _is_loss(name: str) -> bool:
    return name.startswith("loss/")


def _widened(low: float, high: float, log: bool) -> tuple[float, float]:
    if log:
        factor = (high / low) ** 0.04
        return low / factor, high * factor
    return low - 0.04 * (high - low), high + 0.04 * (high - low)


def _svg(figure: Figure, title: str) -> str:
    """The figure as an SVG element of a page: the page's colours, no address of anything, names of its own."""
    text = io.StringIO()
    figure.savefig(text, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return inline(text.getvalue(), title)


def inline(svg: str, title: str) -> str:
    """An SVG document, as matplotlib writes it, as an element of an HTML page.

    ``title`` is said to those who cannot see it; it sets the names of things in one plot apart from another's, too.
    """
    prefix = re.sub(r"\W+", "-", title.lower()) + "-"
    element = svg[svg.index("<svg") :]
    element = re.sub(r"<metadata>.*?</metadata>", "", element, flags=re.DOTALL)
    element = re.sub(r"<!--.*?-->", "", element, flags=re.DOTALL)
    element = re.sub(r' (?:xmlns|xmlns:xlink|version)="[^"]*"', "", element)
    element = element.replace("xlink:href=", "href=")
    element = re.sub(r'\bid="', f'id="{prefix}', element)
    element = re.sub(r'href="#', f'href="#{prefix}', element)
    element = re.sub(r"url\(#", f"url(#{prefix}", element)
    element = re.sub(r"'[^']*Sans[^']*'[^;\"]*", "system-ui, sans-serif", element)
    element = element.replace(_INK, "currentColor").replace(_LINE, "var(--line)")
    element = re.sub(r"\n\s*", "\n", element)
    return element.replace("<svg", f'<svg role="img" aria-label="{_escape(title)}"', 1)


def _escape(text: str) -> str:
    replaced: Mapping[str, str] = {"&": "&amp;", "<": "&lt;", '"': "&quot;"}
    return "".join(replaced.get(letter, letter) for letter in text)
