"""One module per protocol: who may see what. How splits are made, what selects the checkpoint, what the test set is.

A protocol module publishes ``PROTOCOL``: a :class:`Protocol`, or for one that comes in amounts (100 labelled utterances,
10 % labelled) a function from the :class:`Amount` to it. A protocol draws its split from what is known of the
utterances besides their labels, deterministically from the generator it is given; it never looks at a target label.
What it does not name in its :class:`Split` no method can see.
"""

from __future__ import annotations

import functools
import itertools
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import NamedTuple

import numpy as np

from data_prep import registry
from data_prep.errors import InputError

# What selects, and the parts of the split that it is scored on.
SELECTIONS = {
    "source_val": ("validation",),
    "source_train": ("validation",),
    "target_dev": ("development",),
    "source_val+target_dev": ("validation", "development"),
    "none": (),
}
SOURCE_PARTS = ("train", "validation")


@dataclass(frozen=True, kw_only=True)
class Side:
    """What is known of the utterances of a task's source, or of its target, besides features and labels.

    Attributes:
        speakers: ``corpus/speaker`` of each utterance.
        corpora, genders, languages: of each utterance.
        partitions: the corpus's official partition of each utterance, ``None`` where it has none.
        recordings: what each utterance's audio is: two utterances of the same name are the same sound.
    """

    speakers: Sequence[str]
    corpora: Sequence[str] = ()
    genders: Sequence[str] = ()
    languages: Sequence[str] = ()
    partitions: Sequence[str | None] = ()
    recordings: Sequence[str] = ()

    def __len__(self) -> int:
        return len(self.speakers)


def _none() -> np.ndarray:
    return np.empty(0, dtype=np.int64)


@dataclass(frozen=True, kw_only=True)
class Split:
    """Row numbers of the source and of the target, by what they may be used for; int64, ascending.

    Attributes:
        train: source, with labels.
        validation: source, with labels: selects the checkpoint and the hyperparameters.
        adaptation: target, features alone.
        test: target: predicted once, by the selected checkpoint.
        labelled: target, with labels, to train on.
        development: target, with labels: selects the checkpoint and the hyperparameters.
        copies: how many utterances each part was drawn with and lost, because another part has the same recording.
    """

    train: np.ndarray
    validation: np.ndarray
    adaptation: np.ndarray
    test: np.ndarray
    labelled: np.ndarray = field(default_factory=_none)
    development: np.ndarray = field(default_factory=_none)
    copies: Mapping[str, int] = field(default_factory=dict)

    @property
    def parts(self) -> dict[str, np.ndarray]:
        """The rows of each part, by its name."""
        return {item.name: getattr(self, item.name) for item in fields(self) if item.name != "copies"}


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """An evaluation protocol.

    Attributes:
        name: as it stands in a run's tags.
        source: paper and section.
        grants: in words, what training may see; printed with every table.
        selection: what selects, one of :data:`SELECTIONS`: ``source_val`` (a held-out part of the source),
            ``source_train`` (the source training set itself), ``target_dev`` (a labelled part of the target), or a
            held-out part of both. ``none`` is for what is trained without labels, and neither selected nor tested.
        normalisation: ``source`` standardises everything by the source training set; ``corpus`` standardises every
            corpus by its own statistics, without labels, over what training sees of it: the source's ``train`` and the
            target's ``adaptation``. Where that holds the test set's features, ``grants`` says that they count.
        speaker_disjoint: groups of parts; no speaker is in two parts of a group.
        within: whether it tests within the corpora that it trains on: the task's targets are among its sources.
        in_turn: whether consecutive seeds take turns at what is tested, so that enough of them test all of it. Its
            ``draw`` is then given the seed besides.
        draw: (source, target, generator) to the split; (source, target, generator, turn) where seeds take turns.
    """

    name: str
    source: str
    grants: str
    selection: str
    normalisation: str
    speaker_disjoint: tuple[tuple[str, ...], ...] = ()
    within: bool = False
    in_turn: bool = False
    draw: Callable[..., Split]

    def check(self, sources: Sequence[str], targets: Sequence[str]) -> None:
        """Refuses corpora that a task of this protocol cannot be made of.

        Raises:
            InputError: it tests within its corpora, and a target is no source; or it does not, and they share one.
        """
        if self.within and not set(targets) <= set(sources):
            raise InputError(
                f"protocol {self.name} tests within the corpora that it trains on: the target must be the source, "
                f"{'+'.join(sources)}, not {'+'.join(targets)}{'' if len(sources) == 1 else ', or some of its corpora'}"
            )
        if not self.within and set(sources) & set(targets):
            raise InputError(
                f"{'+'.join(sources)} and {'+'.join(targets)} share a corpus; source and target must differ, but for "
                "a protocol that tests within its corpora, such as leave_speakers_out"
            )

    def split(self, source: Side, target: Side, rng: np.random.Generator, turn: int = 0) -> Split:
        """The split that ``rng`` draws, checked against what the protocol promises; ``turn`` is the run's seed.

        A recording that is tested is left out of all that is labelled, and one that is in the development part is not
        trained on, under whatever other name a corpus holds it again.

        Raises:
            InputError: there are too few utterances or speakers to split.
        """
        drawn = self.draw(source, target, rng, turn) if self.in_turn else self.draw(source, target, rng)
        split = _without_copies(drawn, source, target)
        tested = () if self.selection == "none" else ("test",)
        for part in ("train", *SELECTIONS[self.selection], *tested):
            if len(getattr(split, part)) == 0:
                raise InputError(
                    f"protocol {self.name} leaves no utterance for {part} "
                    f"({len(source)} source and {len(target)} target utterances are there)"
                )
        for one, other in self._apart():
            if np.intersect1d(getattr(split, one), getattr(split, other)).size:
                raise AssertionError(f"protocol {self.name} has utterances in both {one} and {other}")
        for one, other in itertools.chain.from_iterable(itertools.combinations(g, 2) for g in self.speaker_disjoint):
            shared = _of(split, one, source, target, "speakers") & _of(split, other, source, target, "speakers")
            if shared:
                raise AssertionError(f"protocol {self.name} has speakers {sorted(shared)} in {one} and {other}")
        return split

    def _apart(self) -> Iterable[tuple[str, str]]:
        yield from itertools.combinations(("labelled", "development", "test"), 2)
        if self.selection != "source_train":
            yield SOURCE_PARTS
        if self.within:
            yield from itertools.product(SOURCE_PARTS, ("labelled", "development", "test"))


