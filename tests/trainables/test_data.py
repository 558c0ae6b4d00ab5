"""What a run may see: its split, which recordings are on which side, and whose statistics standardise."""

from __future__ import annotations

import dataclasses

import numpy as np
import pyarrow as pa
import pytest
import torch

from data_prep.errors import InputError
from trainables.batches import utterances
from trainables.config import TaskConfig
from trainables.data import describe, draw, load_task

TASK = TaskConfig(sources=("made_up",), targets=("other",))


class FakeStore:
    """A feature store in memory: corpora of one-frame utterances, one of each class."""

    def __init__(self, **recordings: str) -> None:
        self._recordings = recordings

    def load(self, feature, corpora):
        rows = [(corpus, number) for corpus in corpora for number in range(4)]
        return pa.table(
            {
                "corpus": [corpus for corpus, _ in rows],
                "reader": ["manifest"] * len(rows),
                "utterance_id": [f"u{number}" for _, number in rows],
                "speaker": ["s"] * len(rows),
                "emotion": ["angry happy neutral sad".split()[number] for _, number in rows],
                "audio_sha256": [f"{self._recordings[corpus]}{number}" for corpus, number in rows],
                "start": pa.array([None] * len(rows), pa.float64()),
                "end": pa.array([None] * len(rows), pa.float64()),
                "frames": pa.array([1] * len(rows), pa.int32()),
                "features": pa.array([[0.0, 1.0]] * len(rows), pa.list_(pa.float32())),
            }
        )


def test_a_recording_on_both_sides_is_refused_under_whatever_names_its_corpora_go():
    assert len(load_task(FakeStore(made_up="a", other="b"), TASK).target) == 4
    with pytest.raises(InputError, match=r"4 recordings of the target other are in the source made_up too \(u0 is the"):
        load_task(FakeStore(made_up="a", other="a"), TASK)


def test_a_split_that_leaves_a_class_out_is_drawn_again_and_the_same_way_every_time(task_data):
    labels = np.zeros_like(task_data.source.labels)
    labels[:9] = [1, 1, 1, 2, 2, 2, 3, 3, 3]
    data = dataclasses.replace(task_data, source=dataclasses.replace(task_data.source, labels=labels))
    for seed in range(20):
        granted, _ = draw(data, TASK, seed)
        for part in (granted.split.train, granted.split.validation):
            assert set(labels[part]) == {0, 1, 2, 3}
        assert (draw(data, TASK, seed)[0].split.train == granted.split.train).all()


def test_a_splits_description_tells_it_from_others(task_data):
    one, other = (describe(task_data, draw(task_data, TASK, seed)[0].split) for seed in (0, 1))
    assert {part: one[part] for part in ("train", "validation", "adaptation", "test")} == {
        "train": 38, "validation": 10, "adaptation": 40, "test": 40,
    }  # fmt: skip
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
        frames = held[rows].flatten(0, 1)[held[rows].flatten(0, 1).any(dim=1)]
        assert len(frames) == len(domain.values)
        assert frames.mean(dim=0).numpy() == pytest.approx(0, abs=1e-5)
        assert frames.std(dim=0, correction=0).numpy() == pytest.approx(1, abs=1e-4)
