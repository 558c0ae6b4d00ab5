"""Separate, named random streams: split, initialisation, order and noise.

Each stream, and each part of one, is seeded from the run's seed and its own name. So drawing more from one stream
(another network, another player, another epoch) changes nothing in another, and training resumes exactly without any
random state being saved: what an epoch or a step draws depends on its name and number alone.
"""

from __future__ import annotations

import zlib

import numpy as np


def stream_seed(seed: int, *names: str | int) -> int:
    """The seed of the stream called by ``names`` (such as ``"order", "source", 3``) of a run, in [0, 2**63)."""
    keys = [name if isinstance(name, int) else zlib.crc32(name.encode()) for name in names]
    return int(np.random.SeedSequence(entropy=seed, spawn_key=keys).generate_state(1, np.uint64)[0] >> np.uint64(1))


def stream(seed: int, *names: str | int) -> np.random.Generator:
    """A NumPy generator of the stream called by ``names``."""
    return np.random.default_rng(stream_seed(seed, *names))
