"""``pooled_80_10_10`` with the target's features granted besides, for what looks at them (attributes.txt, 4.1).

The paper's own methods see nothing of the target. This is for what stands beside them and does.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from data_prep.splits import Protocol, Side, Split
from data_prep.splits import pooled_80_10_10 as pooled
from data_prep.splits._parts import rows_of


def _draw(source: Side, target: Side, rng: np.random.Generator) -> Split:
    return replace(pooled.PROTOCOL.draw(source, target, rng), adaptation=rows_of(target))


PROTOCOL: Protocol = replace(
    pooled.PROTOCOL,
    name="pooled_80_10_10_unlabelled",
    grants="of each source corpus, speakers with about 80 % of the utterances for training and 10 % for validation; all "
    "of the target without labels, which is the test set too",
    draw=_draw,
)
