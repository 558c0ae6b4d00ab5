"""Workers that are ready when the first trial is: those that Ray starts beforehand, with what a trial needs imported.

Ray starts a worker for each core with itself, and Tune's trials would not use them: they ask for an environment of their
own, so that Ray starts other processes for them when the first trial begins, and those import PyTorch and Tune then.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from types import SimpleNamespace

_MODULES = "orchestrator.trial"  # what trials are made of
# Of a machine. Ray starts a worker for each, and where GPUs train, most of them have nothing to do but to hold memory.
_MOST_CORES = 8


def preload() -> None:
    """Has the workers of a Ray that this process starts import what trials need, as soon as they are there.

    They have one thread for linear algebra each. Ray sets that, too, but when a worker gets its work: after the imports.
    They stay for a minute without work. Ray would end them after a second, from when cores are promised to trials until
    these ask for workers.
    """
    if (os.cpu_count() or 1) <= _MOST_CORES:
        os.environ.setdefault("RAY_preload_python_modules", _MODULES)
        os.environ.setdefault("OMP_NUM_THREADS", "1")
        os.environ.setdefault("RAY_idle_worker_killing_time_threshold_ms", "60000")


@contextmanager
def no_environment_for_trials() -> Iterator[None]:
    """Lets Tune's trials run in any worker, while the block runs.

    Tune gives them an environment in which PyTorch Lightning does not fork, and copies into it some of the driver's
    variables, for storage and for Ray Train's own processes: a trial that trains in its own process needs none of that.
    """
    import ray
    from ray.tune.execution import tune_controller

    before = tune_controller._ActorClassCache
    tune_controller._ActorClassCache = lambda: SimpleNamespace(get=cache(ray.remote))
    try:
        yield
    finally:
        tune_controller._ActorClassCache = before
