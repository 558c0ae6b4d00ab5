"""Runs a plan: one Tune experiment for the whole sweep, on one pool of warm workers."""

from __future__ import annotations

import logging
import shutil
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ray
from ray import tune

from data_prep.errors import InputError
from orchestrator import MODELS, RECOVERY
from orchestrator.environment import software
from orchestrator.telling import TELLING_SECONDS
from orchestrator.trial import is_packed, run_trial
from orchestrator.warm import no_environment_for_trials
from trainables.recovery import RECOVERY_SECONDS, Recovery

PRETRAINED = "pretrained"
# The share of a GPU that is left beside a process that packs runs, for pretext tasks, which are not packed.
_BESIDE = 0.25

if TYPE_CHECKING:
    from orchestrator.plan import Plan
    from orchestrator.searcher import SweepSearcher
    from trainables.config import TaskConfig
    from trainables.data import TaskData


@dataclass(frozen=True, kw_only=True)
class Resources:
    """What one trial takes, and how many run at a time.

    Attributes:
        cpus, gpus: of one data-parallel worker of a trial.
        workers: data-parallel workers of a trial.
        concurrent: trials at a time.
        packers: processes that train runs in batches; with none, each trial trains its own run.
    """

    cpus: float
    gpus: float
    workers: int
    concurrent: int
    packers: int = 0

    @property
    def processes(self) -> int:
        """How many processes train at a time."""
        return self.packers or self.concurrent


def share_out(plan: Plan, workers: int, trials_per_gpu: int, pack: int = 1) -> Resources:
    """How the cluster that Ray sees is shared out among trials.

    A trial takes a core and, where there are GPUs, a share of one; a trial on several workers a whole GPU for each. Where
    runs are packed, each GPU, or each core where there is none, has a process that trains up to ``pack`` of them in a batch.

    Raises:
        InputError: there are too few cores or GPUs for one trial, its workers cannot share a batch equally, or runs are to
            be packed, or to be of one trial, that are trained on several workers each.
    """
    _check_together(plan.search_seeds, workers, pack)
    there = ray.cluster_resources()
    cpus, gpus = int(there.get("CPU", 1)), int(there.get("GPU", 0))
    if pack > 1:
        packers = gpus or cpus
        return Resources(cpus=1, gpus=_BESIDE if gpus else 0, workers=1, concurrent=pack * packers, packers=packers)
    shares = trials_per_gpu if workers == 1 else 1
    concurrent = (min(gpus * shares, cpus) if gpus else cpus) // workers
    if not concurrent:
        raise InputError(f"--workers {workers}: a trial would need as many cores or GPUs; Ray has {cpus} and {gpus}")
    for cell in plan.cells:
        for size in cell.batch_sizes:
            if size % workers:
                raise InputError(
                    f"--workers {workers} cannot share a batch of {size} equally, which {cell.name} may have"
                )
    return Resources(cpus=1, gpus=1 / shares if gpus else 0, workers=workers, concurrent=concurrent)


def _check_together(seeds: int, workers: int, pack: int) -> None:
    """Refuses what several runs in one process cannot be."""
    for option, runs in (("--pack", pack), ("--search-seeds", seeds)):
        if runs > 1 and workers > 1:
            raise InputError(
                f"{option} {runs} trains several runs in one process, --workers {workers} one run in several"
            )
    if 1 < pack < seeds:
        raise InputError(
            f"--pack {pack} holds fewer runs than a search trial has with --search-seeds {seeds}; give --pack {seeds} or "
            "more"
        )


