"""EMOVO: names, with and without the outer folder, and the real corpus."""

from __future__ import annotations

from collections import Counter

import pytest

from data_prep import corpora


def test_a_name_is_emotion_and_speaker(lay_out):
    found = [(u.speaker, u.gender, u.emotion) for u in lay_out("emovo").read()]
    assert found == [
        ("f1", "female", "gio"),
        ("m2", "male", "tri"),
    ]


def test_it_is_read_without_the_outer_folder(lay_out):
    tiny = lay_out("emovo")
    assert [u.audio for u in tiny.read()] == ["EMOVO/f1/gio-f1-b1.wav", "EMOVO/m2/tri-m2-n5.WAV"]
    inside = corpora.read("emovo", tiny.path / "EMOVO")
    assert [u.audio for u in inside] == ["f1/gio-f1-b1.wav", "m2/tri-m2-n5.WAV"]


@pytest.mark.parametrize("stray", ["holiday.wav", "gio-f4-b1.wav", "gio-f1.wav"])
def test_a_file_that_may_be_an_utterance_misnamed_is_left_out_and_the_rest_arrives(stray, lay_out):
    tiny = lay_out("emovo")
    before = tiny.read()
    tiny.folder.audio(f"EMOVO/f1/{stray}")
    assert (
        tiny.left_out()[f"EMOVO/f1/{stray}"] == "its name is not one of this corpus's, which are such as gio-f1-b1.wav"
    )
    assert tiny.read() == before


def test_the_real_corpus_is_six_actors_with_fourteen_sentences_in_seven_emotions(real_corpora):
    utterances = corpora.read("emovo", real_corpora / "emovo")
    assert len(utterances) == 588
    assert Counter(u.emotion for u in utterances) == dict.fromkeys(
        ("dis", "gio", "neu", "pau", "rab", "sor", "tri"), 84
    )
    assert Counter(u.speaker for u in utterances) == dict.fromkeys(("f1", "f2", "f3", "m1", "m2", "m3"), 98)
    assert all(u.gender == ("female" if u.speaker[0] == "f" else "male") for u in utterances)
