"""The one length that a feature's paper gives every utterance: what is cut, what is padded, and with what."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pyarrow as pa
import pytest
import torch

from data_prep import features
from data_prep.features import Length
from trainables.batches import utterances
from trainables.config import TaskConfig
from trainables.data import draw, frames_of
from trainables.loading import load_task
from trainables.ragged import of_length

TASK = TaskConfig(sources=("made_up",), targets=("other",))
LENGTHS = (1, 3, 4, 5, 8, 9)  # frames of each utterance


@pytest.fixture
def ragged() -> tuple[np.ndarray, np.ndarray]:
    starts = np.concatenate([[0], np.cumsum(LENGTHS)])
    return np.random.default_rng(0).normal(size=(starts[-1], 3)).astype(np.float32), starts


def one_by_one(utterance: np.ndarray, length: Length) -> np.ndarray:
    """The same as the papers put it, for one utterance: dann.txt 3.3 and multilingual.txt 4.1."""
    over = max(len(utterance) - length.frames, 0)
    first = over // 2 if length.keep == "middle" else 0
    cut = utterance[first : first + length.frames]
    if length.padding == "zeros":
        return cut
    return np.concatenate([cut, np.tile(utterance.min(axis=0), (length.frames - len(cut), 1))])


@pytest.mark.parametrize("frames", [1, 4, 20])
@pytest.mark.parametrize("padding", ["zeros", "minimum"])
@pytest.mark.parametrize("keep", ["middle", "start"])
def test_all_utterances_at_once_come_out_as_one_by_one(ragged, frames, padding, keep):
    values, starts = ragged
    before = values.copy()
    length = Length(frames, padding, keep)
    expected = [one_by_one(values[first:last], length) for first, last in itertools.pairwise(starts)]
    found, bounds = of_length(values, starts, length)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, np.concatenate(expected))
    assert np.diff(bounds).tolist() == [len(one) for one in expected]
    np.testing.assert_array_equal(values, before)


def test_five_frames_cut_to_three_lose_one_at_each_end_or_the_last_two():
    values, starts = np.arange(5, dtype=np.float32)[:, None], np.array([0, 5])
    assert of_length(values, starts, Length(3))[0].ravel().tolist() == [1, 2, 3]
    assert of_length(values, starts, Length(3, keep="start"))[0].ravel().tolist() == [0, 1, 2]


class FakeStore:
    """A feature store in memory: per corpus an utterance of each class, of the frames that ``lengths`` says."""

    def __init__(self, lengths: tuple[int, ...], dimensions: int) -> None:
        self._lengths, self._dimensions = lengths, dimensions

    def load(self, feature, corpora):
        rng, rows = np.random.default_rng(len(corpora[0])), len(self._lengths)
        values = [(5 + rng.normal(size=frames * self._dimensions)).astype(np.float32) for frames in self._lengths]
        empty = {name: pa.array([None] * rows, pa.float64()) for name in ("arousal", "valence", "start", "end")}
        return pa.table(
            {
                "corpus": list(corpora) * rows,
                "reader": ["manifest"] * rows,
                "utterance_id": [f"u{number:02d}" for number in range(rows)],
                "speaker": [f"s{number}" for number in range(rows)],
                "gender": ["unknown"] * rows,
                "language": ["und"] * rows,
                "split": pa.array([None] * rows, pa.string()),
                "emotion": ["angry happy neutral sad".split()[number % 4] for number in range(rows)],
                "audio_sha256": [f"{corpora[0]}{number}" for number in range(rows)],
                "frames": pa.array(self._lengths, pa.int32()),
                "features": pa.array(values, pa.list_(pa.float32())),
                **empty,
            }
        )


def loaded(feature: str, lengths: tuple[int, ...], max_frames: int | None = None):
    """The task of a feature over utterances of these lengths, and its source and target on the device."""
    task = dataclasses.replace(TASK, feature=feature, max_frames=max_frames, protocol="random_80_20_corpus_normalised")
    store = FakeStore(lengths * 20, features.load(feature).dimensions)
    data = load_task(store, task)
    granted, _ = draw(data, task, 0)
    assert granted.frames == frames_of(data, task)
    return data, utterances(granted, torch.device("cpu"))


ALL = torch.arange(80)


def test_a_batch_of_logmel26_has_the_papers_750_frames_and_the_minimum_after_the_end():
    data, (_, target) = loaded("logmel26", (10, 749, 750, 1000))
    batch = target.gather(ALL)[0]
    assert batch.shape == (80, 750, 26)
    # The padding is standardised as all else is, so it is still the smallest value of its dimension in the utterance.
    assert torch.equal(batch[0, 10:], batch[0, :10].min(dim=0).values.expand(740, 26))
    assert torch.equal(batch[1, 749], batch[1, :749].min(dim=0).values)
    assert (batch[0, 10:] != 0).all()
    frames = batch.flatten(0, 1).double()
    assert frames.mean(dim=0).numpy() == pytest.approx(0, abs=1e-4), "all 750 frames count in the statistics"
    assert frames.std(dim=0, correction=0).numpy() == pytest.approx(1, abs=1e-4)
    stored = np.asarray(FakeStore((10, 749, 750, 1000), 26).load("logmel26", ("other",))["features"][3].as_py())
    assert data.target.values[3 * 750 : 4 * 750].ravel() == pytest.approx(stored.reshape(1000, 26)[125:875].ravel())


@pytest.mark.parametrize("feature", ["mfcc13", "mfcc13_pitch"])
def test_a_batch_of_mfcc13_has_the_papers_120_frames_and_zeros_after_the_end(feature):
    data, (source, _) = loaded(feature, (10, 119, 60, 90))
    batch = source.gather(ALL)[0]
    assert batch.shape == (80, 120, features.load(feature).dimensions), "120, though none is as long"
    assert not batch[0, 10:].any()
    assert batch[0, :10].abs().min() > 0
    assert data.source.longest == 119


def test_longer_utterances_of_mfcc13_keep_their_first_120_frames():
    data, _ = loaded("mfcc13", (10, 119, 120, 200))
    stored = np.asarray(FakeStore((10, 119, 120, 200), 13).load("mfcc13", ("made_up",))["features"][3].as_py())
    rows = slice(data.source.starts[3], data.source.starts[4])
    assert data.source.values[rows].ravel() == pytest.approx(stored[: 120 * 13])


@pytest.mark.parametrize(
    ("feature", "given", "frames"), [("logmel26", 100, 100), ("mfcc13", 50, 50), ("mfcc13", 500, 120)]
)
def test_max_frames_shortens_the_papers_length_and_never_lengthens_it(feature, given, frames):
    data, (source, _) = loaded(feature, (10, 119, 120, 2000), max_frames=given)
    batch = source.gather(ALL)[0]
    assert batch.shape[1] == frames
    assert batch[0, :10].any(dim=1).all(), "a short utterance keeps all its frames"
    assert data.source.longest == frames


def test_a_feature_whose_paper_gives_no_length_stays_as_it_is():
    data, (source, _) = loaded("mfb40", (10, 119, 120, 200))
    assert source.gather(ALL)[0].shape[1] == 200
    assert np.diff(data.source.starts)[:4].tolist() == [10, 119, 120, 200]
