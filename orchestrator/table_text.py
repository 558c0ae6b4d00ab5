"""The table as it is read: scores in per cent, the sentences that go with them, and the terminal's form of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from orchestrator.selection import ORACLE, VALIDATION, Comparison, Worth
from orchestrator.study import Study
from orchestrator.tables import Difference, Row
from search_spaces import Published

DEMO_WARNING = (
    "DEMO CORPORA: synthetic speech, for trying the software. These figures say nothing about real speech; "
    "published ones stand beside them for orientation only."
)


def render(rows: Sequence[Row], study: Study) -> Table:
    """The table for a terminal of 100 columns: a block for each task, every score in per cent."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold", title_justify="left")
    table.title, table.title_style = _heading(rows, study), ""
    table.add_column("variant", max_width=31)
    table.add_column("test UAR", no_wrap=True, justify="right")
    table.add_column("n", no_wrap=True, justify="right")
    if pooled := any(row.pooled is not None for row in rows):
        table.add_column("pooled", no_wrap=True, justify="right")
    if study.published:
        table.add_column("published", no_wrap=True, justify="right")
    table.add_column(Text(f"vs {study.reference}", overflow="fold"), no_wrap=True, max_width=20)
    table.add_column("val.", no_wrap=True, justify="right")
    table.add_column("search", no_wrap=True, justify="right")
    for task in study.tasks:
        table.add_row(Text(task.title, style="bold"))
        for row in rows:
            if row.task == task.name:
                table.add_row(*_line(row, study, pooled))
        table.add_section()
    table.caption_justify, table.caption_style = "left", "dim"
    table.caption = (
        "n: finished / planned replicates. vs: difference paired over replicates of equal seeds, p of the two-sided "
        "t-test, uncorrected. val.: validation UAR of the search trial chosen. search: finished / stopped early / failed."
    )
    return table


def selecting(worths: Sequence[Worth], study: Study) -> Table:
    """What each criterion would have chosen among the search trials, over all cells, for a terminal."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold", title_justify="left")
    table.title, table.title_style = Text("How to choose a configuration without target labels", style="bold"), ""
    for name in ("criterion", "test UAR", "lost to the oracle", "of the oracle's gain kept"):
        table.add_column(name, justify="left" if name == "criterion" else "right")
    for each in worths:
        table.add_row(criterion_text(each.criterion), percent(each.chosen), percent(each.regret), kept_text(each))
    if worths:
        table.add_row(
            "a trial at random", percent(worths[0].random), percent(worths[0].oracle - worths[0].random), "0 %"
        )
    table.caption_justify, table.caption_style = "left", "dim"
    table.caption = selecting_text(worths, study)
    return table


def selecting_text(worths: Sequence[Worth], study: Study) -> str:
    """What that table is of."""
    seeds = "one seed" if study.search_seeds == 1 else f"mean over {study.search_seeds} seeds"
    return _SELECTING.format(cells=len(worths[0].choices) if worths else 0, seeds=seeds)


def criterion_text(criterion: str) -> str:
    """A criterion as it is read."""
    return {VALIDATION: "validation (the search's own)", ORACLE: "oracle (no result)"}.get(
        criterion, criterion.replace("_", " ")
    )


def kept_text(compared: Comparison) -> str:
    """The share of the oracle's gain over a random choice that is kept."""
    return "–" if compared.kept is None else f"{100 * compared.kept:.0f} %"


def percent(value: float | None, digits: int = 1) -> str:
    """A score in [0, 1] as per cent."""
    return "–" if value is None else f"{100 * value:.{digits}f}"


def spread(mean: float | None, std: float | None) -> str:
    """Mean ± standard deviation of scores in [0, 1], in per cent."""
    return percent(mean) if std is None else f"{percent(mean)} ± {percent(std)}"


def published_text(figure: Published | None) -> str:
    """The paper's figure, in per cent as it stands there."""
    if figure is None:
        return "–"
    return f"{figure.mean:.1f}" if figure.std is None else f"{figure.mean:.1f} ± {figure.std:.1f}"