class Amount(NamedTuple):
    """How many utterances a protocol grants: so many, or so many per cent."""

    number: int
    percent: bool = False

    def __str__(self) -> str:
        return f"{self.number} %" if self.percent else str(self.number)

    @property
    def suffix(self) -> str:
        """As it ends a protocol's name."""
        return f"_{self.number}_percent" if self.percent else f"_{self.number}"

    def of(self, utterances: int) -> int:
        """How many of ``utterances`` that is."""
        return round(self.number / 100 * utterances) if self.percent else self.number


def known() -> list[str]:
    """The names of all protocols, those that come in amounts without it."""
    return registry.names(sys.modules[__name__])


@functools.cache
def load(name: str) -> Protocol:
    """The protocol called ``name``, such as ``random_80_20``, ``labelled_target_100``, ``labelled_target_10_percent``.

    Raises:
        InputError: it is unknown (the known ones are listed, nearest first), or needs an amount.
    """
    find = functools.partial(registry.find, sys.modules[__name__], "PROTOCOL")
    given = re.fullmatch(r"(?P<name>\w+?)_(?P<number>\d+)(?P<percent>_percent)?", name)
    if name not in known() and given and given["name"] in known() and callable(find(given["name"])):
        amount = Amount(int(given["number"]), given["percent"] is not None)
        if amount.number < 1 or (amount.percent and amount.number > 100):
            raise InputError(f"protocol {name} grants {amount}; it must be 1 or more utterances, or 1 to 100 per cent")
        return find(given["name"])(amount)
    found = find(name)
    if callable(found):
        raise InputError(
            f"protocol {name} needs an amount: {name}_100 grants 100 utterances, {name}_10_percent grants 10 %"
        )
    return found


def _of(split: Split, part: str, source: Side, target: Side, what: str) -> set[str]:
    """The speakers, or whatever ``what`` is, of a part of a split."""
    values = getattr(source if part in SOURCE_PARTS else target, what)
    return {values[row] for row in getattr(split, part)}


def _without_copies(split: Split, source: Side, target: Side) -> Split:
    if not (source.recordings and target.recordings):
        return split
    tested = _of(split, "test", source, target, "recordings")
    selecting = _of(split, "development", source, target, "recordings")
    kept, copies = {}, {}
    for part in ("train", "validation", "labelled", "development"):
        names = (source if part in SOURCE_PARTS else target).recordings
        barred = tested | selecting if part in ("train", "labelled") else tested
        rows = getattr(split, part)
        kept[part] = rows[np.array([names[row] not in barred for row in rows], dtype=bool)]
        if len(kept[part]) < len(rows):
            copies[part] = len(rows) - len(kept[part])
    return replace(split, **kept, copies=copies)
