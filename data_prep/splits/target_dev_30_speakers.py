"""The whole source trains; target speakers with 30 % of its utterances, labelled, select; the others test (addi.txt, 5.4).

The target's parts are the same under every seed.
"""

from __future__ import annotations

import numpy as np

from data_prep.splits import Protocol, Side, Split
from data_prep.splits._parts import by_speaker, same_for_every_seed, selected_on_target


def _draw(source: Side, target: Side, rng: np.random.Generator) -> Split:
    return selected_on_target(
        source, target, *by_speaker(target.speakers, (0.3, 0.7), same_for_every_seed(), PROTOCOL.name)
    )


PROTOCOL = Protocol(
    name="target_dev_30_speakers",
    source="addi.txt, 5.4",
    grants="the whole source for training; speakers with about 30 % of the target's utterances, with labels, as "
    "development set; all of the target without labels for adaptation; the other speakers as the test set",
    selection="target_dev",
    normalisation="source",
    speaker_disjoint=(("development", "test"),),
    draw=_draw,
)
