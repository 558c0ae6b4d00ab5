"""What the sweep command is asked for, as a launch: every name and number of the command line checked."""

from __future__ import annotations

import argparse
import dataclasses
import shlex
import sys
from pathlib import Path

import search_spaces
from data_prep.errors import InputError, unknown
from data_prep.plan import corpus_arguments
from orchestrator.launches import Launch, latest
from orchestrator.plan import cells
from orchestrator.prepare import choose
from search_spaces import Preset, Sweep
from trainables.config import TaskConfig

_MAY_MOVE = ("address", "tracking_uri", "memory")


def asked_for(given: argparse.Namespace, usual: argparse.Namespace) -> Launch:
    """The launch that a command line asks for: a new one, or with ``--resume`` the latest of the sweep that did not end.

    Args:
        given: the command line.
        usual: what it is where nothing but the sweep is given.

    Raises:
        InputError: there is no such launch, or something of it is wrong.
    """
    name = Path(given.name).stem
    if not given.resume:
        return plan_launch(given, name)
    launch = latest(given.runs, name)
    _refuse_changes(given, usual)
    return dataclasses.replace(
        launch, **{key: getattr(given, key) for key in _MAY_MOVE if getattr(given, key) is not None}
    )


def _refuse_changes(given: argparse.Namespace, usual: argparse.Namespace) -> None:
    """A resumed launch goes on with the plan that it began with; where it runs may have changed."""
    free = {"resume", "dry_run", "runs", "name", *_MAY_MOVE}
    changed = [key for key, value in vars(given).items() if key not in free and value != getattr(usual, key)]
    if changed:
        options = ", ".join("--" + key.replace("_", "-") for key in changed)
        raise InputError(f"--resume goes on with the launch's own settings; leave {options} out, or start a new launch")


def plan_launch(given: argparse.Namespace, name: str) -> Launch:
    """The launch that the command line asks for, every name and number in it checked."""
    sweep = search_spaces.load(given.name)
    if given.preset not in sweep.presets:
        raise unknown("preset", given.preset, sweep.presets)
    preset = _budget(sweep.presets[given.preset], given)
    corpora = corpus_arguments(given.corpus)
    tasks = _tasks(sweep, given, preset)
    chosen = cells(dataclasses.replace(sweep, tasks=tasks), lambda task: "", given.cells or _patterns(preset, given))
    tasks = tuple(task for task in tasks if any(cell.column == task for cell in chosen))
    needed = sorted({name for cell in chosen for task in cell.tasks for name in task.corpora})
    source = choose(given.store, corpora, preset.demo, needed)
    if source.demo is not None:
        print("no store and no corpora given: using demo corpora of synthetic speech, for trying the software only")
    return Launch(
        sweep=given.name,
        name=name,
        tasks=tasks,
        epochs=preset.epochs,
        trials=preset.trials,
        replicates=preset.replicates,
        cells=tuple(cell.name for cell in chosen),
        seed=given.seed,
        sampler=given.sampler,
        criterion=given.select_by,
        early_stopping=not given.no_early_stopping,
        time_budget=given.time_budget,
        data=source,
        preset=given.preset,
        workers=given.workers,
        trials_per_gpu=given.trials_per_gpu,
        pack=given.pack,
        search_seeds=given.search_seeds,
        address=given.address,
        tracking_uri=given.tracking_uri,
        memory=given.memory,
        command=shlex.join(["python", "-m", "orchestrator.sweep", *sys.argv[1:]]),
    )


def _patterns(preset: Preset, given: argparse.Namespace) -> tuple[str, ...]:
    """The preset's cells; all of them on corpora of the user's own choice, after which the preset's are not named."""
    return ("*",) if given.source or given.target or given.protocol or given.scheme else preset.cells


def _budget(preset: Preset, given: argparse.Namespace) -> Preset:
    changes = {key: getattr(given, key) for key in ("epochs", "trials", "replicates") if getattr(given, key)}
    if given.paper_values:
        if given.trials not in (None, 1):
            raise InputError("--paper-values searches nothing; leave --trials out")
        changes["trials"] = 1
    return dataclasses.replace(preset, **changes)


def _tasks(sweep: Sweep, given: argparse.Namespace, preset: Preset) -> tuple[TaskConfig, ...]:
    tasks = tuple(sweep.tasks)
    if given.source or given.target:
        if not (given.source and given.target):
            raise InputError("--source and --target go together: give both")
        sources, targets = (tuple(text.split("+")) for text in (given.source, given.target))
        tasks = (dataclasses.replace(tasks[0], sources=sources, targets=targets),)
    changed = {name: getattr(given, name) for name in ("protocol", "scheme") if getattr(given, name)}
    tasks = tuple(dataclasses.replace(task, **changed) for task in tasks)
    for variant in sweep.variants:
        for task in tasks:
            search_spaces.check_task(variant.on(task))
    frames = preset.max_frames if given.max_frames is None else given.max_frames or None
    return tuple(dataclasses.replace(task, max_frames=frames) for task in tasks)
