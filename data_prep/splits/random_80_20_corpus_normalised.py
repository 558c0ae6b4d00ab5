"""Like ``random_80_20`` (addi.txt, 5.1), with each corpus standardised by its own unlabelled statistics."""

from __future__ import annotations

from data_prep.splits import Protocol
from data_prep.splits._parts import WHOLE_TARGET
from data_prep.splits.random_80_20 import draw

PROTOCOL = Protocol(
    name="random_80_20_corpus_normalised",
    source="addi.txt, 5.1, with each corpus standardised by its own unlabelled statistics",
    grants=f"a random 80 % of the source for training, 20 % for validation; {WHOLE_TARGET}, "
    "and its statistics for standardising it",
    selection="source_val",
    normalisation="corpus",
    draw=draw,
)
