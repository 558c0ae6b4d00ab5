"""MASC: read from a list of one's own, for nobody says how the release names its files."""

from __future__ import annotations

import re

import pytest

from data_prep import corpora
from data_prep.errors import InputError

LIST = "masc.csv"


def test_a_line_is_an_utterance(lay_out):
    found = lay_out("masc").by_id()
    assert {name: (u.audio, u.speaker, u.gender, u.emotion) for name, u in found.items()} == {
        "data/b/three": ("data/b/three.wav", "m02", "male", "neutral"),
        "data/b/two, again": ("data/b/two, again.WAV", "m02", "unknown", "panic"),
        "f01-elation-1": ("data/a/one.wav", "f01", "female", "elation"),
    }


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_the_list_may_come_from_any_editor(encoding, lay_out):
    tiny = lay_out("masc")
    before = tiny.read()
    text = (tiny.path / LIST).read_text(encoding="utf-8")
    assert "他来了" in text
    (tiny.path / LIST).write_bytes(text.replace("\n", "\r\n").encode(encoding))
    assert tiny.read() == before


def test_paths_may_be_written_as_on_windows(lay_out):
    tiny = lay_out("masc")
    tiny.folder.replace(LIST, "data/a/one.wav", r"data\a\one.wav")
    assert tiny.by_id()["f01-elation-1"].audio == "data/a/one.wav"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("speaker,gender", "gender", "1 does not name the column 'speaker' once; expected the audio with masc.csv"),
        ("speaker,gender", "speaker,speaker", "1 does not name the column 'speaker' once"),
        (",f01,", ",,", "2 has no speaker"),
        ("data/a/one.wav", "", "2 has no audio"),
        ("female,elation,", "female,elation,a,b,", "2 has 8 fields; the first line names 6 columns"),
        ("female", "woman", "2 has the gender 'woman'; it must be one of female, male, unknown"),
        ("data/a/one.wav", "/data/a/one.wav", "2 has the audio '/data/a/one.wav'; it must be a path inside"),
        ("data/a/one.wav", "../one.wav", "2 has the audio '../one.wav'; it must be a path inside"),
        ("data/a/one.wav", '"data/a/one.wav', "2 is not CSV"),
        ("他来了,f01", "他来\0了,f01", "2 holds a NUL character"),
    ],
)
def test_a_wrong_line_is_named(old, new, said, lay_out):
    tiny = lay_out("masc")
    tiny.folder.replace(LIST, old, new)
    with pytest.raises(InputError, match=re.escape(f"{tiny.path / LIST}:{said}")):
        tiny.read()


def test_a_folder_of_audio_alone_is_told_what_to_write(folder):
    folder.audio("001/anger/001.wav")
    with pytest.raises(
        InputError, match=r"holds no masc\.csv \(a list of one's own\); expected .* audio, speaker, emotion"
    ):
        corpora.read("masc", folder.path)


def test_the_whole_corpus_is_what_the_paper_counts(folder):
    """68 speakers say 25 phrases and sentences three times in each of five states, and two paragraphs neutrally."""
    rows = [
        f"{speaker}/{state}/{text}/{time}.wav,{speaker},{state}"
        for speaker in range(68)
        for state in ("neutral", "anger", "elation", "panic", "sadness")
        for text in range(27 if state == "neutral" else 25)
        for time in range(1 if text >= 25 else 3)
    ]
    folder.text(LIST, "audio,speaker,emotion", *rows)
    utterances, expected = corpora.read("masc", folder.path), corpora.load("masc").expected
    assert expected.utterances == len(utterances) == 25_636  # multilingual.txt, table 1
    for state, count in expected.labels.items():
        assert sum(utterance.emotion == state for utterance in utterances) == count
