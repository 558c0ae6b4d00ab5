"""The whole source trains; a random 30 % of the target, with labels, stops training early; the rest tests (dann.txt, 4.1).

Each corpus is standardised by its own statistics, as in the paper. Those of the target are over all of it: the features of
the utterances that are tested are among them, without a label, for the paper's setting is transductive. The target's parts
are the same under every seed.
"""

from __future__ import annotations

import numpy as np

from data_prep.splits import Protocol, Side, Split
from data_prep.splits._parts import at_random, same_for_every_seed, selected_on_target


def _draw(source: Side, target: Side, rng: np.random.Generator) -> Split:
    return selected_on_target(source, target, *at_random(len(target), (0.3, 0.7), same_for_every_seed()))


PROTOCOL = Protocol(
    name="target_dev_30",
    source="dann.txt, 4.1",
    grants="the whole source for training; a random 30 % of the target with labels as development set; all of the "
    "target without labels for adaptation, and its statistics, in which the test set's features count, for standardising "
    "it; the other 70 % as the test set",
    selection="target_dev",
    normalisation="corpus",
    draw=_draw,
)
