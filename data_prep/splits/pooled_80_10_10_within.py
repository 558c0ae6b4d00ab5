"""The pooled corpora of ``pooled_80_10_10``, tested on the 10 % of each that were held out (attributes.txt, 4.1 and 5).

The parts are the same under every seed.
"""

from __future__ import annotations

import numpy as np

from data_prep.splits import Protocol, Side, Split
from data_prep.splits._parts import same_for_every_seed
from data_prep.splits.pooled_80_10_10 import pool


def _draw(source: Side, target: Side, rng: np.random.Generator) -> Split:
    train, validation, test = pool(source, same_for_every_seed())
    return Split(train=train, validation=validation, adaptation=train, test=test)


PROTOCOL = Protocol(
    name="pooled_80_10_10_within",
    source="attributes.txt, 4.1 and 5",
    grants="of each corpus, speakers with about 80 % of the utterances for training and 10 % for validation; the "
    "other speakers are the test set",
    selection="source_val",
    normalisation="source",
    speaker_disjoint=(("train", "validation", "test"), ("adaptation", "test")),
    within=True,
    draw=_draw,
)
