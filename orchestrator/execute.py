"""From a launch's settings to its table: data, plan, search, replicates, report."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from data_prep.errors import INTERRUPTED
from data_prep.store import Store
from orchestrator import cluster, estimate, prepare
from orchestrator import launch as tune_launch
from orchestrator.environment import describe_environment
from orchestrator.launches import Launch, finish, start
from orchestrator.memory import room_for_features
from orchestrator.plan import Plan
from orchestrator.progress import Progress, clock_text
from orchestrator.scheduler import CellScheduler
from orchestrator.searcher import SweepSearcher
from orchestrator.study import Study
from orchestrator.table_text import cut_text
from orchestrator.tracking import Tracker, default_tracking_uri
from trainables.config import TaskConfig
from trainables.data import TaskData
from trainables.examine import examine
from trainables.loading import load_tasks, stream


def execute(launch: Launch, runs: Path, console: Console) -> int:
    """Runs a launch to its end and prints its table; returns the exit status.

    Args:
        launch: a new one, which gets its folder below ``runs`` when all that can be checked beforehand has been; or one
            that has a folder, and is gone on with.
        runs: folder of the launches.
        console: for progress and table.
    """
    cluster.connect(launch.address)
    store, plan, tasks = prepare_plan(launch, runs, console)
    resources = tune_launch.share_out(plan, launch.workers, launch.trials_per_gpu, launch.pack)
    stream(tasks.values())
    if launch.directory is None:
        launch = start(runs, launch)
    directory = launch.directory
    assert directory is not None, "it has just got one"
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
        tune_launch.run(searcher, scheduler, tasks, directory, resources)
    if not searcher.done:
        tracker.interrupted()
        console.print(f"interrupted after {progress.line()}; nothing that has ended is lost. Go on with:")
        console.print(f"  {launch.resume_command()}", soft_wrap=True)
        return INTERRUPTED
    from orchestrator.report import conclude  # here, for nothing is plotted before, and Matplotlib takes its time

    undelivered = conclude(console, launch, tracker)
    for problem in searcher.problems:
        console.print(f"problem: {problem}")
    if undelivered == 0:
        finish(launch)
    return 1 if searcher.problems or undelivered else 0


def dry_run(launch: Launch, runs: Path, console: Console) -> int:
    """Prints what a launch would run and how long that should take; arguments as in :func:`execute`."""
    cluster.connect(launch.address)
    _, plan, tasks = prepare_plan(launch, runs, console)
    resources = tune_launch.share_out(plan, launch.workers, launch.trials_per_gpu, launch.pack)
    per_run = estimate.seconds_per_cell(plan, tasks)
    table = Table("cell", "search trials", "replicates", "a run, up to", "parameters searched", box=None)
    for cell in plan.cells:
        trials, searched = plan.trials_of(cell), len(cell.space) if plan.trials > 1 else 0
        table.add_row(cell.name, *map(str, (trials, plan.replicates, clock_text(per_run[cell.name]), searched)))
    console.print(table)
    whole = estimate.seconds_of_plan(plan, per_run, resources.processes, launch.time_budget)
    if before := estimate.seconds_of_starts(plan, tasks):
        console.print(f"what they start from, each trained once: about {clock_text(before)} of one core or GPU share")
        whole += before / resources.processes
    console.print(
        f"{plan.runs} runs of up to {plan.epochs} epochs, {resources.concurrent} at a time: "
        f"about {clock_text(whole)} at the most (early stopping and the learning-rate schedule end many sooner)"
    )
    if plan.search_seeds > 1:
        console.print(f"a search trial is {plan.search_seeds} runs, under as many seeds; that is counted in it")
    if launch.pack > 1:
        console.print(f"what a GPU saves by training up to {launch.pack} runs as one batch is not counted in that")
    for frames in sorted({task.max_frames for task in launch.tasks if task.max_frames is not None}):
        console.print(cut_text(frames))
    if launch.time_budget is not None:
        console.print(f"searches begin no new trial after {clock_text(launch.time_budget)}")
    if launch.directory is not None:
        console.print(f"the whole launch, with what has ended in {launch.directory} already")
    return 0


def prepare_plan(launch: Launch, runs: Path, console: Console) -> tuple[Store, Plan, dict[TaskConfig, TaskData]]:
    """A launch's store, made ready, its plan, and the data of the tasks in it; arguments as in :func:`execute`."""
    store = prepare.make_ready(launch.data, launch.corpora(), console)
    plan = launch.plan(functools.cache(lambda task: store.fingerprint(task.feature, task.corpora)))
    tasks = list(dict.fromkeys(task for cell in plan.cells for task in cell.tasks))
    data = load_tasks(store, tasks, room_for_features(launch.memory, runs, console))
    for task in tasks:
        for remark in examine(data[task], task, plan.seeds):
            console.print(f"{task.title}: {remark}")
    return store, plan, data


def _context(launch: Launch, store: Store, plan: Plan) -> dict[str, Any]:
    """What ``reproduce`` and ``report`` need besides a run's configuration."""
    demo = _is_demo(launch, store)
    return {
        "study": Study.of(launch.load_sweep(), plan, time_budget=launch.time_budget, demo=demo).to_dict(),
        "launch": launch.to_dict(),
        "data": launch.data.to_dict(),
        "demo": demo,
        "workers": launch.workers,
        "environment": describe_environment(),
    }


def _tags(launch: Launch, store: Store) -> dict[str, str]:
    environment = describe_environment()
    return {
        "ser.sweep": launch.name,
        "ser.demo_corpora": str(_is_demo(launch, store)).lower(),
        "ser.store": store.path.name,
        "ser.code": environment["code"],
        "ser.command": launch.command,
    }


def _is_demo(launch: Launch, store: Store) -> bool:
    return store.is_demo(name for names in launch.corpora().values() for name in names)
