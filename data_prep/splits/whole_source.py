"""The whole source trains, the whole target tests (addi.txt, 5.2, its comparison across languages).

Nothing is held out, so nothing but the training set can select the checkpoint; the paper does not say what did.
"""

from __future__ import annotations

import numpy as np

from data_prep.splits import Protocol, Side, Split
from data_prep.splits._parts import WHOLE_TARGET, rows_of


def _draw(source: Side, target: Side, rng: np.random.Generator) -> Split:
    everything = rows_of(source)
    return Split(train=everything, validation=everything, adaptation=rows_of(target), test=rows_of(target))


PROTOCOL = Protocol(
    name="whole_source",
    source="addi.txt, 5.2",
    grants=f"the whole source for training, and again for validation; {WHOLE_TARGET}",
    selection="source_train",
    normalisation="source",
    draw=_draw,
)
