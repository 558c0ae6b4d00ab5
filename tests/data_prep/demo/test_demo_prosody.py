"""Speakers and emotions as drawn prosody: apart on average, overlapping one by one, and the listeners' doubts."""

from __future__ import annotations

import numpy as np
import pytest

from data_prep.demo import listeners, prosody
from data_prep.demo.prosody import Delivery

GENDERS = {"a": "female", "b": "male", "c": "female", "d": "male"}
MODERATE = Delivery(*[0.8] * 8)


def draws(emotion: str, strength: Delivery = MODERATE, count: int = 400) -> np.ndarray:
    """Deliveries of one emotion by one speaker: (count, 8)."""
    rng = np.random.default_rng(5)
    speaker = prosody.cast(GENDERS, np.random.default_rng(1))["a"]
    return np.array([prosody.deliver(emotion, speaker, strength, rng) for _ in range(count)])


def test_anger_is_faster_than_sadness_and_louder_and_brighter_than_happiness_too():
    angry = draws("angry").mean(axis=0)
    for other, directions in (("sad", ("rate", "loudness", "brightness")), ("happy", ("loudness", "brightness"))):
        mean = draws(other).mean(axis=0)
        assert all(
            angry[Delivery._fields.index(direction)] > mean[Delivery._fields.index(direction)]
            for direction in directions
        )


@pytest.mark.parametrize(("one", "other"), [("angry", "happy"), ("happy", "neutral"), ("neutral", "sad")])
def test_neighbouring_emotions_overlap_in_every_direction(one: str, other: str):
    high, low = draws(one), draws(other)
    assert (np.maximum(high.min(axis=0), low.min(axis=0)) < np.minimum(high.max(axis=0), low.max(axis=0))).all()


def test_emotion_that_is_acted_without_strength_is_neutral():
    nothing = Delivery(*[0.0] * 8)
    np.testing.assert_allclose(draws("angry", nothing), draws("neutral", nothing))


def test_each_speaker_gets_a_voice_of_the_own_gender_that_nobody_else_has():
    cast = prosody.cast(GENDERS, np.random.default_rng(3))
    assert list(cast) == list(GENDERS)
    assert len({speaker.variant for speaker in cast.values()}) == len(GENDERS)
    assert all(speaker.variant in prosody.VARIANTS[GENDERS[name]] for name, speaker in cast.items())


def test_more_speakers_than_voices_share_voices_but_not_habits():
    cast = prosody.cast({str(number): "female" for number in range(25)}, np.random.default_rng(3))
    assert len({speaker.habit for speaker in cast.values()}) == 25


def test_votes_have_the_majority_that_the_label_says_and_none_without_a_label():
    rng = np.random.default_rng(0)
    for raters in (3, 5):
        for _ in range(50):
            assert (
                listeners.votes("Angry", raters, ["Angry", "Happy", "Sad", "Neutral", "Other"], rng).count("Angry")
                > raters / 2
            )
            assert len(set(listeners.votes(None, raters, list("ABCDE"), rng))) == raters


def test_doubt_is_the_share_of_utterances_that_were_meant_otherwise():
    rng = np.random.default_rng(0)
    acted = [listeners.acted("angry", 0.2, {"angry": ["frustrated", "neutral"]}, rng) for _ in range(4000)]
    assert acted.count("angry") / 4000 == pytest.approx(0.8, abs=0.02)
    assert set(acted) == {"angry", "frustrated", "neutral"}


def test_ratings_are_whole_from_one_to_five_and_put_anger_above_sadness_in_activation():
    rng = np.random.default_rng(0)
    angry, sad = (listeners.ratings(emotion, 500, rng) for emotion in ("angry", "sad"))
    assert angry.shape == (500, 3)
    assert set(np.unique(angry)) | set(np.unique(sad)) <= {1, 2, 3, 4, 5}
    assert angry[:, 1].mean() > sad[:, 1].mean() + 0.5


def test_every_emotion_that_can_be_acted_can_be_rated():
    assert set(prosody.EMOTIONS) == set(listeners.AFFECT)
