"""Like ``random_80_20`` (addi.txt, 5.1), with each corpus standardised by its own unlabelled statistics.

The whole target is the test set, and the target's statistics are over all of it: the tested utterances' features are in
them, without a label. ``random_80_20`` is the same with nothing of the target in what standardises it.
"""

from __future__ import annotations

from data_prep.splits import Protocol
from data_prep.splits._parts import WHOLE_TARGET
from data_prep.splits.random_80_20 import draw

PROTOCOL = Protocol(
    name="random_80_20_corpus_normalised",
    source="addi.txt, 5.1, with each corpus standardised by its own unlabelled statistics",
    grants=f"a random 80 % of the source for training, 20 % for validation; {WHOLE_TARGET}, "
    "and its statistics, in which the test set's features count, for standardising it",
    selection="source_val",
    normalisation="corpus",
    draw=draw,
)
