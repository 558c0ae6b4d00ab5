"""SAVEE: one- and two-letter emotions, the three layouts that people have, and every real file name."""

from __future__ import annotations

from collections import Counter

import pytest

from data_prep import corpora
from data_prep.errors import InputError

SPEAKERS = ("DC", "JE", "JK", "KL")
# Of DC/a01.wav, the layout of the published archive.
LAYOUTS = {
    "as published": lambda speaker, name: f"AudioData/{speaker}/{name}",
    "without the outer folder": lambda speaker, name: f"{speaker}/{name}",
    "one folder": lambda speaker, name: f"ALL/{speaker}_{name}",
    "one folder, no underscore": lambda speaker, name: f"{speaker}{name}",
    "both ways": lambda speaker, name: f"{speaker}/{speaker}_{name}",
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_an_utterance_is_the_same_in_every_layout(layout, folder):
    names = [("DC", "a01.wav"), ("JE", "sa01.wav"), ("JK", "su15.wav"), ("KL", "n30.wav")]
    folder.audio(*(LAYOUTS[layout](speaker, name) for speaker, name in names))
    found = [(u.utterance_id, u.speaker, u.gender, u.emotion) for u in corpora.read("savee", folder.path)]
    assert found == [
        ("DC_a01", "DC", "male", "a"),
        ("JE_sa01", "JE", "male", "sa"),
        ("JK_su15", "JK", "male", "su"),
        ("KL_n30", "KL", "male", "n"),
    ]


def test_sadness_and_surprise_are_not_taken_for_one_another_or_for_anger():
    labels = corpora.load("savee").labels
    assert (labels["a"], labels["sa"], labels["su"], "s" in labels) == ("angry", "sad", "surprised", False)


def test_of_the_same_utterance_in_two_layouts_the_shallower_is_taken_and_the_other_left_out(lay_out):
    tiny = lay_out("savee")
    tiny.folder.audio("AudioData/DC_a01.wav")
    assert tiny.by_id()["DC_a01"].audio == "AudioData/DC_a01.wav"
    reason = "AudioData/DC_a01.wav was taken for this utterance, and this file is no copy of it"
    assert tiny.left_out() == {"AudioData/DC/a01.wav": reason}


@pytest.mark.parametrize(
    "stray, wrong",
    [
        ("AudioData/DC/holiday.wav", "name is not one of this corpus's, which are such as a01.wav"),
        ("AudioData/DC/a1.wav", "name is not one of this corpus's, which are such as a01.wav"),
        ("AudioData/DC/XX_a01.wav", "name is not one of this corpus's, which are such as a01.wav"),
        ("AudioData/a01.wav", "path names no speaker; expected one of DC, JE, JK, KL"),
        ("AudioData/DC/JE_a01.wav", "path names two speakers; expected one of DC, JE, JK, KL"),
    ],
)
def test_a_file_that_may_be_an_utterance_misnamed_is_left_out_and_the_rest_arrives(stray, wrong, lay_out):
    tiny = lay_out("savee")
    before = tiny.read()
    tiny.folder.audio(stray)
    assert tiny.left_out()[stray].startswith(f"its {wrong}")
    assert tiny.read() == before


def test_files_that_name_no_speaker_alone_are_no_corpus(folder):
    folder.audio("ALL/a01.wav", "ALL/a02.wav")
    with pytest.raises(
        InputError, match=r"no utterance found in .*; expected .*ALL/a01\.wav: its path names no speaker"
    ):
        corpora.read("savee", folder.path)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_real_file_name_is_read_right(layout, real_names, folder):
    names = [name.split("/") for name in real_names("SAVEE")]
    folder.audio(*(LAYOUTS[layout](speaker, name) for speaker, name in names))
    utterances = corpora.read("savee", folder.path)
    assert [u.utterance_id for u in utterances] == sorted(f"{speaker}_{name[:-4]}" for speaker, name in names)
    assert Counter(u.emotion for u in utterances) == {
        "a": 60, "d": 60, "f": 60, "h": 60, "n": 120, "sa": 60, "su": 60,
    }  # fmt: skip
    assert Counter(u.speaker for u in utterances) == dict.fromkeys(SPEAKERS, 120)
    neutral = Counter(u.speaker for u in utterances if u.emotion == "n")
    assert neutral == dict.fromkeys(SPEAKERS, 30), "twice the 15 that Info.txt says"
