"""What protocols are put together from: all rows, rows at random, rows by speaker."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence, Sized

import numpy as np

from data_prep.errors import InputError
from data_prep.splits import Side, Split

# An utterance of none of the task's classes (frustrated, say) is in neither set: the papers leave those out beforehand.
WHOLE_TARGET = "all target utterances of the task's classes for adaptation, without their labels, and the same ones as the test set"


def rows_of(utterances: Sized) -> np.ndarray:
    """All row numbers."""
    return np.arange(len(utterances))


def same_for_every_seed() -> np.random.Generator:
    """What draws the parts of the corpora that are tested: alike in every run, whatever its seed.

    A search selects under one seed, and its best configuration is reported under others. Were these parts drawn from a
    run's own seed, what selected would be tested in the replicates.
    """
    return np.random.default_rng(0)


def at_random(rows: int, shares: Sequence[float], rng: np.random.Generator) -> list[np.ndarray]:
    """``rows`` parted at random into shares that sum to 1."""
    cuts = [round(sum(shares[:part]) * rows) for part in range(1, len(shares))]
    return [np.sort(part) for part in np.split(rng.permutation(rows), cuts)]


def by_speaker(
    speakers: Sequence[str], shares: Sequence[float], rng: np.random.Generator, protocol: str
) -> list[np.ndarray]:
    """Rows parted so that no speaker is in two parts, with as many utterances in each as its share asks for, nearly.

    Speakers come in a random order, and each goes to the part that lacks most utterances; every part has one.

    Raises:
        InputError: there are fewer speakers than parts.
    """
    utterances = Counter(speakers)
    order = rng.permutation(sorted(utterances)).tolist()
    if len(order) < len(shares):
        raise InputError(
            f"protocol {protocol} needs {len(shares)} speakers or more to part {len(speakers)} utterances; "
            f"there is {', '.join(order) or 'none'}"
        )
    lacking = {part: share * len(speakers) for part, share in enumerate(shares)}
    part_of: dict[str, int] = {}
    for number, speaker in enumerate(order):
        empty = set(lacking) - set(part_of.values())
        part = max(empty if len(order) - number <= len(empty) else lacking, key=lambda part: (lacking[part], -part))
        part_of[speaker] = part
        lacking[part] -= utterances[speaker]
    parts = np.array([part_of[speaker] for speaker in speakers])
    return [np.flatnonzero(parts == part) for part in lacking]


def by_speaker_in_each_corpus(
    side: Side, shares: Sequence[float], rng: np.random.Generator, protocol: str
) -> list[np.ndarray]:
    """Like :func:`by_speaker`, each corpus by itself, and the parts put together.

    A corpus with fewer speakers than parts has none of them in the last parts (TESS, with its two, trains and validates).
    """
    parts: list[list[np.ndarray]] = [[] for _ in shares]
    for rows in in_each_corpus(side.corpora or ("the corpus",) * len(side)).values():
        speakers = [side.speakers[row] for row in rows]
        found = by_speaker(speakers, shares[: len(set(speakers))], rng, protocol)
        for part, own in zip(parts, found, strict=False):
            part.append(rows[own])
    return [np.sort(np.concatenate([*part, rows_of(())])) for part in parts]


def selected_on_target(source: Side, target: Side, development: np.ndarray, test: np.ndarray) -> Split:
    """The whole source trains, the whole target adapts; of the target, one part selects and the other tests."""
    return Split(
        train=rows_of(source),
        validation=rows_of(()),
        adaptation=rows_of(target),
        test=test,
        development=development,
    )


def in_each_corpus(corpora: Sequence[str]) -> dict[str, np.ndarray]:
    """The rows of each corpus."""
    names = np.array(corpora)
    return {str(name): np.flatnonzero(names == name) for name in dict.fromkeys(corpora)}
