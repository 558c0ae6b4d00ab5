"""What is odd in a task's data and in its splits, found before anything is trained on them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

import numpy as np

from data_prep import splits
from data_prep.errors import InputError
from data_prep.splits import Split
from trainables.config import TaskConfig
from trainables.data import Domain, TaskData, domain_of, draw, lacking_classes


def examine(data: TaskData, task: TaskConfig, seeds: Iterable[int]) -> list[str]:
    """What a person should know of a task before it is trained under these seeds, a sentence each.

    Raises:
        InputError: a split cannot be drawn, or leaves a class out of training or of the test set; but for the test set
            of one seed where others test the rest.
    """
    found = list(_duplicates(data.source, data.classes))
    if data.target is not data.source:
        found += _duplicates(data.target, data.classes)
    heard: dict[tuple[str, str], int] = {}
    left_out: dict[str, int] = {}
    for seed in seeds:
        split = draw(data, task, seed)[0].split
        untested = lacking_classes(data, split, ("test",))
        if untested and splits.load(task.protocol).in_turn:
            found.append(
                f"with seed {seed} there is {untested[0]}, whose recall counts as 0 there; not so when all seeds are pooled"
            )
        elif untested:
            raise InputError(
                f"protocol {task.protocol} with seed {seed} leaves {untested[0]} of {'+'.join(task.targets)}, so there is "
                "no recall of it; take another seed, or a protocol that tests more of it"
            )
        found += [f"with seed {seed} {remark}" for remark in _remarks(data, split)]
        for parts, speakers in _heard(data, split):
            heard[parts] = max(heard.get(parts, 0), len(speakers))
        for part, count in split.copies.items():
            left_out[part] = max(left_out.get(part, 0), count)
    found += [
        f"protocol {task.protocol} does not part speakers: up to {count} of the {one} part's are in the {other} part too"
        for (one, other), count in heard.items()
    ]
    found += [
        f"up to {count} utterances are left out of the {part} part: their recordings are in the "
        f"{'test or development' if part in ('train', 'labelled') else 'test'} part under other names"
        for part, count in left_out.items()
    ]
    return found


# Parts whose speakers, where they are also in the other part, make what is measured on the first look too good.
_MEASURED = (
    *(("test", part) for part in ("train", "validation", "labelled", "development")),
    ("validation", "train"),
    ("development", "labelled"),
)


def _heard(data: TaskData, split: Split) -> Iterator[tuple[tuple[str, str], set[str]]]:
    """The speakers that a part which tests or selects shares with another whose labels are known, by the two parts."""
    speakers = {part: {domain_of(data, part).speakers[row] for row in rows} for part, rows in split.parts.items()}
    for one, other in _MEASURED:
        whole = np.array_equal(getattr(split, one), getattr(split, other))  # what trains selects, as it is meant to
        if not (one == "validation" and whole) and (shared := speakers[one] & speakers[other]):
            yield (one, other), shared


def _duplicates(domain: Domain, classes: tuple[str, ...]) -> Iterator[str]:
    """The recordings that a domain holds more than once, with their labels where those differ."""
    rows = defaultdict(list)
    for row, recording in enumerate(domain.recordings):
        rows[recording].append(row)
    for same in rows.values():
        if len(same) > 1:
            labels = dict.fromkeys(classes[domain.labels[row]] for row in same)
            differ = f", labelled {' and '.join(labels)}" if len(labels) > 1 else ""
            yield f"{' and '.join(domain.utterances[row] for row in same)} are the same recording{differ}"


def _remarks(data: TaskData, split: Split) -> Iterator[str]:
    """Classes that a part lacks which may lack them, and recordings that both train and validate."""
    for lacking in lacking_classes(data, split, ("validation", "labelled", "development")):
        yield f"there is {lacking}"
    source = data.source
    if source.recordings:
        trained_on = {source.recordings[row]: row for row in split.train}
        for row in np.setdiff1d(split.validation, split.train):
            twin = trained_on.get(source.recordings[row])
            if twin is not None:
                trains, validates = source.utterances[twin], source.utterances[row]
                yield f"{validates} validates what is trained on as {trains}: they are the same recording"
