"""The report of a launch: one HTML file that needs nothing else, made at its end or again from MLflow alone.

``python -m orchestrator.report ablation_addi`` makes the report of the sweep's latest launch.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from rich.console import Console

from data_prep import splits
from data_prep.errors import InputError, command
from orchestrator import plots, selection, table_text
from orchestrator.environment import command_line
from orchestrator.launches import Launch
from orchestrator.mlflow_client import default_tracking_uri
from orchestrator.progress import make_console
from orchestrator.records import RunRecord
from orchestrator.runs import find_launch, load_records
from orchestrator.study import Study
from orchestrator.tables import Row, best_row, finished_replicates, summary
from orchestrator.tracking import Tracker


def conclude(console: Console, launch: Launch, tracker: Tracker) -> int:
    """Ends a launch: prints its table, writes its report, logs it with the parent run, delivers all that is left.

    Returns:
        How many events MLflow has not taken; they stay in the launch's journal.
    """
    assert launch.directory is not None, "a launch that runs has a folder"
    study = Study.from_dict(tracker.context["study"])
    tracker.flush()
    records = [record for record in tracker.finished_records().values() if record.key.kind != "pretraining"]
    rows = summary(records, study)
    console.print(table_text.render(rows, study))
    _print_choices(console, records, study)
    commands = report_commands(rows, records, study, tracker.tracking_uri)
    path = launch.directory / "report.html"
    write_report(path, study, records, tracker.context, commands)
    tracker.add_artifact(path)
    undelivered = tracker.close()
    console.print(f"report: {path}")
    for what, line in commands.items():
        console.print(f"{what}: {line}", soft_wrap=True)
    if tracker.rejected:
        console.print(f"MLflow refused {len(tracker.rejected)} entries, the first for {tracker.rejected[0]}")
    if undelivered:
        console.print(
            f"{undelivered} events could not be delivered to MLflow at {tracker.tracking_uri} ({tracker.trouble}); "
            f"they are kept in {launch.directory / 'journal.jsonl'}. Once it answers, deliver them with:\n"
            f"  {launch.resume_command()}"
        )
    return undelivered


def report_commands(
    rows: Sequence[Row], records: Sequence[RunRecord], study: Study, tracking_uri: str
) -> dict[str, str]:
    """What to type to train the best cell (by validation) again, and to make the report again; by what it does."""
    where = [] if tracking_uri == default_tracking_uri() else ["--tracking-uri", tracking_uri]
    commands = {}
    best = best_row(rows)
    if best is not None:
        first = finished_replicates(record for record in records if record.key.cell == best.cell)[0]
        run = first.run_id or f"{study.name}/{best.cell}"
        what = f"reproduce the best cell by validation UAR, {best.cell}"
        commands[what] = command_line("orchestrator.reproduce", run, *where)
    commands["make the report again"] = command_line("orchestrator.report", study.name, *where)
    return commands


def write_report(
    path: Path, study: Study, records: Sequence[RunRecord], context: Mapping[str, Any], commands: Mapping[str, str]
) -> None:
    """Writes the report to ``path``.

    Args:
        path: of the file; replaced when it is there.
        study: the sweep as the launch ran it.
        records: of its runs; incomplete cells are shown as incomplete.
        context: the launch's, for what is said of code, machine and command.
        commands: what each does, to what is to be typed.
    """
    rows = summary(records, study)
    pages = Environment(
        loader=PackageLoader("orchestrator"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    pages.filters["zip"] = zip
    page = pages.get_template("report.html.j2").render(
        study=study,
        tasks=[(task, [row for row in rows if row.task == task.name]) for task in study.tasks],
        text=table_text,
        notes=[*table_text.notes(rows, study), *table_text.cautions(rows, study)],
        overview=Markup(plots.overview(rows, study)),
        cells=[_cell(row, records, study) for row in rows],
        worths=_worths(records, study),
        colours=plots.colours(study),
        commands=commands,
        provenance=_provenance(context),
    )
    beside = path.with_suffix(".new")
    try:
        beside.write_text(page, encoding="utf-8")
        beside.replace(path)
    except OSError as error:
        raise InputError(f"the report {path} cannot be written: {error.strerror}; give another with --out") from error


def parser() -> argparse.ArgumentParser:
    """The command's arguments."""
    this = argparse.ArgumentParser(
        prog="python -m orchestrator.report",
        description="Print a launch's table and make its report again, from MLflow alone.",
    )
    this.add_argument("launch", metavar="LAUNCH", help="a sweep's name (its latest launch), or the id of a run of one")
    this.add_argument("--out", type=Path, default=Path("report.html"), help="the file to write (default report.html)")
    this.add_argument("--tracking-uri", help="MLflow; default: MLFLOW_TRACKING_URI, else sqlite:///mlflow.db here")
    return this


@command
def main(arguments: Sequence[str] | None = None) -> int:
    """Makes a report again; returns the exit status."""
    given = parser().parse_args(arguments)
    console = make_console()
    uri = given.tracking_uri or default_tracking_uri()
    records, context = load_records(uri, *find_launch(uri, given.launch))
    study = Study.from_dict(context["study"])
    rows = summary(records, study)
    console.print(table_text.render(rows, study))
    _print_choices(console, records, study)
    write_report(given.out, study, records, context, report_commands(rows, records, study, uri))
    console.print(f"report: {given.out}")
    return 0


def _worths(records: Sequence[RunRecord], study: Study) -> list[selection.Worth]:
    """What each way to choose a trial is worth, cells in the table's order; nothing where there was nothing to choose."""
    cells = list(study.cells)
    across = [record for record in records if not splits.load(record.config.task.protocol).within]
    ordered = sorted(across, key=lambda record: cells.index(record.key.cell))
    return selection.worth(ordered)


def _print_choices(console: Console, records: Sequence[RunRecord], study: Study) -> None:
    if worths := _worths(records, study):
        console.print(table_text.selecting(worths, study))


def _cell(row: Row, records: Sequence[RunRecord], study: Study) -> dict[str, Any]:
    """What the report shows of one cell."""
    own = [record for record in records if record.key.cell == row.cell]
    search, curves = plots.search(row.cell, own, study), plots.curves(row.cell, own, study)
    return {
        "row": row,
        "task": study.task(row.task),
        "search": search and Markup(search),
        "curves": curves and Markup(curves),
        "confusion": _confusion(own),
        "replicates": finished_replicates(own),
        "unfinished": [record for record in own if record.status in ("failed", "killed")],
    }


def _confusion(records: Sequence[RunRecord]) -> list[list[tuple[int, float]]] | None:
    """Counts summed over the finished replicates, each with its share of the row; ``None`` where there are none."""
    matrices = [record.confusion for record in finished_replicates(records) if record.confusion is not None]
    if not matrices:
        return None
    counts = np.sum(np.array(matrices), axis=0)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return [
        [(int(count), float(share)) for count, share in zip(*pair, strict=True)]
        for pair in zip(counts, shares, strict=True)
    ]


def _provenance(context: Mapping[str, Any]) -> dict[str, str]:
    """How the launch was run, as far as its context says."""
    environment, launch = context.get("environment", {}), context.get("launch", {})
    packages = ", ".join(f"{name} {version}" for name, version in environment.get("packages", {}).items())
    known = {
        "command": launch.get("command"),
        "sampler": launch.get("sampler"),
        "store": context.get("data", {}).get("store"),
        "code": environment.get("code"),
        "machine": environment.get("machine"),
        "Python": environment.get("python"),
        "packages": packages,
    }
    return {name: str(value) for name, value in known.items() if value}


if __name__ == "__main__":
    sys.exit(main(None))