def run(
    searcher: SweepSearcher,
    scheduler: tune.schedulers.TrialScheduler,
    tasks: Mapping[TaskConfig, TaskData],
    directory: Path,
    resources: Resources,
    *,
    recovery_seconds: float = RECOVERY_SECONDS,
    telling_seconds: float = TELLING_SECONDS,
) -> None:
    """Trains all that the searcher hands out, until it has no more or is interrupted (Ctrl-C, SIGTERM).

    Args:
        searcher: what to train next; it records what comes back.
        scheduler: which search trials to stop early.
        tasks: each task's data; put into shared memory once.
        directory: of this launch; Tune's own state goes below it.
        resources: what a trial takes.
        recovery_seconds: how long a run goes on at the least before its state is kept, and then again.
        telling_seconds: how long a run's epochs wait to be told of together.
    """
    pretrained = str(pretrained_folder(directory).resolve())
    recovery = Recovery(directory.resolve() / RECOVERY, software(), recovery_seconds)
    models = directory.resolve() / MODELS
    for folder in (recovery.folder, models):
        folder.mkdir(exist_ok=True)
    for unheard_of in models.glob("*.pt"):  # of runs that were cut off before they could tell of it
        unheard_of.unlink()
    there = ray.put(dict(tasks))
    packers = _start_packers(there, resources, pretrained, recovery)
    trainable = tune.with_parameters(
        run_trial,
        tasks=(there,),
        workers=resources.workers,
        gpu=resources.gpus > 0,
        models=str(models),
        pretrained=pretrained,
        recovery=recovery,
        telling_seconds=telling_seconds,
        packers=packers,
    )

    def own(config: Mapping[str, Any]) -> tune.PlacementGroupFactory:
        # A trial on several workers, or in a pack, waits for them: it must not take the cores that they need.
        if (packers and is_packed(config)) or (resources.workers > 1 and config["kind"] != "pretraining"):
            return tune.PlacementGroupFactory([{"CPU": 0.01}])
        return tune.PlacementGroupFactory([{"CPU": resources.cpus, "GPU": resources.gpus}])

    tuner = tune.Tuner(
        tune.with_resources(trainable, own),
        tune_config=tune.TuneConfig(
            search_alg=searcher,
            scheduler=scheduler,
            num_samples=-1,
            reuse_actors=True,
            max_concurrent_trials=resources.concurrent,
        ),
        run_config=tune.RunConfig(
            name="tune",
            storage_path=str(directory.resolve()),
            verbose=0,
            failure_config=tune.FailureConfig(max_failures=0),
        ),
    )
    # Ray Train's processes would miss what they have from the trial's environment.
    in_any_worker = no_environment_for_trials() if resources.workers == 1 else nullcontext()
    try:
        with _terminated_like_interrupted(), _quiet(), in_any_worker:
            tuner.fit()
    finally:
        for packer in packers:
            ray.kill(packer)
    if searcher.done:
        shutil.rmtree(recovery.folder, ignore_errors=True)


def _start_packers(tasks: ray.ObjectRef, resources: Resources, pretrained: str, recovery: Recovery) -> list[Any]:
    """Starts the processes that train runs in batches, on all nodes."""
    if not resources.packers:
        return []
    from orchestrator.packer import Packer

    most, gpu = resources.concurrent // resources.packers, resources.gpus > 0
    actor = ray.remote(Packer).options(
        num_cpus=0,
        num_gpus=1 - _BESIDE if gpu else 0,
        # A thread for each run that is waited for, and for each that is dropped.
        max_concurrency=2 * resources.concurrent + 1,
        max_restarts=-1,
        scheduling_strategy="SPREAD",
    )
    return [actor.remote(tasks, most, gpu, pretrained, recovery) for _ in range(resources.packers)]


def pretrained_folder(directory: Path) -> Path:
    """Where a launch keeps the runs that others start from: beside all launches, which share them.

    Only launches of the same code and packages share them. A launch goes on with those that it began with, whatever code
    it is resumed with.

    Args:
        directory: of the launch, ``runs/<sweep>/<time>``.
    """
    note = directory / PRETRAINED
    if not note.exists():
        beside = note.with_suffix(".new")
        beside.write_text(software())
        beside.replace(note)
    return directory.parent.parent / PRETRAINED / note.read_text()


@contextmanager
def _terminated_like_interrupted() -> Iterator[None]:
    """Lets SIGTERM end a sweep as Ctrl-C does: Tune listens to SIGINT alone.

    Afterwards both signals mean what they meant before. Tune would leave its own handler of SIGINT behind, and the first
    Ctrl-C after a sweep would be lost.
    """
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    signal.signal(signal.SIGTERM, lambda number, frame: signal.raise_signal(signal.SIGINT))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keeps Tune's and Train's notes off the progress view: the searcher tells of what fails, with its reason."""
    loggers = [logging.getLogger(name) for name in ("ray.tune", "ray.train", "ray.air", "ray.data")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
