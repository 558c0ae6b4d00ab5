"""A corpus of one's own: what the CSV may leave out, and what is said of a mistake in it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from data_prep import corpora, labels
from data_prep.errors import InputError


def written(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "mine.csv"
    path.write_bytes(text.encode(encoding))
    return path


def test_only_audio_and_speaker_must_be_there(tmp_path):
    (utterance,) = corpora.read("manifest", written(tmp_path, "audio,speaker\nx/one.v2.wav,ana\n"))
    assert utterance == corpora.Utterance(
        utterance_id="x/one.v2", audio="x/one.v2.wav", speaker="ana", gender="unknown", language="und"
    )


def test_every_column_is_read_in_any_order_and_blanks_around_do_not_matter(tmp_path):
    text = (
        "end, start,split,dominance,valence,arousal,emotion,session,language,gender,speaker,audio,utterance_id\n"
        "2.5,1,test,3,2,1.5e0,happy,s1,pt-BR,male, ana ,x.wav,u1\n"
    )
    (utterance,) = corpora.read("manifest", written(tmp_path, text))
    assert utterance == corpora.Utterance(
        utterance_id="u1", audio="x.wav", speaker="ana", gender="male", language="pt-BR", session="s1", emotion="happy",
        arousal=1.5, valence=2.0, dominance=3.0, split="test", start=1.0, end=2.5,
    )  # fmt: skip


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_it_may_come_from_any_system(line_end, encoding, tmp_path):
    text = line_end.join(["audio,speaker,emotion", "x\\ä.wav,ana,", ""])
    (utterance,) = corpora.read("manifest", written(tmp_path, text, encoding))
    assert (utterance.utterance_id, utterance.audio, utterance.emotion) == ("x/ä", "x/ä.wav", None)


def test_audio_may_lie_anywhere(tmp_path):
    text = f"audio,speaker\n{tmp_path}/far/a.wav,ana\n../near/b.wav,ana\n"
    found = corpora.read("manifest", written(tmp_path, text))
    assert {utterance.audio for utterance in found} == {f"{tmp_path}/far/a.wav", "../near/b.wav"}


def test_parts_of_one_recording_are_utterances_with_ids_of_their_own(tmp_path):
    text = "audio,speaker,utterance_id,start,end\nlong.wav,ana,one,0,1.5\nlong.wav,ana,two,1.5,\n"
    found = corpora.read("manifest", written(tmp_path, text))
    assert [(u.audio, u.start, u.end) for u in found] == [("long.wav", 0.0, 1.5), ("long.wav", 1.5, None)]


def test_its_labels_are_what_schemes_know_them_by(tmp_path):
    text = "audio,speaker,emotion\na.wav,x,excited\nb.wav,x,frustrated\n"
    scheme = labels.load("emotion4")
    targets = [scheme.target("manifest", u.emotion) for u in corpora.read("manifest", written(tmp_path, text))]
    assert targets == [scheme.classes.index("happy"), None]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", ":1 names no columns audio and speaker; expected a CSV file (commas, UTF-8)"),
        ("audio;speaker\na.wav;x\n", ":1 names no columns audio and speaker; expected a CSV file (commas, UTF-8)"),
        ("audio\na.wav\n", ":1 has no column 'speaker'; expected"),
        ("audio,speaker,emoton\n", ":1 has the unknown column 'emoton'; known, nearest first: emotion, "),
        ("audio,speaker,audio\n", ":1 has the column 'audio' twice"),
        ("audio,speaker\n", ": no utterance found in "),
        ("audio,speaker\na.wav,\n", ":2 has no speaker"),
        ("audio,speaker\n  ,x\n", ":2 has no audio"),
        ("audio,speaker,emotion\na.wav,x,angy\n", ":2 has the unknown label 'angy'; known, nearest first: angry, "),
        ("audio,speaker,gender\na.wav,x,F\n", ":2 has the gender 'F'; it must be one of female, male, unknown"),
        ("audio,speaker,language\na.wav,x,German\n", ":2 has the language 'German'; it must be a BCP 47 tag"),
        ("audio,speaker,arousal\nb.wav,y,2\na.wav,x,high\n", ":3 has arousal 'high'; it must be a number, or empty"),
        ("audio,speaker,valence\na.wav,x,nan\n", ":2 has valence 'nan'; it must be a number, or empty"),
        ("audio,speaker,start,end\na.wav,x,2,1\n", ":2 goes from 2.0 to 1.0 s; start must be"),
        ("audio,speaker,start\na.wav,x,-1\n", ":2 goes from -1.0 to None s; start must be"),
        (
            "audio,speaker,end\na.wav,x,1e308\n",
            ":2 goes from None to 1e+308 s; times must be seconds, 1,000,000 at most",
        ),
        ("audio,speaker,end\na.wav,x,-1\n", ":2 goes from None to -1.0 s; start must be"),
        ("audio,speaker,end\na.wav,x,inf\n", ":2 has end 'inf'; it must be a number, or empty"),
        ("audio,speaker,start\na.wav,x,nan\n", ":2 has start 'nan'; it must be a number, or empty"),
        ("audio,speaker\na.wav,x\nb\0.wav,x\n", ":3 has audio 'b\\x00.wav'; it must be text without NUL characters"),
        ("audio,speaker,emotion\na.wav,x\n", ":2 has not as many fields as the first line has columns"),
        ("audio,speaker\na.wav,x,y\n", ":2 has not as many fields as the first line has columns"),
        ('audio,speaker\na.wav,x\n"b.wav,y\n', ":3 is not CSV: unexpected end of data"),
    ],
)
def test_a_mistake_names_the_file_and_the_line(text, message, tmp_path):
    path = written(tmp_path, text)
    expected = re.escape(f"manifest: {path}{message}" if message[1:2].isdigit() else f"manifest{message}{path}")
    with pytest.raises(InputError, match=expected):
        corpora.read("manifest", path)


def test_of_two_lines_with_the_same_id_the_first_is_taken_and_the_other_left_out(tmp_path):
    path = written(tmp_path, "audio,speaker\n\na.wav,x\nb.wav,y\na.wav,z\n")
    found, (one,) = corpora.sift("manifest", path)
    assert [(utterance.utterance_id, utterance.speaker) for utterance in found] == [("a", "x"), ("b", "y")]
    assert (one.utterance_id, one.audio) == ("a", "a.wav")
    assert one.reason == "mine.csv:5 has 'a' again, which mine.csv:3 has; the first was taken"


def test_a_file_in_another_encoding_is_said_with_the_line_of_the_first_such_character(tmp_path):
    path = written(tmp_path, "audio,speaker\na.wav,x\nä.wav,x\n", "latin-1")
    with pytest.raises(InputError, match=rf"{re.escape(str(path))}:3 is not UTF-8: .*; save the file as UTF-8"):
        corpora.read("manifest", path)
