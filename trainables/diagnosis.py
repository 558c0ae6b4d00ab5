"""What is known of a trained model besides its test scores, at the cost of reading a sample of utterances once.

No label of the target comes in: label-free criteria of how well it does there, and how well source and target can be
told apart, in the features themselves and in the model's representation.
"""

from __future__ import annotations

import functools

import numpy as np

from trainables import criteria, probes
from trainables.data import Granted
from trainables.streams import stream
from trainables.validation import Model

_MOST = 500  # utterances of each part


def diagnose(model: Model, granted: Granted, seed: int) -> dict[str, float]:
    """``criterion/<name>`` (:mod:`trainables.criteria`) and ``domain_accuracy/`` ``raw`` and ``representation``.

    All come from at most 500 utterances of each part, drawn from the run's stream "diagnosis". Of the target they are
    those that the protocol grants to adapt to; where it grants none, they are of the test set, of which training has
    seen nothing. There is no deep embedded validation where no source is held out from training.

    Args:
        model: the selected checkpoint.
        granted: what the protocol lets training see.
        seed: the run's.
    """
    split = granted.split
    held_out = np.setdiff1d(split.validation, split.train)
    unlabelled = split.adaptation if len(split.adaptation) else split.test
    train, validation, target = (
        _sample(rows, seed, part)
        for part, rows in (("train", split.train), ("validation", held_out), ("target", unlabelled))
    )
    if min(len(train), len(target)) < 2:
        return {}
    read = {"train": model.representations(train, "source"), "target": model.representations(target, "target")}
    raw = probes.frame_statistics(granted.source, train), probes.frame_statistics(granted.target, target)
    groups = [granted.source.speakers[row] for row in train], [granted.target.speakers[row] for row in target]
    # A domain of one speaker has no other to be tested on: there its utterances are told apart, whoever speaks.
    by_speaker = groups if min(len(set(speakers)) for speakers in groups) > 1 else None
    probe = functools.partial(probes.domain_accuracy, groups=by_speaker, seed=seed)
    metrics = {
        "domain_accuracy/raw": probe(*raw),
        "domain_accuracy/representation": probe(read["train"], read["target"]),
    }
    validated, losses = read["train"][:0], np.empty(0)
    if len(validation):
        validated, likely = model.representations(validation, "source"), model.probabilities(validation, "source")
        right = likely[np.arange(len(validation)), granted.source.labels[validation]]
        losses = -np.log(np.maximum(right, 1e-12))
    return metrics | criteria.evaluate(
        model.probabilities(target, "target"), read["train"], validated, read["target"], losses
    )


def _sample(rows: np.ndarray, seed: int, part: str) -> np.ndarray:
    if len(rows) <= _MOST:
        return rows
    return np.sort(stream(seed, "diagnosis", part).permutation(rows)[:_MOST])
