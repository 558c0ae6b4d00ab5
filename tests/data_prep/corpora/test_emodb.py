"""EMO-DB: the German letters, its usual folders, and every real file name."""

from __future__ import annotations

from collections import Counter

import pytest

from data_prep import corpora

# Files per speaker of the whole corpus.
SPEAKERS = {
    "03": 49, "08": 58, "09": 43, "10": 38, "11": 55, "12": 35, "13": 61, "14": 69, "15": 56, "16": 71,
}  # fmt: skip


def test_the_letters_are_german_words_not_english_ones():
    meanings = corpora.load("emodb").labels
    assert {letter: meanings[letter] for letter in "AEFLNTW"} == {
        "A": "fear", "E": "disgusted", "F": "happy", "L": "bored", "N": "neutral", "T": "sad", "W": "angry",
    }  # fmt: skip


def test_a_name_is_speaker_sentence_and_emotion(lay_out):
    found = lay_out("emodb").by_id()
    assert set(found) == {"03a01Fa", "08b10Wb", "16a07Lc"}
    assert [(u.speaker, u.gender, u.emotion) for u in found.values()] == [
        ("03", "male", "F"), ("08", "female", "W"), ("16", "female", "L"),
    ]  # fmt: skip


@pytest.mark.parametrize("place", ["wav", "wav_corpus", "."])
def test_it_is_read_from_any_of_its_usual_folders(place, folder):
    folder.audio(f"{place}/03a01Fa.wav")
    (utterance,) = corpora.read("emodb", folder.path)
    assert utterance.emotion == "F" and (folder.path / utterance.audio).is_file()


@pytest.mark.parametrize("stray", ["holiday.wav", "04a01Fa.wav", "03a01fa.wav", "03a01F.wav"])
def test_a_file_that_may_be_an_utterance_misnamed_is_left_out_and_the_rest_arrives(stray, lay_out):
    tiny = lay_out("emodb")
    before = tiny.read()
    tiny.folder.audio(f"wav/{stray}")
    assert tiny.left_out()[f"wav/{stray}"] == "its name is not one of this corpus's, which are such as 03a01Fa.wav"
    assert tiny.read() == before


def test_of_the_same_utterance_under_two_names_the_first_is_taken_and_the_other_left_out(lay_out):
    tiny = lay_out("emodb")
    tiny.folder.audio("wav/03a01Fa.WAV")
    assert tiny.by_id()["03a01Fa"].audio == "wav/03a01Fa.WAV"
    reason = "wav/03a01Fa.WAV was taken for this utterance, and this file is no copy of it"
    assert tiny.left_out() == {"wav/03a01Fa.wav": reason}


def test_every_real_file_name_is_read_right(real_names, folder):
    names = real_names("EMO-DB")
    folder.audio(*names)
    utterances = corpora.read("emodb", folder.path)
    assert [utterance.audio for utterance in utterances] == sorted(names)
    assert Counter(utterance.emotion for utterance in utterances) == {
        "W": 127, "L": 81, "E": 46, "A": 69, "F": 71, "T": 62, "N": 79,
    }  # fmt: skip
    assert Counter(utterance.speaker for utterance in utterances) == SPEAKERS
    women = {utterance.speaker for utterance in utterances if utterance.gender == "female"}
    assert women == {"08", "09", "13", "14", "16"}


def test_the_real_folder_has_its_four_classes(real_corpora):
    utterances = corpora.read("emodb", real_corpora / "emodb")
    assert len(utterances) == 339
    assert Counter(utterance.emotion for utterance in utterances) == {"W": 127, "F": 71, "N": 79, "T": 62}
    assert {utterance.speaker for utterance in utterances} == set(SPEAKERS)
