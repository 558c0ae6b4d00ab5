"""Ray Data at work: all cores of this machine, or of a cluster, on the shards of a build; or this machine on its disk."""

from __future__ import annotations

import itertools
import logging
import math
import os
import socket
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from data_prep import heap, shards
from data_prep.errors import InputError
from data_prep.shards import Shard, ShardResult

_SHARDS_PER_TASK = 16  # at most
_TASKS_PER_CORE = 64  # at least, where there are as many shards
_AHEAD = 2  # tasks that a worker has, the one it does included: at the end, others stand idle for what waits with one


@contextmanager
def connected(address: str | None) -> Iterator[None]:
    """Ray, while the block runs: the one that this process has, else the cluster at ``address``, else one of our own.

    Raises:
        InputError: no cluster answers at ``address``.
    """
    import ray

    if ray.is_initialized():
        yield
        return
    join(address)
    try:
        yield
    finally:
        ray.shutdown()


def join(address: str | None) -> None:
    """Joins the Ray cluster at ``address``, or starts Ray on this machine.

    Raises:
        InputError: no cluster answers at ``address``.
    """
    import ray

    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    options: dict[str, Any] = {"address": address}
    if not address:
        heap.keep_in_children()
        options = {"include_dashboard": False}
    try:
        _knock(address)
        ray.init(log_to_driver=False, logging_level=logging.ERROR, **options)
    except (OSError, ValueError, RuntimeError) as error:
        if address is None:
            raise
        raise InputError(f"no Ray cluster answers at {address!r}: {str(error).splitlines()[0]}") from error


def _knock(address: str | None) -> None:
    """Raises an :class:`OSError` where nothing listens at ``host:port``: Ray would try for minutes."""
    host, _, port = (address or "").removeprefix("ray://").rpartition(":")
    if host and port.isdigit():
        socket.create_connection((host, int(port)), timeout=10).close()


def on_all_cores(todo: Sequence[Shard]) -> Generator[ShardResult]:
    """The results of the shards as they are done, in any order; closing it ends the work."""
    import ray.data

    with _quiet():
        tasks = _tasks(len(todo))
        dataset = ray.data.from_items([{"shard": shard} for shard in todo], override_num_blocks=tasks)
        writers = ray.data.ActorPoolStrategy(size=min(_cores(), tasks), max_tasks_in_flight_per_actor=_AHEAD)
        yield from _results(dataset.map(_Writer, compute=writers))


def on_this_node(worker: type, given: Any, todo: Sequence[Any], at_once: int) -> Generator[Any]:
    """What comes of each of ``todo``, in any order, on this machine alone, and whatever else has its cores.

    Args:
        worker: a class, made of ``given`` in each process, and called with ``{"todo": one}``; it returns ``{"result": ...}``.
        given: what all have in common.
        todo: a task each.
        at_once: processes at the most.
    """
    import ray
    import ray.data

    with connected(None), _quiet():
        here = {"ray.io/node-id": ray.get_runtime_context().get_node_id()}
        dataset = ray.data.from_items([{"todo": one} for one in todo], override_num_blocks=len(todo))
        processes = ray.data.ActorPoolStrategy(size=min(at_once, len(todo)))
        # No cores: a trial that waits for what these do has those that they would ask for.
        done = dataset.map(worker, fn_constructor_args=(given,), compute=processes, num_cpus=0, label_selector=here)
        yield from _results(done)


def _results(dataset: Any) -> Generator[Any]:
    """What workers return, as it comes."""
    rows = iter(dataset.iter_rows())
    with _unheard():
        first = next(rows)
    for row in itertools.chain([first], rows):
        yield row["result"]


@contextmanager
def _quiet() -> Iterator[None]:
    """Ray Data without its notes and bars, while the block runs."""
    import ray.data

    context = ray.data.DataContext.get_current().copy()
    context.enable_progress_bars = False
    logger = logging.getLogger("ray.data")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with ray.data.DataContext.current(context):
            yield
    finally:
        logger.setLevel(level)


@contextmanager
def _unheard() -> Iterator[None]:
    """Keeps what is no Python off standard error.

    As workers start, Ray's core says there that one whose function is in the object store may not start again. It can: it
    is there as long as this process.
    """
    with open(os.devnull, "w") as nothing:
        kept = os.dup(2)
        os.dup2(nothing.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def _cores() -> int:
    import ray

    return max(1, int(ray.cluster_resources().get("CPU", 1)))


def _tasks(shards: int) -> int:
    """How many tasks that many shards are: each costs Ray Data some time, and the last one keeps a single core busy."""
    return math.ceil(shards / max(1, min(_SHARDS_PER_TASK, shards // (_TASKS_PER_CORE * _cores()))))


class _Writer:
    """A worker that writes shards, one task after another: what it is to do next is there when it has done one."""

    def __call__(self, row: Mapping[str, Shard]) -> dict[str, ShardResult]:
        return {"result": shards.write(row["shard"])}
