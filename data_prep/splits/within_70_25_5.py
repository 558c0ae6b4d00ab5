"""Training and test on one corpus: a random 70 % trains, 25 % tests, 5 % stops early (dann.txt, 4.2.1, mono-lingual).

The statistics that standardise are those of the training part. The parts are the same under every seed.
"""

from __future__ import annotations

import numpy as np

from data_prep.splits import Protocol, Side, Split
from data_prep.splits._parts import at_random, same_for_every_seed


def _draw(source: Side, target: Side, rng: np.random.Generator) -> Split:
    train, test, validation = at_random(len(source), (0.7, 0.25, 0.05), same_for_every_seed())
    return Split(train=train, validation=validation, adaptation=train, test=test)


PROTOCOL = Protocol(
    name="within_70_25_5",
    source="dann.txt, 4.2.1",
    grants="a random 70 % of the corpus for training, and the statistics of these for standardising it; 5 % for "
    "validation; the other 25 % are the test set",
    selection="source_val",
    normalisation="corpus",
    within=True,
    draw=_draw,
)
