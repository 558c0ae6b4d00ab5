"""The whole source trains; a random 20 % of the target, with labels, validates; the rest tests (addi.txt, 5.6, FAU-AIBO).

The target's parts are the same under every seed.
"""

from __future__ import annotations

import numpy as np

from data_prep.splits import Protocol, Side, Split
from data_prep.splits._parts import at_random, same_for_every_seed, selected_on_target


def _draw(source: Side, target: Side, rng: np.random.Generator) -> Split:
    return selected_on_target(source, target, *at_random(len(target), (0.2, 0.8), same_for_every_seed()))


PROTOCOL = Protocol(
    name="target_dev_20",
    source="addi.txt, 5.6",
    grants="the whole source for training; a random 20 % of the target with labels as development set; all of the "
    "target without labels for adaptation; the other 80 % as the test set",
    selection="target_dev",
    normalisation="source",
    draw=_draw,
)
