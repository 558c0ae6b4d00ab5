"""What features have of memory and of the disk."""

from __future__ import annotations

import argparse
import math
import os
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

if TYPE_CHECKING:
    from trainables.loading import Room

FEATURES = ".features"
# Of memory, Ray's object store has three tenths where it is not told otherwise. Features may be there four times, as a table,
# as what is chosen of it, as an array and in that store: half of it, four times, is what a machine has room for.
_OBJECT_STORE, _SHARE = 0.3, 0.5
MEMORY_HELP = (
    "GiB of features that are held in memory at the most; what does not fit is streamed from the store into files below "
    f"the folder of runs, {FEATURES}/, and read from there batch by batch, with the same numbers (default: half of Ray's "
    "object store, which is a seventh of a machine's memory)"
)


def gibibytes(text: str) -> float:
    """What ``--memory`` is given."""
    try:
        size = float(text)
    except ValueError:
        size = math.nan
    if not 0 <= size < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is no size; give GiB, 0 or more")
    return size


def room_for_features(memory: float | None, runs: Path, console: Console) -> Room:
    """What features have of memory and of the disk.

    Args:
        memory: GiB of memory; ``None`` for what the nodes that Ray sees have room for, or this machine where there is no Ray.
        runs: folder of the launches, which all nodes see.
        console: is told what does not fit.
    """
    import ray

    from trainables.loading import Room

    if memory is not None:
        size = memory * 2**30
    elif ray.is_initialized():
        size = _SHARE * min(node["Resources"].get("object_store_memory", 0) for node in ray.nodes() if node["Alive"])
    else:
        size = _SHARE * _OBJECT_STORE * os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return Room(int(size), (runs / FEATURES).resolve(), lambda line: console.print(line, soft_wrap=True))
