"""A random 80 % of the source trains, 20 % validates, the whole target tests (addi.txt, 5.1)."""

from __future__ import annotations

import numpy as np

from data_prep.splits import Protocol, Side, Split
from data_prep.splits._parts import WHOLE_TARGET, at_random, rows_of


def draw(source: Side, target: Side, rng: np.random.Generator) -> Split:
    """The split of this protocol; the same with other normalisation."""
    train, validation = at_random(len(source), (0.8, 0.2), rng)
    return Split(train=train, validation=validation, adaptation=rows_of(target), test=rows_of(target))


PROTOCOL = Protocol(
    name="random_80_20",
    source="addi.txt, 5.1",
    grants=f"a random 80 % of the source for training, 20 % for validation; {WHOLE_TARGET}",
    selection="source_val",
    normalisation="source",
    draw=draw,
)
