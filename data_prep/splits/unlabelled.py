"""All of one or more corpora, without a single label: what a pretext task is trained on (addi.txt, 3.2 and 4.1.6)."""

from __future__ import annotations

import numpy as np

from data_prep.splits import Protocol, Side, Split
from data_prep.splits._parts import rows_of


def _draw(source: Side, target: Side, rng: np.random.Generator) -> Split:
    return Split(train=rows_of(source), validation=rows_of(()), adaptation=rows_of(()), test=rows_of(()))


PROTOCOL = Protocol(
    name="unlabelled",
    source="addi.txt, 3.2 and 4.1.6",
    grants="all utterances, with no label; nothing selects and nothing is tested: the last epoch's weights are kept",
    selection="none",
    normalisation="source",
    within=True,
    draw=_draw,
)