def difference_text(row: Row, study: Study) -> str:
    """``+2.0 p=.012 n=10``: the paired difference in points of UAR."""
    if row.variant == study.reference:
        return "reference"
    if row.difference is None:
        return "–"
    p = p_value(row.difference)
    tested = f" p{p if p.startswith('<') else f'={p}'}" if p else ""
    return f"{100 * row.difference.mean:+.1f}{tested} n={row.difference.pairs}"


def p_value(difference: Difference) -> str:
    """``.012``; empty where there is no test."""
    if difference.p is None:
        return ""
    return "<.001" if difference.p < 0.001 else f"{difference.p:.3f}".replace("0.", ".", 1)


def value_text(value: Any) -> str:
    """A hyperparameter or a count as it is read: three significant digits, whole numbers whole."""
    if isinstance(value, float):
        return f"{value:.0f}" if value.is_integer() and abs(value) < 1e6 else f"{value:.3g}"
    return str(value)


def search_text(row: Row) -> str:
    """Search trials: finished / stopped early / failed."""
    return "/".join(str(row.search.get(status, 0)) for status in ("finished", "stopped", "failed"))


def notes(rows: Sequence[Row], study: Study) -> list[str]:
    """What a reader must know to read the table, a sentence each."""
    searched = sum(sum(row.search.values()) for row in rows)
    replicated = sum(len(row.replicates) for row in rows)
    stopped, failed = (sum(row.search.get(status, 0) for row in rows) for status in ("stopped", "failed"))
    failures = failed + sum(row.failures for row in rows)
    incomplete = [row.cell for row in rows if not row.complete]
    tasks = [study.task_of(row.cell) for row in rows]
    runs = searched + replicated + sum(row.failures for row in rows)
    sentences = [
        "UAR (unweighted average recall) on the target's test set in per cent: mean ± sample standard deviation over "
        f"n replicates; chance is {', '.join(sorted({percent(row.chance) for row in rows}))}.",
        *sorted({f"Protocol {task.protocol}: {task.grants}." for task in tasks}),
        *sorted({f"Selected by {_SELECTION.get(task.selection, task.selection)}." for task in tasks}),
        *([] if study.search_seeds == 1 else [_SEARCH_SEEDS.format(seeds=study.search_seeds)]),
        *([] if study.criterion == VALIDATION else [_CHOSEN.format(criterion=study.criterion.replace("_", " "))]),
        *sorted({cut_text(task.max_frames) for task in tasks if task.max_frames is not None}),
        *([_POOLED] if any(row.pooled is not None for row in rows) else []),
        *([study.published_note] if study.published_note and study.published else []),
        f"{runs} runs: {searched} search trials ({stopped} stopped early), {replicated} replicates, {failures} failed.",
    ]
    if incomplete:
        named = ", ".join(incomplete)
        sentences.append(f"INCOMPLETE: {len(incomplete)} of {len(rows)} cells lack replicates: {named}.")
    return sentences


def cut_text(frames: int) -> str:
    """That a launch's utterances are not whole."""
    return (
        f"Utterances longer than {frames} frames are cut to the {frames} in their middle, to save time, which the paper "
        "does not do (--max-frames 0)."
    )


