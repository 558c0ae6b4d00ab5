"""Like ``random_80_20`` (addi.txt, 5.1), made speaker-independent: 20 % of the source's speakers validate.

Acted corpora repeat the same sentences in every emotion. A random split trains on the very sentence that it validates,
said by the same speaker in another emotion; here that is another speaker's. The sentences themselves are in both parts,
as in every split by speaker; they tell no emotion, as each is said in all.
"""

from __future__ import annotations

import numpy as np

from data_prep.errors import InputError
from data_prep.splits import Protocol, Side, Split
from data_prep.splits._parts import WHOLE_TARGET, rows_of


def _draw(source: Side, target: Side, rng: np.random.Generator) -> Split:
    speakers = rng.permutation(sorted(set(source.speakers)))
    if len(speakers) < 2:
        raise InputError(f"protocol speakers_80_20 needs two source speakers or more; {len(speakers)} are there")
    held_out = set(speakers[: max(1, round(0.2 * len(speakers)))])
    validates = np.array([speaker in held_out for speaker in source.speakers])
    return Split(
        train=np.flatnonzero(~validates),
        validation=np.flatnonzero(validates),
        adaptation=rows_of(target),
        test=rows_of(target),
    )


PROTOCOL = Protocol(
    name="speakers_80_20",
    source="addi.txt, 5.1, made speaker-independent",
    grants=f"80 % of the source's speakers for training, 20 % for validation; {WHOLE_TARGET}",
    selection="source_val",
    normalisation="source",
    speaker_disjoint=(("train", "validation"),),
    draw=_draw,
)
