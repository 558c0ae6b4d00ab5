"""The report of a launch: ``python -m orchestrator.report ablation_addi`` makes it again from MLflow alone."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from rich.console import Console

from data_prep import labels
from data_prep.errors import command
from orchestrator import plots
from orchestrator.launches import Launch
from orchestrator.plan import Plan
from orchestrator.progress import make_console
from orchestrator.records import RunRecord
from orchestrator.tables import (
    DEMO,
    Row,
    best_cell,
    cells_of,
    notes,
    plus_minus,
    render,
    replicates,
    settings,
    summarise,
)
from search_spaces import Sweep


def print_table(console: Console, plan: Plan, sweep: Sweep, records: Sequence[RunRecord], demo: bool) -> list[Row]:
    """Prints the table and what a reader must know of it; returns its rows."""
    rows = summarise(plan, sweep, records)
    console.print(render(sweep, rows, demo))
    for note in notes(plan, sweep, rows, demo):
        console.print(note, style="yellow" if note.isupper() or note == DEMO else "dim")
    return rows


def write_report(
    path: Path, plan: Plan, sweep: Sweep, records: Sequence[RunRecord], context: Mapping[str, Any]
) -> None:
    """Writes a launch's report as one HTML file that needs nothing else.

    Args:
        path: the file.
        plan: the launch's plan.
        sweep: the sweep, with the launch's tasks.
        records: all runs that have ended.
        context: of the launch, as MLflow holds it.
    """
    rows = summarise(plan, sweep, records)
    environment = Environment(loader=PackageLoader("orchestrator"), autoescape=True, undefined=StrictUndefined)
    classes = labels.load(plan.cells[0].task.scheme).classes
    page = environment.get_template("report.html.j2").render(
        title=f"{sweep.title}{' — demo corpora' if context['demo'] else ''}",
        sweep=sweep,
        launched=context["launched"],
        finished=len(records),
        demo=DEMO if context["demo"] else "",
        tasks=_by_task(rows),
        notes=[note for note in notes(plan, sweep, rows, context["demo"]) if note != DEMO],
        overview=Markup(plots.overview(rows, 1 / len(classes))),
        reproduce=reproduce_command(plan, rows),
        again=f"python -m orchestrator.report {plan.sweep}",
        cells=[_cell(row, records, classes) for row in rows],
        provenance=_provenance(plan, context),
    )
    path.write_text(page, encoding="utf-8")


def reproduce_command(plan: Plan, rows: Sequence[Row]) -> str:
    """The command that reproduces the best cell, by validation; empty where no cell has a replicate."""
    best = best_cell(rows)
    return "" if best is None else f"python -m orchestrator.reproduce {plan.sweep}/{best.cell.name}"


def _by_task(rows: Sequence[Row]) -> list[tuple[str, list[tuple[Row, list[str]]]]]:
    tasks: dict[str, list[tuple[Row, list[str]]]] = {}
    for row in rows:
        task = f"{' + '.join(row.cell.task.sources)} → {' + '.join(row.cell.task.targets)}"
        tasks.setdefault(task, []).append((row, cells_of(row)))
    return list(tasks.items())


def _cell(row: Row, records: Sequence[RunRecord], classes: Sequence[str]) -> dict[str, Any]:
    own = [record for record in records if record.key.cell == row.cell.name]
    chosen = [] if row.selected is None else [("selected", f"search trial {row.selected.key.number}")]
    chosen += [] if row.selected is None else list(settings(row.selected).items())
    chosen += [
        (
            f"replicate {record.key.number}",
            f"{100 * record.metrics['test_uar']:.1f} % test UAR, best epoch "
            f"{record.metrics['best_epoch']:.0f} of {record.metrics['epochs_run']:.0f}, seed {record.config.seed}",
        )
        for record in replicates(own)
    ]
    chosen += [(str(record.key), record.error) for record in own if record.error]
    return {
        "name": row.cell.name,
        "score": f"{plus_minus(row.mean, row.std)} % (n = {len(row.scores)})",
        "settings": chosen,
        "figure": Markup(plots.cell_figure(row.cell, own, classes)),
    }


def _provenance(plan: Plan, context: Mapping[str, Any]) -> list[tuple[str, str]]:
    environment, launch = context["environment"], context["launch"]
    data = {f"data of {cell.task.name}": cell.data for cell in plan.cells}
    return [
        ("command", launch["command"]),
        (
            "budget",
            f"{plan.trials} search trials and {plan.replicates} replicates per cell, up to {plan.epochs} epochs",
        ),
        ("sampler, seed", f"{plan.sampler}, {plan.seed}"),
        ("store", context["data"]["store"]),
        *data.items(),
        ("code", environment["code"]),
        ("machine", environment["machine"]),
        ("packages", ", ".join(f"{name} {version}" for name, version in environment["packages"].items())),
    ]


@command
def main(arguments: Sequence[str] | None = None) -> int:
    """Prints a launch's table and writes its report; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m orchestrator.report", description="Make a launch's table and report again, from MLflow alone."
    )
    parser.add_argument("launch", metavar="LAUNCH", help="a sweep's name, for its latest launch, or a parent run's id")
    parser.add_argument("--out", type=Path, default=Path("report.html"), help="the file to write (default report.html)")
    parser.add_argument("--tracking-uri", help="MLflow; default: MLFLOW_TRACKING_URI, else sqlite:///mlflow.db here")
    given = parser.parse_args(arguments)
    from orchestrator.addresses import default_tracking_uri
    from orchestrator.runs import load_launch

    records, context, _ = load_launch(given.tracking_uri or default_tracking_uri(), given.launch)
    launch = Launch.from_dict(context["launch"])
    plan, sweep = launch.plan(context["fingerprints"]), launch.load_sweep()
    print_table(make_console(), plan, sweep, records, context["demo"])
    write_report(given.out, plan, sweep, records, context)
    print(f"report {given.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
