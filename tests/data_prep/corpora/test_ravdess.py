"""RAVDESS: speech once each out of the copies that people have, and every real file name."""

from __future__ import annotations

from collections import Counter

import pytest

from data_prep import corpora
from data_prep.errors import InputError

ACTORS = [f"{actor:02d}" for actor in range(1, 25)]
WOMEN = set(ACTORS[1::2])


def classes(neutral: int, others: int) -> dict[str, int]:
    """Neutral is said with one intensity only, so half as often."""
    return {"01": neutral} | {f"0{emotion}": others for emotion in range(2, 9)}


def test_songs_and_sound_of_videos_are_passed_over_and_strays_and_second_files_left_out(lay_out):
    tiny = lay_out("ravdess")
    found = tiny.by_id()
    assert {name: utterance.audio for name, utterance in found.items()} == {
        "03-01-01-01-01-01-02": "Actor_02/03-01-01-01-01-01-02.WAV",
        "03-01-05-01-02-01-01": "Actor_01/03-01-05-01-02-01-01.wav",
    }
    second = "audio_speech_actors_01-24"
    assert tiny.left_out().keys() == {
        "Actor_05/holiday.wav",
        *(f"{second}/{utterance.audio}" for utterance in found.values()),
    }


def test_even_actors_are_women(lay_out):
    assert [(u.speaker, u.gender) for u in lay_out("ravdess").read()] == [("02", "female"), ("01", "male")]


@pytest.mark.parametrize(
    "misnamed", ["holiday.wav", "03-01-05-01-02-01-25.wav", "03-01-05-01-02-01.wav", "03-01-05-03-02-01-01.wav"]
)
def test_a_file_that_may_be_an_utterance_misnamed_is_left_out_and_the_rest_arrives(misnamed, lay_out):
    tiny = lay_out("ravdess")
    before = tiny.read()
    tiny.folder.audio(f"Actor_01/{misnamed}")
    assert (
        tiny.left_out()[f"Actor_01/{misnamed}"]
        == "its name is not one of this corpus's, which are such as 03-01-01-01-01-01-01.wav"
    )
    assert tiny.read() == before


def test_a_folder_of_songs_alone_is_said_to_hold_no_speech(folder):
    folder.audio("Actor_01/03-02-05-01-02-01-01.wav")
    with pytest.raises(InputError, match=r"no utterance found in .*; expected a folder with speech"):
        corpora.read("ravdess", folder.path)


@pytest.mark.parametrize("places", [("",), ("Audio_Speech_Actors_01-24/",), ("", "audio_speech_actors_01-24/")])
def test_every_real_file_name_is_read_right_and_once(places, real_names, folder):
    names = real_names("RAVDESS")
    folder.audio(*(f"{place}{name}" for place in places for name in names))
    utterances = corpora.read("ravdess", folder.path)
    assert sorted(utterance.audio for utterance in utterances) == sorted(places[0] + name for name in names)
    assert Counter(utterance.emotion for utterance in utterances) == classes(96, 192)
    assert Counter(utterance.speaker for utterance in utterances) == dict.fromkeys(ACTORS, 60)
    assert {utterance.speaker for utterance in utterances if utterance.gender == "female"} == WOMEN


def test_the_real_folder_has_the_first_twelve_actors(real_corpora):
    utterances = corpora.read("ravdess", real_corpora / "ravdess")
    assert len(utterances) == 720
    assert Counter(utterance.emotion for utterance in utterances) == classes(48, 96)
    assert Counter(utterance.speaker for utterance in utterances) == dict.fromkeys(ACTORS[:12], 60)
