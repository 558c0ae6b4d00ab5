"""LibriSpeech: speakers, subsets, and what a copy may lack."""

from __future__ import annotations

import dataclasses
import re
from collections import Counter

import pytest

from data_prep import corpora
from data_prep.errors import InputError

SPEAKERS = "LibriSpeech/SPEAKERS.TXT"
CHAPTER = "LibriSpeech/train-clean-100/19/198"


def test_a_name_is_speaker_and_chapter_and_nothing_is_labelled(lay_out):
    found = lay_out("librispeech").by_id()
    assert [(u.speaker, u.session, u.gender, u.split, u.emotion) for u in found.values()] == [
        ("19", "198", "female", "train-clean-100", None),
        ("19", "198", "female", "train-clean-100", None),
        ("60", "121082", "male", "train-clean-100", None),
        ("84", "121123", "female", "dev-clean", None),
    ]


@pytest.mark.parametrize("root", ["LibriSpeech", "LibriSpeech/train-clean-100", "LibriSpeech/train-clean-100/19"])
def test_the_release_and_a_subset_are_read_too(root, lay_out):
    tiny = lay_out("librispeech")
    found = corpora.read("librispeech", tiny.path / root)
    assert all((tiny.path / root / utterance.audio).is_file() for utterance in found)
    assert {u.split for u in found if u.speaker == "19"} == {"train-clean-100"}


def test_the_subset_is_known_from_a_relative_path_too(lay_out, monkeypatch):
    tiny = lay_out("librispeech")
    monkeypatch.chdir(tiny.path / "LibriSpeech/train-clean-100")
    found = corpora.read("librispeech", type(tiny.path)("."))
    assert {(u.split, u.gender) for u in found} == {("train-clean-100", "female"), ("train-clean-100", "male")}


def test_speakers_who_are_not_listed_are_of_unknown_gender(lay_out):
    tiny = lay_out("librispeech")
    tiny.folder.replace(SPEAKERS, "84   |", "85   |")
    assert tiny.by_id()["84-121123-0000"].gender == "unknown"
    (tiny.path / SPEAKERS).unlink()
    assert {utterance.gender for utterance in tiny.read()} == {"unknown"}


@pytest.mark.parametrize("wrong", ["60   | X |", "60   |", "sixty | M |"])
def test_a_wrong_line_of_a_speaker_is_named(wrong, lay_out):
    tiny = lay_out("librispeech")
    tiny.folder.replace(SPEAKERS, "60   | M |", wrong)
    with pytest.raises(InputError, match=f"{re.escape(str(tiny.path / SPEAKERS))}:4 is no line of a speaker"):
        tiny.read()


def test_an_utterance_that_only_the_transcript_has_shows_that_its_audio_is_missing(lay_out):
    tiny = lay_out("librispeech")
    (tiny.path / CHAPTER / "19-198-0001.flac").unlink()
    assert tiny.by_id()["19-198-0001"].audio == f"{CHAPTER}/19-198-0001.flac"


def test_copies_converted_to_wav_and_without_transcripts_are_read(lay_out):
    tiny = lay_out("librispeech")
    (tiny.path / CHAPTER / "19-198.trans.txt").unlink()
    (tiny.path / CHAPTER / "19-198-0000.flac").rename(tiny.path / CHAPTER / "19-198-0000.wav")
    assert tiny.by_id()["19-198-0000"].audio == f"{CHAPTER}/19-198-0000.wav"
    assert len(tiny.read()) == 4


def test_windows_line_ends_make_no_other_utterances(lay_out):
    tiny = lay_out("librispeech")
    before = tiny.read()
    for name in (SPEAKERS, f"{CHAPTER}/19-198.trans.txt"):
        content = (tiny.path / name).read_bytes()
        (tiny.path / name).write_bytes(b"\xef\xbb\xbf" + content.replace(b"\n", b"\r\n"))
    assert tiny.read() == before


def test_a_line_of_another_chapter_in_a_transcript_is_named(lay_out):
    tiny = lay_out("librispeech")
    name = f"{CHAPTER}/19-198.trans.txt"
    tiny.folder.replace(name, "19-198-0001", "19-199-0001")
    with pytest.raises(
        InputError, match=f"{re.escape(str(tiny.path / name))}:2 is no line of this chapter's transcript"
    ):
        tiny.read()


def test_audio_with_another_name_is_left_out_and_the_rest_arrives(lay_out):
    tiny = lay_out("librispeech")
    before = tiny.read()
    tiny.folder.audio(f"{CHAPTER}/19-198-002.flac")
    reason = "its name is not one of this corpus's, which are such as 19-198-0000.flac"
    assert tiny.left_out() == {f"{CHAPTER}/19-198-002.flac": reason}
    assert tiny.read() == before


def test_the_real_folder_has_a_chapter_of_three_speakers(real_corpora):
    utterances = corpora.read("librispeech", real_corpora / "librispeech")
    assert len(utterances) == 124 and {utterance.emotion for utterance in utterances} == {None}
    # The lines of its transcripts, by chapter; the genders as its SPEAKERS.TXT lists them.
    folder = real_corpora / "librispeech/LibriSpeech/train-clean-100"
    lines = {file.stem.split("-")[0]: file.read_text().count("\n") for file in folder.glob("*/*/*.trans.txt")}
    assert Counter(utterance.speaker for utterance in utterances) == lines
    assert {(u.speaker, u.gender) for u in utterances} == {("19", "female"), ("26", "male"), ("27", "male")}
    assert all((real_corpora / "librispeech" / utterance.audio).is_file() for utterance in utterances)


@pytest.mark.parametrize(
    ("subsets", "utterances", "speakers"),
    [
        (["dev-clean"], 2_703, 40),
        (["dev-clean", "train-clean-100"], 31_242, 291),
        (["train-clean-100", "train-clean-360", "train-other-500"], 281_241, 2_338),
        ([None], 28_539, 251),
    ],
)
def test_a_copy_is_to_hold_the_whole_of_the_subsets_that_it_has(lay_out, subsets, utterances, speakers):
    some = next(iter(lay_out("librispeech").by_id().values()))
    expected = corpora.load("librispeech").expected.of([dataclasses.replace(some, split=name) for name in subsets])
    assert (expected.utterances, expected.speaker_count) == (utterances, speakers)


def test_the_whole_release_has_as_many_as_its_subsets():
    whole = max(corpora.load("librispeech").expected.others, key=lambda other: other.utterances)
    assert (whole.utterances, whole.speaker_count, sum(whole.splits.values())) == (292_367, 2_484, 292_367)
