"""What a run may see: its split, its labels, and whose statistics standardise."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from data_prep import splits
from trainables.batches import statistics, utterances
from trainables.config import TaskConfig
from trainables.data import Domain, Granted, TaskData, describe, draw

TASK = TaskConfig(sources=("made_up",), targets=("other",))
CLASSES = ("angry", "happy", "neutral", "sad")
GRANTS = ("random_80_20", "whole_source", "target_dev_30", "labelled_target_20", "labelled_target_50_percent")
IN_AMOUNTS = {name: f"{name}_20" for name in ("labelled_target", "speakers_60_20_20_labelled")}
EVERY = [IN_AMOUNTS.get(name, name) for name in splits.known()]
# Their papers standardise the whole target by itself, what is tested included, without labels.
TRANSDUCTIVE = {"target_dev_30", "random_80_20_corpus_normalised"}


@pytest.mark.parametrize("protocol", [*GRANTS, "within_70_25_5"])
def test_exactly_the_labels_that_the_protocol_grants_are_passed_on(protocol, make_domain):
    source = make_domain(200, 0.0, 1)
    target = source if splits.load(protocol).within else make_domain(160, 0.5, 2, "other")
    data = TaskData(source, target, CLASSES)
    granted, evaluator = draw(data, dataclasses.replace(TASK, protocol=protocol), 0)
    split = granted.split
    for domain, whole, parts in (
        (granted.source, source, (split.train, split.validation)),
        (granted.target, target, (split.labelled, split.development)),
    ):
        rows = np.concatenate(parts)
        assert domain.labels[rows].tolist() == whole.labels[rows].tolist()
        assert set(np.delete(domain.labels, rows)) <= {-1}
    assert evaluator.score(target.labels[split.test]).unweighted_average_recall == 1.0


def test_a_split_that_leaves_a_class_out_is_drawn_again_and_the_same_way_every_time(task_data):
    labels = np.zeros_like(task_data.source.labels)
    labels[:9] = [1, 1, 1, 2, 2, 2, 3, 3, 3]
    data = dataclasses.replace(task_data, source=dataclasses.replace(task_data.source, labels=labels))
    for seed in range(20):
        granted, _ = draw(data, TASK, seed)
        for part in (granted.split.train, granted.split.validation):
            assert set(labels[part]) == {0, 1, 2, 3}
        assert (draw(data, TASK, seed)[0].split.train == granted.split.train).all()


def test_within_several_corpora_one_can_be_tested_and_training_is_the_same(make_domain):
    parts = [make_domain(40, 0.0, number, corpus) for number, corpus in enumerate(("first", "second"))]
    both = dataclasses.replace(
        parts[0],
        values=np.concatenate([part.values for part in parts]),
        starts=np.concatenate([parts[0].starts, parts[0].starts[-1] + parts[1].starts[1:]]),
        labels=np.concatenate([part.labels for part in parts]),
        **{name: parts[0].__dict__[name] + parts[1].__dict__[name] for name in ("corpora", "utterances", "speakers")},
    )
    data, tested = TaskData(both, both, CLASSES), []
    trained_on = []
    for targets in (("first", "second"), ("first",), ("second",)):
        task = TaskConfig(sources=("first", "second"), targets=targets, protocol="leave_speakers_out")
        granted, evaluator = draw(data, task, 5)
        tested.append(granted.split.test)
        assert {both.corpora[row] for row in granted.split.test} == set(targets)
        assert evaluator.score(both.labels[granted.split.test]).accuracy == 1.0
        trained_on.append(granted.split.train.tolist())
    assert sorted([*tested[1], *tested[2]]) == tested[0].tolist()
    assert trained_on[0] == trained_on[1] == trained_on[2]
    assert not {both.speakers[row] for row in tested[0]} & {both.speakers[row] for row in trained_on[0]}


def test_a_splits_description_tells_it_from_others(task_data):
    one, other = (describe(task_data, draw(task_data, TASK, seed)[0].split) for seed in (0, 1))
    assert {part: one[part] for part in ("train", "validation", "adaptation", "test")} == {
        "train": 38, "validation": 10, "adaptation": 40, "test": 40,
    }  # fmt: skip
    assert "labelled" not in one, "or old splits would be described anew"
    labelled = describe(
        task_data, draw(task_data, dataclasses.replace(TASK, protocol="labelled_target_20"), 0)[0].split
    )
    assert [labelled[part] for part in ("labelled", "development", "test")] == [16, 4, 20]
    assert one["digest"] != other["digest"]
    assert one == describe(task_data, draw(task_data, TASK, 0)[0].split)


def test_each_corpus_is_standardised_by_its_own_statistics_where_the_protocol_says_so(task_data, make_domain):
    first, second = make_domain(20, 3.0, 1, "first"), make_domain(20, -5.0, 2, "second")
    target = dataclasses.replace(
        first,
        values=np.concatenate([first.values, second.values]),
        starts=np.concatenate([first.starts, first.starts[-1] + second.starts[1:]]),
        **{name: getattr(first, name) + getattr(second, name) for name in ("corpora", "utterances", "speakers")},
        labels=np.concatenate([first.labels, second.labels]),
    )
    data = dataclasses.replace(task_data, target=target)
    task = dataclasses.replace(TASK, protocol="random_80_20_corpus_normalised")
    _, held = utterances(draw(data, task, 0)[0], torch.device("cpu"))
    for rows, domain in ((torch.arange(20), first), (torch.arange(20, 40), second)):
        gathered = held.gather(rows)[0].flatten(0, 1)
        frames = gathered[gathered.any(dim=1)]
        assert len(frames) == len(domain.values)
        assert frames.mean(dim=0).numpy() == pytest.approx(0, abs=1e-5)
        assert frames.std(dim=0, correction=0).numpy() == pytest.approx(1, abs=1e-4)


@pytest.fixture
def of_every_class(make_domain):
    """Task data of a protocol, in which each of eight speakers has utterances of every class."""

    def make(protocol: str) -> TaskData:
        labels = np.arange(200) // 8 % len(CLASSES)
        source = dataclasses.replace(make_domain(200, 0.0, 1), labels=labels)
        target = dataclasses.replace(make_domain(200, 0.5, 2, "other"), labels=labels)
        return TaskData(source, source if splits.load(protocol).within else target, CLASSES)

    return make


def standardised_by(data: TaskData, protocol: str) -> tuple[Granted, dict[str, torch.Tensor]]:
    """What a run of seed 0 sees, and the statistics that standardise it."""
    task = dataclasses.replace(TASK, targets=tuple(set(data.target.corpora)), protocol=protocol)
    granted, _ = draw(data, task, 0)
    return granted, statistics(*utterances(granted, torch.device("cpu")))


def altered(domain: Domain, rows: np.ndarray) -> Domain:
    """The domain with other features of the utterances ``rows``."""
    values = domain.values.copy()
    for row in rows:
        values[domain.starts[row] : domain.starts[row + 1]] = 100 - 3 * domain.values[domain.starts[row]]
    return dataclasses.replace(domain, values=values)


@pytest.mark.parametrize("protocol", EVERY)
def test_no_statistic_sees_what_is_tested_but_in_the_transductive_protocols_which_say_so(protocol, of_every_class):
    data = of_every_class(protocol)
    granted, before = standardised_by(data, protocol)
    assert (len(granted.split.test) == 0) == (protocol == "unlabelled")
    target = altered(data.target, granted.split.test)
    source = target if splits.load(protocol).within else data.source
    _, after = standardised_by(TaskData(source, target, CLASSES), protocol)
    changed = {name for name, values in before.items() if not torch.equal(values, after[name])}
    assert before.keys() == after.keys()
    assert changed == ({"target/other.mean", "target/other.scale"} if protocol in TRANSDUCTIVE else set())
    assert ("the test set's features count" in splits.load(protocol).grants) == (protocol in TRANSDUCTIVE)


def test_the_transductive_protocols_are_those_that_standardise_corpora_and_adapt_to_what_they_test(of_every_class):
    found = set()
    for protocol in EVERY:
        split = standardised_by(of_every_class(protocol), protocol)[0].split
        if splits.load(protocol).normalisation == "corpus" and np.intersect1d(split.adaptation, split.test).size:
            found.add(protocol)
    assert found == TRANSDUCTIVE


def test_a_corpus_that_training_holds_nothing_of_is_standardised_as_those_that_it_holds_some_of(make_domain):
    domain = dataclasses.replace(make_domain(6, 0.0, 1), corpora=("savee", "savee", "tess", "tess", "tess", "tess"))
    data = TaskData(domain, make_domain(6, 0.0, 2, "other"), CLASSES)
    granted = draw(data, dataclasses.replace(TASK, protocol="whole_source"), 0)[0]
    split = dataclasses.replace(granted.split, train=np.array([2, 3, 5]))
    held, _ = utterances(dataclasses.replace(granted, split=split, normalisation="corpus"), torch.device("cpu"))
    seen = np.concatenate([domain.values[domain.starts[row] : domain.starts[row + 1]] for row in (2, 3, 5)])
    for corpus in ("savee", "tess"):
        assert held.scalers[corpus].mean == pytest.approx(seen.mean(axis=0), abs=1e-6)
