"""Protocols: every one gives the whole target for testing and keeps training and validation apart."""

from __future__ import annotations

import numpy as np
import pytest

from data_prep import splits
from data_prep.errors import InputError

SOURCE = [f"iemocap/{number % 10}" for number in range(200)]
TARGET = [f"emodb/{number % 5}" for number in range(60)]


def draw(name: str, seed: int = 0, source: list[str] = SOURCE) -> splits.Split:
    return splits.load(name).split(source, TARGET, np.random.default_rng(seed))


@pytest.mark.parametrize("name", splits.PROTOCOLS)
def test_the_source_is_parted_80_to_20_and_the_whole_target_is_tested(name):
    split = draw(name)
    assert (len(split.train), len(split.validation)) == (160, 40)
    assert sorted([*split.train, *split.validation]) == list(range(200))
    assert split.test.tolist() == split.adaptation.tolist() == list(range(60))


@pytest.mark.parametrize("name", splits.PROTOCOLS)
def test_a_split_is_its_seeds_alone(name):
    assert draw(name, 1).train.tolist() == draw(name, 1).train.tolist() != draw(name, 2).train.tolist()


def test_no_speaker_is_in_both_parts_of_the_speaker_independent_protocol():
    for seed in range(20):
        split = draw("speakers_80_20", seed)
        assert not {SOURCE[row] for row in split.train} & {SOURCE[row] for row in split.validation}


def test_a_random_split_does_mix_speakers_as_the_paper_does():
    split = draw("random_80_20")
    assert {SOURCE[row] for row in split.train} & {SOURCE[row] for row in split.validation}


def test_too_little_data_is_said_and_not_split():
    with pytest.raises(InputError, match="two source speakers"):
        draw("speakers_80_20", source=["iemocap/1"] * 5)
    with pytest.raises(InputError, match="leaves no utterance for validation"):
        draw("random_80_20", source=["iemocap/1"])


def test_an_unknown_protocol_lists_the_known_ones():
    with pytest.raises(InputError, match="unknown protocol 'random_8020'; known, nearest first: random_80_20"):
        splits.load("random_8020")
