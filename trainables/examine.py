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
    heard: dict[str, int] = {}
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
        for part, speakers in _heard(data, split):
            heard[part] = max(heard.get(part, 0), len(speakers))
    found += [
        f"protocol {task.protocol} does not part speakers: up to {count} of the test part's are in the {part} part too"
        for part, count in heard.items()
    ]
    return found


def _heard(data: TaskData, split: Split) -> Iterator[tuple[str, set[str]]]:
    """The speakers of the test set whose labelled speech is in another part, by that part."""
    tested = {data.target.speakers[row] for row in split.test}
    for part in ("train", "validation", "labelled", "development"):
        domain = domain_of(data, part)
        if shared := tested & {domain.speakers[row] for row in getattr(split, part)}:
            yield part, shared


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
