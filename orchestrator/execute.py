"""From a launch's settings to its table: data, plan, search, replicates, report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.console import Console

from data_prep import splits
from data_prep.errors import INTERRUPTED
from data_prep.store import Store
from orchestrator import estimate, prepare
from orchestrator import launch as tune_launch
from orchestrator.environment import describe_environment
from orchestrator.launches import Launch, finish
from orchestrator.plan import Plan
from orchestrator.progress import Progress, clock_text
from orchestrator.report import conclude
from orchestrator.scheduler import CellScheduler
from orchestrator.searcher import SweepSearcher
from orchestrator.study import Study
from orchestrator.tracking import Tracker, default_tracking_uri
from trainables.data import TaskData, draw, load_task


def execute(launch: Launch, console: Console) -> int:
    """Runs a launch to its end and prints its table; returns the exit status."""
    directory = launch.directory
    assert directory is not None, "a launch that runs has a folder"
    tune_launch.connect(launch.address)
    store, plan, tasks = prepare_plan(launch)
    resources = tune_launch.share_out(launch.workers, launch.trials_per_gpu)
    tracker = Tracker(
        directory,
        launch.tracking_uri or default_tracking_uri(),
        launch.name,
        context=_context(launch, store, plan),
        tags=_tags(launch, store),
    )
    console.print(
        f"{len(plan.cells)} cells, {plan.runs} runs, {resources.concurrent} at a time; launch folder {directory}"
    )
    progress = Progress(plan, tracker, resources.concurrent, console)
    searcher = SweepSearcher(plan, directory / "optuna.db", progress, time_budget=launch.time_budget)
    scheduler = CellScheduler(plan, progress.finished_records().values(), searcher.explain)
    with progress:
        tune_launch.run(searcher, scheduler, tasks, directory, resources, tracker.attach)
    if not searcher.done:
        tracker.interrupted()
        console.print(
            f"interrupted after {progress.line()}; nothing that has ended is lost. Go on with:\n"
            f"  python -m orchestrator.sweep {launch.sweep} --resume"
        )
        return INTERRUPTED
    undelivered = conclude(console, launch, tracker)
    for problem in searcher.problems:
        console.print(f"problem: {problem}")
    if undelivered == 0:
        finish(launch)
    return 1 if searcher.problems or undelivered else 0


def dry_run(launch: Launch, console: Console) -> int:
    """Prints what a launch would run and how long that should take."""
    tune_launch.connect(launch.address)
    _, plan, tasks = prepare_plan(launch)
    resources = tune_launch.share_out(launch.workers, launch.trials_per_gpu)
    per_run = estimate.seconds_per_cell(plan, tasks)
    for cell in plan.cells:
        searched = ", ".join(cell.space) if plan.trials > 1 else "the paper's values only"
        console.print(
            f"{cell.name}: {plan.trials} search trials ({searched}) + {plan.replicates} replicates, "
            f"up to {clock_text(per_run[cell.name])} each"
        )
    whole = estimate.seconds_of_plan(plan, per_run, resources.concurrent)
    console.print(
        f"{plan.runs} runs of up to {plan.epochs} epochs, {resources.concurrent} at a time: "
        f"about {clock_text(whole)} at the most (early stopping and the learning-rate schedule end many sooner)"
    )
    return 0


def prepare_plan(launch: Launch) -> tuple[Store, Plan, dict[str, TaskData]]:
    """A launch's store, made ready, its plan, and the data of the tasks in it."""
    store = prepare.make_ready(launch.data, launch.tasks[0].feature, launch.corpora())
    fingerprints = {task.name: store.fingerprint(task.feature, [*task.sources, *task.targets]) for task in launch.tasks}
    plan = launch.plan(fingerprints)
    tasks = {cell.task.name: cell.task for cell in plan.cells}
    data = {name: load_task(store, task) for name, task in tasks.items()}
    for name, task in tasks.items():
        for seed in plan.seeds:
            draw(data[name], task, seed)  # a class that a split lacks is said now, not by a run in the night
    return store, plan, data


def _context(launch: Launch, store: Store, plan: Plan) -> dict[str, Any]:
    """What ``reproduce`` and ``report`` need besides a run's configuration."""
    demo = store.is_demo(launch.corpora())
    return {
        "study": Study.of(launch.load_sweep(), plan, demo=demo).to_dict(),
        "launch": launch.to_dict(),
        "data": launch.data.to_dict(),
        "demo": demo,
        "workers": launch.workers,
        "environment": describe_environment(),
    }


def _tags(launch: Launch, store: Store) -> dict[str, str]:
    protocol = splits.load(launch.tasks[0].protocol)
    environment = describe_environment()
    return {
        "ser.sweep": launch.name,
        "ser.protocol": protocol.name,
        "ser.selection": protocol.selection,
        "ser.demo_corpora": str(store.is_demo(launch.corpora())).lower(),
        "ser.store": str(Path(store.path).name),
        "ser.code": environment["code"],
        "ser.machine": environment["machine"],
        "ser.command": launch.command,
    }
