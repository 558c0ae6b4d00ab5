"""Like ``speakers_60_20_20``, with N or x % of the target's training part labelled (pseudo_label.txt, 5.3: 25, 50, 100).

All of them, ``speakers_60_20_20_labelled_100_percent``, is the paper's upper bound (5.2).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from data_prep.errors import InputError
from data_prep.splits import Amount, Protocol, Side, Split, speakers_60_20_20
from data_prep.splits._parts import same_for_every_seed


def PROTOCOL(amount: Amount) -> Protocol:
    """The protocol that grants ``amount`` of the labels of the target's training part."""
    name = f"speakers_60_20_20_labelled{amount.suffix}"

    def draw(source: Side, target: Side, rng: np.random.Generator) -> Split:
        split = speakers_60_20_20.draw(source, target, rng)
        granted = amount.of(len(split.adaptation))
        if not 1 <= granted <= len(split.adaptation):
            raise InputError(
                f"protocol {name} labels {granted} of the {len(split.adaptation)} target utterances that training may "
                "see; it must be 1 to all of them"
            )
        return replace(split, labelled=np.sort(same_for_every_seed().permutation(split.adaptation)[:granted]))

    return replace(
        speakers_60_20_20.PROTOCOL,
        name=name,
        source="pseudo_label.txt, 4.2, 5.2 and 5.3",
        grants=f"{speakers_60_20_20.PROTOCOL.grants}; and the labels of {amount} of the utterances for adaptation",
        draw=draw,
    )
