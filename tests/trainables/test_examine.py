"""What is said of a task's data before anything is trained on them."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import pytest

from data_prep import splits
from data_prep.errors import InputError
from trainables.config import TaskConfig
from trainables.data import TaskData, draw
from trainables.examine import examine

TASK = TaskConfig(sources=("made_up",), targets=("other",))


def recorded(domain, **others: int):
    """The domain with a recording for each utterance; ``u3=1``: utterance 3 is recording 1 once more."""
    again = {int(name[1:]): number for name, number in others.items()}
    names = tuple(f"{domain.corpora[0]} {again.get(row, row)}" for row in range(len(domain)))
    return dataclasses.replace(domain, recordings=names)


def six_each(domain):
    """The domain with other speakers: each has six utterances in a row, of all four classes."""
    speakers = tuple(f"{corpus}/{row // 6}" for row, corpus in enumerate(domain.corpora))
    return dataclasses.replace(domain, speakers=speakers)


def test_of_data_with_nothing_odd_nothing_is_said(task_data):
    data = TaskData(six_each(recorded(task_data.source)), recorded(task_data.target), task_data.classes)
    assert examine(data, dataclasses.replace(TASK, protocol="speakers_80_20"), range(3)) == []


def test_a_recording_that_a_corpus_holds_twice_is_said_with_labels_that_differ(task_data):
    # As CREMA-D does, with two labels, and RAVDESS, with one; utterance i of the made-up corpus is of class i mod 4.
    data = TaskData(recorded(task_data.source, u9=1), recorded(task_data.target, u2=1), task_data.classes)
    said = examine(data, dataclasses.replace(TASK, protocol="whole_source"), [0])
    assert said == [
        "made_up/001 and made_up/009 are the same recording",
        "other/001 and other/002 are the same recording, labelled happy and neutral",
    ]


def test_a_recording_that_trains_and_validates_is_said_for_its_seed(task_data):
    data = dataclasses.replace(task_data, source=recorded(task_data.source, u9=1))
    seeds = [remark for seed in range(20) for remark in examine(data, TASK, [seed])[1:-1]]  # the last: of speakers
    assert 0 < len(seeds) < 20
    assert all("made_up/001" in remark and "made_up/009" in remark for remark in seeds)
    assert seeds[0].startswith("with seed ") and seeds[0].endswith("they are the same recording")


def test_a_class_that_no_granted_label_is_of_is_said_and_no_hindrance(task_data):
    task = dataclasses.replace(TASK, protocol="labelled_target_3")
    said = [remark for remark in examine(task_data, task, [0]) if "utterance in" in remark]
    # Of three labelled utterances two train and one selects: of four classes both parts lack two or more.
    assert [remark.split(" utterance in ")[1] for remark in said] == ["the labelled part", "the development part"]
    assert said[0].startswith("with seed 0 there is no ")


@pytest.mark.parametrize(
    ("protocol", "parts"),
    [
        ("target_dev_30", ["test development"]),
        ("target_dev_30_speakers", []),
        ("within_70_25_5", ["test train", "test validation", "validation train"]),
        ("leave_speakers_out", ["validation train"]),
        ("random_80_20", ["validation train"]),
        ("speakers_80_20", []),
        ("whole_source", []),
        ("labelled_target_20", ["test labelled", "test development", "validation train", "development labelled"]),
    ],
)
def test_speakers_of_a_part_that_tests_or_selects_whose_labels_are_used_elsewhere_are_said_once(
    protocol, parts, task_data
):
    # Eight speakers or seven, each with six utterances of all four classes: a random part of some size has them all.
    source, target = six_each(task_data.source), six_each(task_data.target)
    data = TaskData(source, source if splits.load(protocol).within else target, task_data.classes)
    said = examine(data, dataclasses.replace(TASK, protocol=protocol), range(5))
    crossing = [remark for remark in said if "does not part speakers" in remark]
    words = [re.search(r"of the (\w+) part's are in the (\w+) part too$", remark) for remark in crossing]
    assert [" ".join(found.groups()) for found in words] == parts
    assert all(f"protocol {protocol} does not part speakers: up to " in remark for remark in crossing)
    if protocol == "target_dev_30":
        # Two fifths of seven speakers' utterances select: most speakers are on both sides, and all seeds say the same.
        assert "up to 5 of" in crossing[0]


def test_how_many_utterances_are_left_out_because_another_part_has_their_recording_is_said(task_data):
    # Three recordings are there twice. Where a draw has one of the two select and the other test, only that one is kept.
    data = TaskData(recorded(task_data.source), recorded(task_data.target, u2=1, u5=4, u9=8), task_data.classes)
    task = dataclasses.replace(TASK, protocol="target_dev_30")
    removed = [draw(data, task, seed)[0].split.copies for seed in range(6)]
    most = max(copies.get("development", 0) for copies in removed)
    assert most > 0 and all(copies.keys() <= {"development"} for copies in removed)
    assert [remark for remark in examine(data, task, range(6)) if "left out" in remark] == [
        f"up to {most} utterances are left out of the development part: their recordings are in the test part under "
        "other names"
    ]
    for seed, copies in enumerate(removed):
        drawn = draw(TaskData(data.source, task_data.target, data.classes), task, seed)[
            0
        ].split  # no recording is known
        kept = draw(data, task, seed)[0].split
        assert len(drawn.development) - len(kept.development) == copies.get("development", 0)
        assert drawn.copies == {}


def test_a_class_that_training_or_the_test_lacks_is_refused(task_data):
    labels = np.where(task_data.source.labels == 3, 0, task_data.source.labels)
    data = dataclasses.replace(task_data, source=dataclasses.replace(task_data.source, labels=labels))
    with pytest.raises(InputError, match="leaves no sad utterance in the train part of made_up in each of 100 draws"):
        examine(data, TASK, [0])


def test_a_class_that_the_test_set_lacks_is_refused_and_not_drawn_for(task_data):
    task = dataclasses.replace(TASK, protocol="target_dev_30")
    honest = draw(task_data, task, 0)[0].split

    def with_one_sad(row):
        labels = np.where(task_data.target.labels == 3, 0, task_data.target.labels)
        labels[row] = 3
        data = dataclasses.replace(task_data, target=dataclasses.replace(task_data.target, labels=labels))
        assert draw(data, task, 0)[0].split.test.tolist() == honest.test.tolist(), (
            "the labels of the target draw nothing"
        )
        return data

    with pytest.raises(InputError, match="target_dev_30 with seed 0 leaves no sad utterance in the test"):
        examine(with_one_sad(honest.development[0]), task, [0])
    examine(with_one_sad(honest.test[0]), task, [0])


def test_a_class_that_the_test_set_of_one_turn_lacks_is_said_and_no_hindrance(task_data):
    """In the made-up corpus the speakers' utterances are 8 apart and the classes 4: each speaker shows one class alone."""
    inside = TaskData(task_data.source, task_data.source, task_data.classes)
    task = TaskConfig(sources=("made_up",), targets=("made_up",), protocol="leave_speakers_out")
    for seed in range(8):
        (remark,) = [each for each in examine(inside, task, [seed]) if "test part" in each]
        (shown,) = set(inside.source.labels[draw(inside, task, seed)[0].split.test])
        lacking = ", ".join(name for number, name in enumerate(inside.classes) if number != shown)
        assert remark.startswith(f"with seed {seed} there is no {lacking} utterance in the test part, whose recall")
