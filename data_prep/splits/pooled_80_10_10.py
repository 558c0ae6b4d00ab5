"""The source's corpora are pooled, each parted 80/10/10 by speaker; other corpora test (attributes.txt, 4.1).

The paper pools seven corpora by its abstract, six by the list in 4.1, and tests on TESS and CREMA-D, of which training sees nothing.
``pooled_80_10_10_within`` parts them likewise and tests on the third part.
"""

from __future__ import annotations

import numpy as np

from data_prep.splits import Protocol, Side, Split
from data_prep.splits._parts import by_speaker, in_each_corpus, rows_of


def pool(source: Side, rng: np.random.Generator) -> list[np.ndarray]:
    """Training, validation and test rows of the pooled corpora."""
    parted = [
        [rows[part] for part in by_speaker([source.speakers[row] for row in rows], (0.8, 0.1, 0.1), rng, PROTOCOL.name)]
        for rows in in_each_corpus(source.corpora).values()
    ]
    return [np.sort(np.concatenate(parts)) for parts in zip(*parted, strict=True)]


def _draw(source: Side, target: Side, rng: np.random.Generator) -> Split:
    train, validation, _ = pool(source, rng)
    return Split(train=train, validation=validation, adaptation=rows_of(()), test=rows_of(target))


PROTOCOL = Protocol(
    name="pooled_80_10_10",
    source="attributes.txt, 4.1",
    grants="of each source corpus, speakers with about 80 % of the utterances for training and 10 % for validation; "
    "nothing of the target, which is the test set",
    selection="source_val",
    normalisation="source",
    speaker_disjoint=(("train", "validation"),),
    draw=_draw,
)
