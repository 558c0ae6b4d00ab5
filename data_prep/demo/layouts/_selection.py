"""Of all that a real corpus has, what its demo corpus speaks; and who says what, where only the sums are published."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from data_prep import corpora
from data_prep.corpora import Expected
from data_prep.demo.layouts import Turn
from data_prep.demo.prosody import Delivery

_UTTERANCES = {"tiny": 60, "small": 400}  # about
_SPEAKERS = 3  # of each group, in a tiny corpus


def chosen(turns: Sequence[Turn], groups: Mapping[str, str], size: str, rng: np.random.Generator) -> list[Turn]:
    """The turns of a demo corpus of this size, in the order of all of them.

    Full, these are all; small, some of everybody's turns with each label, in proportion; tiny, as many of each of a few
    speakers of each group, those who show most labels.

    Args:
        turns: what the whole corpus has.
        groups: speakers to groups that all must be heard, such as the genders.
        size: one of :data:`data_prep.demo.layouts.SIZES`.
        rng: what they are drawn from.
    """
    if size == "full":
        return list(turns)
    cells: dict[tuple[str, str | None], list[int]] = {}
    for number, turn in enumerate(turns):
        cells.setdefault((turn.speaker, turn.label), []).append(number)
    if size == "tiny":
        kept = _tiny_cast(cells, groups)
        cells = {cell: numbers for cell, numbers in cells.items() if cell[0] in kept}
        count = dict.fromkeys(cells, -(-_UTTERANCES[size] // len(cells)))
    else:
        share = _UTTERANCES[size] / len(turns)
        count = {cell: max(1, round(len(numbers) * share)) for cell, numbers in cells.items()}
    drawn = [number for cell, numbers in cells.items() for number in rng.permutation(numbers)[: count[cell]].tolist()]
    return [turns[number] for number in sorted(drawn)]


def _tiny_cast(cells: Mapping[tuple[str, str | None], object], groups: Mapping[str, str]) -> set[str]:
    shown = {speaker: sum(cell[0] == speaker for cell in cells) for speaker in groups}
    cast: set[str] = set()
    for group in sorted(set(groups.values())):
        of_it = [speaker for speaker in groups if groups[speaker] == group]
        cast.update(sorted(of_it, key=lambda speaker: -shown[speaker])[:_SPEAKERS])
    return cast


def dealt(
    labels: Mapping[str, int], speakers: Mapping[str, int], rng: np.random.Generator
) -> list[tuple[str, str, int]]:
    """Speaker, label and number of each utterance, numbered from 1 among the speaker's with that label.

    Args:
        labels: how many utterances there are with each label.
        speakers: how many there are of each speaker; the same in all.
        rng: what decides who says what, of which there are no figures.
    """
    deck = rng.permutation([label for label, count in labels.items() for _ in range(count)]).tolist()
    hands = [speaker for speaker, count in speakers.items() for _ in range(count)]
    holds = Counter(zip(hands, deck, strict=True))
    return [
        (speaker, label, number)
        for speaker in speakers
        for label in labels
        for number in range(1, holds[speaker, label] + 1)
    ]


def published(corpus: str) -> Expected:
    """What the whole corpus holds, by its official description."""
    expected = corpora.load(corpus).expected
    assert expected is not None, f"nothing is published of {corpus}"
    return expected


def acted_with(strength: float) -> Delivery:
    """The same strength in each direction of a delivery."""
    return Delivery(*[strength] * len(Delivery._fields))
