"""What a task has of its corpora: which recordings are on which side, who has a class, and what a protocol may know."""

from __future__ import annotations

import dataclasses

import pyarrow as pa
import pytest

from data_prep.errors import InputError
from trainables.config import TaskConfig
from trainables.loading import load_task

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
                "gender": ["unknown"] * len(rows),
                "language": ["und"] * len(rows),
                "split": pa.array([None] * len(rows), pa.string()),
                "arousal": pa.array([None] * len(rows), pa.float64()),
                "valence": pa.array([None] * len(rows), pa.float64()),
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


def test_a_protocol_within_a_corpus_has_the_same_source_and_target():
    inside = dataclasses.replace(TASK, targets=("made_up",), protocol="within_70_25_5")
    data = load_task(FakeStore(made_up="a"), inside)
    assert data.source is data.target
    with pytest.raises(
        InputError, match=r"within_70_25_5 tests within .*: the target must be the source, made_up, not"
    ):
        load_task(FakeStore(made_up="a", other="b"), dataclasses.replace(inside, targets=("other",)))


def test_ratings_reach_a_scheme_that_halves_them():
    store, load = FakeStore(made_up="a", other="b"), FakeStore.load

    def rated(feature, corpora):
        table = load(store, feature, corpora)
        for name, values in (("reader", ["recola"] * 4), ("valence", [-0.5, 0.0, 0.1, None]), ("emotion", [None] * 4)):
            place = table.schema.get_field_index(name)
            table = table.set_column(place, name, pa.array(values, table.schema.field(name).type))
        return table

    store.load = rated
    data = load_task(store, dataclasses.replace(TASK, scheme="valence2"))
    assert data.source.labels.tolist() == [0, 0, 1]
    assert data.source.utterances == ("made_up/u0", "made_up/u1", "made_up/u2"), "who is not rated takes no part"


def test_a_protocol_knows_of_an_utterance_all_but_its_label():
    side = load_task(FakeStore(made_up="a", other="b"), TASK).source.side
    assert (side.corpora[1], side.speakers[1]) == ("made_up", "made_up/s")
    assert (side.genders[1], side.languages[1], side.partitions[1]) == ("unknown", "und", None)
    assert len(set(side.recordings)) == 4
    assert not hasattr(side, "labels")
