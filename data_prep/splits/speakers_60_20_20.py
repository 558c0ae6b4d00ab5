"""Source and target are each parted 60/20/20 into training, validation and test by speaker (pseudo_label.txt, 4.2).

The target's training part is without labels (the paper's 0 labelled utterances, 5.3); the validation parts of both select the
checkpoint (3.2.4). The source's test part is seen by nothing. Each corpus is parted by itself: a speaker of TESS has a
thousand of the paper's five emotions, and with one of them, 14 of RAVDESS's 24 and 2 of SAVEE's 4 the source trains on 1,684
utterances, where the paper has 1,682 (5.3). The target's parts are the same under every seed.
"""

from __future__ import annotations

import numpy as np

from data_prep.splits import Protocol, Side, Split
from data_prep.splits._parts import by_speaker_in_each_corpus, same_for_every_seed

DISJOINT = (("train", "validation"), ("adaptation", "development", "test"), ("labelled", "development", "test"))


def draw(source: Side, target: Side, rng: np.random.Generator) -> Split:
    """The split of this protocol; more of the target's training part may be granted afterwards."""
    train, validation, _ = by_speaker_in_each_corpus(source, (0.6, 0.2, 0.2), rng, PROTOCOL.name)
    fixed = same_for_every_seed()
    adaptation, development, test = by_speaker_in_each_corpus(target, (0.6, 0.2, 0.2), fixed, PROTOCOL.name)
    return Split(train=train, validation=validation, adaptation=adaptation, test=test, development=development)


PROTOCOL = Protocol(
    name="speakers_60_20_20",
    source="pseudo_label.txt, 4.2 and 5.3",
    grants="of each corpus, speakers with about 60 % of the source's utterances for training, 20 % for validation; speakers with about "
    "60 % of the target's without labels for adaptation, 20 % with labels as development set; the target's other "
    "speakers as the test set",
    selection="source_val+target_dev",
    normalisation="source",
    speaker_disjoint=DISJOINT,
    draw=draw,
)
