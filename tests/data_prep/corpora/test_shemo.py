"""ShEMO: the letter F in two places, its table where there is one, and every real name."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from data_prep import corpora
from data_prep.errors import InputError


@pytest.fixture
def table(real_corpora: Path) -> Path:
    """The real ``shemo.json``, from beside the real corpora."""
    file = real_corpora.parent / "layouts" / "shemo" / "shemo.json"
    if not file.is_file():
        pytest.skip("there is no shemo/shemo.json in layouts/ beside the real corpora")
    return file


def test_f_is_female_at_the_beginning_and_fear_after_the_speaker(lay_out):
    found = {name: (u.speaker, u.gender, u.emotion) for name, u in lay_out("shemo").by_id().items()}
    assert found == {
        "F03F02": ("F03", "female", "F"),
        "F03S01": ("F03", "female", "S"),
        "M56W01": ("M56", "male", "W"),
    }
    labels = corpora.load("shemo").labels
    assert (labels["F"], labels["W"]) == ("fear", "surprised")


def test_file_names_are_enough(lay_out):
    tiny = lay_out("shemo")
    with_table = tiny.read()
    (tiny.path / "shemo.json").unlink()
    assert tiny.read() == with_table


def test_the_table_may_begin_with_a_mark_of_its_encoding_and_have_windows_line_ends(lay_out):
    tiny = lay_out("shemo")
    before, file = tiny.read(), tiny.path / "shemo.json"
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes().replace(b"\n", b"\r\n"))
    assert tiny.read() == before


def test_what_the_table_lists_without_audio_is_still_an_utterance_and_says_where_it_should_lie(lay_out):
    tiny = lay_out("shemo")
    before = tiny.read()
    (tiny.path / "female/F03S01.wav").unlink()
    assert tiny.read() == before


def test_a_table_without_any_audio_is_no_corpus(lay_out):
    tiny = lay_out("shemo")
    for file in tiny.path.rglob("*.[wW]*"):
        file.unlink()
    with pytest.raises(InputError, match=r"holds no files such as male/M01A01\.wav; expected a folder with female/"):
        tiny.read()


@pytest.mark.parametrize("stray", ["holiday.wav", "F32S01.wav", "M57A01.wav", "F00S01.wav", "X03S01.wav", "F03S1.wav"])
def test_a_file_that_may_be_an_utterance_misnamed_is_left_out_and_the_rest_arrives(stray, lay_out):
    tiny = lay_out("shemo")
    before = tiny.read()
    tiny.folder.audio(f"female/{stray}")
    assert tiny.left_out()[f"female/{stray}"] == "its name is not one of this corpus's, which are such as M01A01.wav"
    assert tiny.read() == before


@pytest.mark.parametrize(
    ("old", "new", "wrong"),
    [
        ('"sad"', '"afraid"', ":3 has the unknown label 'afraid'; known, nearest first: "),
        ('"emotion": "sad"', '"emotion": ["sad"]', ":3 has the unknown label \"['sad']\"; known, nearest first: "),
        ('"emotion": "sad", ', "", ":3 has the unknown label 'None'; known, nearest first: "),
        ('"sad"', '"angry"', ":3 has the emotion 'angry' for F03S01, whose name says 'sad'; one of the two is wrong"),
        ('"female", "emotion": "sad"', '"male", "emotion": "sad"', ":3 has the gender 'male' for F03S01, whose name"),
        ('"M56", "gender"', '"M55", "gender"', ":4 has the speaker_id 'M55' for M56W01, whose name says 'M56'"),
        ('"F03S01"', '"F03S1"', ":3 names the utterance 'F03S1'; expected such as F21N37"),
        ("چی؟", '"', ":4 is not JSON: Expecting ',' delimiter; fetch it again"),
    ],
)
def test_a_mistake_in_the_table_names_the_file_and_the_line(old, new, wrong, lay_out):
    tiny = lay_out("shemo")
    tiny.folder.replace("shemo.json", old, new)
    with pytest.raises(InputError, match=re.escape(f"shemo: {tiny.path / 'shemo.json'}{wrong}")):
        tiny.read()


@pytest.mark.parametrize("content", [b"", b"[]", b"null", b"[" * 100_000, b'{"F03S01": "\xff"}', b'{"F03S01": 3}'])
def test_a_table_of_another_kind_is_one_line(content, lay_out):
    tiny = lay_out("shemo")
    file = tiny.path / "shemo.json"
    file.write_bytes(content)
    with pytest.raises(InputError, match=f"^shemo: {re.escape(str(file))}") as error:
        tiny.read()
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("kept", ["the table", "no table", "the table and hardly any audio"])
def test_every_real_name_is_read_right(kept, table, folder):
    names = json.loads(table.read_text(encoding="utf-8"))
    places = [f"{row['gender']}/{name}.wav" for name, row in names.items()]
    folder.audio(*(places[:1] if "hardly" in kept else places))
    if kept != "no table":
        (folder.path / "shemo.json").write_bytes(table.read_bytes())
    utterances = corpora.read("shemo", folder.path)
    assert sorted(u.audio for u in utterances) == sorted(places)
    assert Counter(u.emotion for u in utterances) == {"A": 1042, "F": 32, "H": 203, "N": 1160, "S": 362, "W": 201}
    meanings = {"angry": "angry", "fearful": "fear", "happy": "happy", "neutral": "neutral", "sad": "sad"}
    meanings["surprised"] = "surprised"
    labels = corpora.load("shemo").labels
    for utterance in utterances:
        row = names[utterance.utterance_id]
        assert (utterance.speaker, utterance.gender) == (row["speaker_id"], row["gender"])
        assert labels[utterance.emotion] == meanings[row["emotion"]]
    assert Counter(u.gender for u in utterances) == {"female": 1263, "male": 1737}
    speakers = Counter(u.speaker for u in utterances)
    assert Counter(speaker[0] for speaker in speakers) == {"F": 31, "M": 56}
    assert speakers == corpora.load("shemo").expected.speakers
