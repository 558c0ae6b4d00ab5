"""Protocols: who may see what. How splits are made, what selects the checkpoint, what the test set is.

A protocol draws its split from the utterances' speakers alone, deterministically from the seed it is given; it never
looks at a target label. What it does not name in its :class:`Split` no method can see.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from data_prep.errors import InputError, unknown


@dataclass(frozen=True, kw_only=True)
class Split:
    """Row numbers of the source and of the target, by what they may be used for; int64, ascending.

    Attributes:
        train: source, with labels.
        validation: source, with labels: selects the checkpoint and the hyperparameters.
        adaptation: target, features alone.
        test: target: predicted once, by the selected checkpoint.
    """

    train: np.ndarray
    validation: np.ndarray
    adaptation: np.ndarray
    test: np.ndarray


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """An evaluation protocol.

    Attributes:
        name: as it stands in a run's tags.
        source: paper and section.
        grants: in words, what training may see; printed with every table.
        selection: what selects: ``source_val`` (a held-out part of the source).
        normalisation: ``source`` standardises everything by the source training set; ``corpus`` standardises every
            corpus by its own statistics, without labels, over what training sees of it.
        speaker_independent: whether no speaker of the training set may be in the validation set.
        draw: (speakers of the source, speakers of the target, generator) to the split.
    """

    name: str
    source: str
    grants: str
    selection: str
    normalisation: str
    speaker_independent: bool
    draw: Callable[[Sequence[str], Sequence[str], np.random.Generator], Split]

    def split(self, source_speakers: Sequence[str], target_speakers: Sequence[str], rng: np.random.Generator) -> Split:
        """The split that ``rng`` draws, checked against what the protocol promises.

        Raises:
            InputError: there are too few utterances or speakers to split.
        """
        split = self.draw(source_speakers, target_speakers, rng)
        for part in ("train", "validation", "test"):
            if len(getattr(split, part)) == 0:
                raise InputError(
                    f"protocol {self.name} leaves no utterance for {part} "
                    f"({len(source_speakers)} source and {len(target_speakers)} target utterances are there)"
                )
        if np.intersect1d(split.train, split.validation).size:
            raise AssertionError(f"protocol {self.name} trains on utterances that it validates on")
        shared = {source_speakers[row] for row in split.train} & {source_speakers[row] for row in split.validation}
        if self.speaker_independent and shared:
            raise AssertionError(f"protocol {self.name} has speakers {sorted(shared)} in training and validation")
        return split


def _whole_target(source_train: np.ndarray, source_rows: int, target_rows: int) -> Split:
    train = np.sort(source_train)
    return Split(
        train=train,
        validation=np.setdiff1d(np.arange(source_rows), train),
        adaptation=np.arange(target_rows),
        test=np.arange(target_rows),
    )


def _random_80_20(source: Sequence[str], target: Sequence[str], rng: np.random.Generator) -> Split:
    train = rng.permutation(len(source))[: round(0.8 * len(source))]
    return _whole_target(train, len(source), len(target))


def _speakers_80_20(source: Sequence[str], target: Sequence[str], rng: np.random.Generator) -> Split:
    speakers = rng.permutation(sorted(set(source)))
    if len(speakers) < 2:
        raise InputError(f"protocol speakers_80_20 needs two source speakers or more; {len(speakers)} are there")
    held_out = set(speakers[: max(1, round(0.2 * len(speakers)))])
    train = np.array([row for row, speaker in enumerate(source) if speaker not in held_out], dtype=np.int64)
    return _whole_target(train, len(source), len(target))


# An utterance of none of the task's classes (frustrated, say) is in neither set: the papers leave those out beforehand.
_WHOLE_TARGET = "all target utterances of the task's classes for adaptation, without their labels, and the same ones as the test set"

PROTOCOLS = {
    protocol.name: protocol
    for protocol in (
        Protocol(
            name="random_80_20",
            source="addi.txt, 5.1",
            grants=f"a random 80 % of the source for training, 20 % for validation; {_WHOLE_TARGET}",
            selection="source_val",
            normalisation="source",
            speaker_independent=False,
            draw=_random_80_20,
        ),
        Protocol(
            name="random_80_20_corpus_normalised",
            source="addi.txt, 5.1, with each corpus standardised by its own unlabelled statistics",
            grants=f"a random 80 % of the source for training, 20 % for validation; {_WHOLE_TARGET}, "
            "and its statistics for standardising it",
            selection="source_val",
            normalisation="corpus",
            speaker_independent=False,
            draw=_random_80_20,
        ),
        Protocol(
            name="speakers_80_20",
            source="addi.txt, 5.1, made speaker-independent",
            grants=f"80 % of the source's speakers for training, 20 % for validation; {_WHOLE_TARGET}",
            selection="source_val",
            normalisation="source",
            speaker_independent=True,
            draw=_speakers_80_20,
        ),
    )
}


def load(name: str) -> Protocol:
    """The protocol called ``name``; an unknown one is an error that lists the known ones, nearest first."""
    if name not in PROTOCOLS:
        raise unknown("protocol", name, PROTOCOLS)
    return PROTOCOLS[name]