def cautions(rows: Sequence[Row], study: Study) -> list[str]:
    """What the table does not show, a sentence each."""
    begun = sorted({sum(row.search.values()) for row in rows if study.cells[row.cell]})
    fixed = len({row.variant for row in rows if not study.cells[row.cell]})
    if study.trials == 1 or not begun:
        budget = "Nothing was searched: every cell was trained with the paper's own configuration, once for the search"
    elif begun == [study.trials]:
        budget = f"Every cell had the same budget: {study.trials} search trials of at most {study.epochs} epochs"
    else:
        why = "" if study.time_budget is None else f" (--time-budget {study.time_budget:.0f} s ended the search)"
        budget = (
            f"Cells had from {begun[0]} to {begun[-1]} of {study.trials} planned search trials of at most "
            f"{study.epochs} epochs{why}: where they had unequal budgets, so had the methods"
        )
    if begun and fixed and study.trials > 1:
        budget += f"; {fixed} {'variant has' if fixed == 1 else 'variants have'} fixed settings and one search trial"
    shown = any(study.task_of(row.cell).search_sees_tested for row in rows if study.cells[row.cell])
    comparisons = len(study.variants) - 1
    return [
        "Difference: mean over replicates of equal seed, and so of equal split, of the test UAR less that of "
        f"{study.reference!r}, in points, with its 95 % interval; two-sided paired t-test, n - 1 degrees of freedom. "
        f"p is not corrected for the {comparisons} comparisons of a task. Replicates share training utterances and the "
        "whole test set, so p speaks of other seeds on these corpora, not of other corpora.",
        f"{budget}; the paper's own configuration is the first, and {study.replicates} replicates of the best one ran "
        "under seeds that the search did not use. A trial that failed or was stopped early is never selected.",
        *([_STOPPED] if any(row.search.get("stopped") for row in rows) else []),
        *([_SHOWN] if shown and study.trials > 1 else []),
    ]


_STOPPED = (
    "Trials were stopped early by their validation so far: one whose adaptation comes in late, by its schedule or its "
    "pseudo-labels, may have gone before it could show (--no-early-stopping)."
)

_SHOWN = (
    "Seeds take turns at the speakers that are tested. So labels that selected hyperparameters under the search's seed "
    "may be of utterances that a replicate tests, though nothing in its own run saw them; --paper-values selects nothing."
)

_SELECTING = (
    "Mean over {cells} cells with more than one search trial to choose from: test UAR of the one that each criterion "
    "chooses, {seeds} each. The oracle chooses by the test score itself, the best of many noisy ones: no criterion "
    "can be expected to keep all of its gain. Label-free ones look at the target's features, whether or not training did."
)

_SEARCH_SEEDS = (
    "Every search trial was trained under {seeds} seeds, the same ones in every trial and none of them a replicate's; its "
    "figures, and what stopped it early or chose it, are means over them."
)

_CHOSEN = (
    "Among a cell's search trials {criterion} chose the one that is replicated (--select-by), and validation where "
    "{criterion} says nothing."
)

_POOLED = (
    "Replicates take turns at what is tested. Pooled: UAR of all their predictions together, in which "
    "every prediction of a class counts the same; the mean is over replicates, however much each of them tests."
)

_SELECTION = {
    "source_val": "source_val: held-out source utterances select checkpoint and hyperparameters, no target label does",
    "source_train": "source_train: the source's training set selects checkpoint and hyperparameters, nothing was held out",
    "target_dev": "target_dev: a labelled development part of the target selects checkpoint and hyperparameters",
    "source_val+target_dev": "source_val+target_dev: held-out source utterances and a labelled development part of the "
    "target select checkpoint and hyperparameters together",
    "oracle": "oracle: the test set itself; an upper bound, no result",
}


def _heading(rows: Sequence[Row], study: Study) -> Text:
    heading = Text(f"{study.title} ({study.source})\n", style="bold")
    if study.demo:
        heading.append(f"{DEMO_WARNING}\n", style="bold red")
    for sentence in notes(rows, study):
        heading.append(f"{sentence}\n", style="bold yellow" if sentence.startswith("INCOMPLETE") else "not bold")
    return heading


def _line(row: Row, study: Study, pooled: bool) -> list[Text | str]:
    done = f"{len(row.replicates)}/{row.planned}"
    cells: list[Text | str] = [
        row.title,
        Text(spread(row.mean, row.std), style="bold"),
        Text(done, style="" if row.complete else "bold yellow"),
    ]
    if pooled:
        cells.append(percent(row.pooled))
    if study.published:
        cells.append(published_text(row.published))
    return [*cells, difference_text(row, study), percent(row.best_validation_uar), search_text(row)]
