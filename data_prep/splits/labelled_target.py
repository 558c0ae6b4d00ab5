"""N or x % of the target come labelled, into training and validation as the source does (addi.txt, 5.5, Figure 3).

The paper gives the percentages in a figure alone. The labelled utterances are parted 80:20 into training and
development, as 5.1 parts the source, and none of them is tested. They are the same under every seed.
"""

from __future__ import annotations

import numpy as np

from data_prep.errors import InputError
from data_prep.splits import Amount, Protocol, Side, Split
from data_prep.splits._parts import at_random, rows_of, same_for_every_seed


def PROTOCOL(amount: Amount) -> Protocol:
    """The protocol that grants ``amount`` of the target's labels."""
    name = f"labelled_target{amount.suffix}"

    def draw(source: Side, target: Side, rng: np.random.Generator) -> Split:
        train, validation = at_random(len(source), (0.8, 0.2), rng)
        granted = amount.of(len(target))
        if not 2 <= granted < len(target):
            raise InputError(
                f"protocol {name} labels {granted} of {len(target)} target utterances; it must be 2 or more, for "
                "training and development, and leave some for the test"
            )
        order = same_for_every_seed().permutation(len(target))
        development = max(1, round(0.2 * granted))
        return Split(
            train=train,
            validation=validation,
            adaptation=rows_of(target),
            test=np.sort(order[granted:]),
            labelled=np.sort(order[development:granted]),
            development=np.sort(order[:development]),
        )

    return Protocol(
        name=name,
        source="addi.txt, 5.5",
        grants=f"a random 80 % of the source for training, 20 % for validation; a random {amount} of the target's "
        "utterances with labels, four in five for training and the others as development set; all of the target "
        "without labels for adaptation; what is not labelled as the test set",
        selection="source_val+target_dev",
        normalisation="source",
        draw=draw,
    )
