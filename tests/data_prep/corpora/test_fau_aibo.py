"""FAU Aibo: two labellings of the same chunks, two schools that number their children alike."""

from __future__ import annotations

import re

import pytest

from data_prep import corpora
from data_prep.errors import InputError

FIVE = "labels/IS2009EmotionChallenge/chunk_labels_5cl_corpus.txt"
TWO = "labels/IS2009EmotionChallenge/chunk_labels_2cl_corpus.txt"

# Schuller et al., 2009, table 3: chunks of Ohm and of Mont.
FIVE_COUNTS = {"A": (881, 611), "E": (2093, 1508), "N": (5590, 5377), "P": (674, 215), "R": (721, 546)}


def test_children_of_two_schools_with_the_same_number_are_two_speakers(lay_out):
    found = lay_out("fau_aibo").by_id()
    assert found["Ohm_01_000_00"].speaker == "Ohm_01" and found["Mont_01_002_00"].speaker == "Mont_01"


def test_ohm_trains_and_mont_tests(lay_out):
    assert [(u.utterance_id, u.split) for u in lay_out("fau_aibo").read()] == [
        ("Mont_01_002_00", "test"), ("Mont_02_003_00", "test"), ("Ohm_01_000_00", "train"), ("Ohm_01_000_01", "train"),
    ]  # fmt: skip


def test_the_class_of_two_is_the_valence_and_does_not_follow_from_the_class_of_five(lay_out):
    found = lay_out("fau_aibo").by_id()
    assert [(u.emotion, u.valence) for u in found.values()] == [("P", 1), ("R", 1), ("N", -1), ("E", -1)]


def test_audio_without_a_label_is_no_utterance_and_a_label_without_audio_is_one(lay_out):
    tiny = lay_out("fau_aibo")
    assert (tiny.path / "wav/Ohm_01_001_00.wav").is_file() and "Ohm_01_001_00" not in tiny.by_id()
    tiny.folder.audio("wav/holiday.wav")
    assert tiny.left_out() == dict.fromkeys(("wav/Ohm_01_001_00.wav", "wav/holiday.wav"), corpora.NO_LABEL)
    (tiny.path / "wav/Ohm_01_000_00.wav").unlink()
    assert tiny.by_id()["Ohm_01_000_00"].audio == "wav/Ohm_01_000_00.wav"


@pytest.mark.parametrize("place", [".", "labels", "IS2009EmotionChallenge/labels/IS2009EmotionChallenge"])
def test_the_label_files_may_lie_anywhere(place, lay_out):
    tiny = lay_out("fau_aibo")
    before = tiny.read()
    (tiny.path / place).mkdir(parents=True, exist_ok=True)
    for name in (FIVE, TWO):
        (tiny.path / name).rename(tiny.path / place / name.rsplit("/", 1)[1])
    assert tiny.read() == before


def test_the_audio_may_lie_in_another_folder(lay_out):
    tiny = lay_out("fau_aibo")
    (tiny.path / "wav").rename(tiny.path / "default")
    assert tiny.by_id()["Ohm_01_000_00"].audio == "default/Ohm_01_000_00.wav"


def test_either_label_file_is_enough(lay_out):
    tiny = lay_out("fau_aibo")
    two = (tiny.path / TWO).read_bytes()
    (tiny.path / TWO).unlink()
    assert [(u.emotion, u.valence) for u in tiny.read()] == [("P", None), ("R", None), ("N", None), ("E", None)]
    (tiny.path / TWO).write_bytes(two)
    (tiny.path / FIVE).unlink()
    assert [(u.emotion, u.valence) for u in tiny.read()] == [("IDL", 1), ("IDL", 1), ("NEG", -1), ("NEG", -1)]


def test_the_confidence_may_be_missing_and_lines_end_as_on_windows(lay_out):
    tiny = lay_out("fau_aibo")
    before = tiny.read()
    assert b"Mont_02_003_00 R\n" in (tiny.path / FIVE).read_bytes()
    for name in (FIVE, TWO):
        content = (tiny.path / name).read_bytes()
        (tiny.path / name).write_bytes(b"\xef\xbb\xbf" + content.replace(b"\n", b"\r\n").replace(b" ", b"\t"))
    assert tiny.read() == before


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("Ohm_01_000_01 E", "Ohm_1_000_01 E", "2 is no label line: 'Ohm_1_000_01 E 1.0'; expected chunk, class"),
        ("Ohm_01_000_01 E", "Omh_01_000_01 E", "2 is no label line"),
        ("Ohm_01_000_01 E 1.0", "Ohm_01_000_01", "2 is no label line"),
        ("Ohm_01_000_01 E 1.0", "Ohm_01_000_01 E high", "2 is no label line"),
        ("Ohm_01_000_01 E", "Ohm_01_000_01 NEG", "2 has the class NEG; expected one of A, E, N, P, R in this file"),
    ],
)
def test_a_wrong_line_is_named(old, new, said, lay_out):
    tiny = lay_out("fau_aibo")
    tiny.folder.replace(FIVE, old, new)
    with pytest.raises(InputError, match=re.escape(f"{tiny.path / FIVE}:{said}")):
        tiny.read()


@pytest.mark.parametrize(("cut", "whole"), [(FIVE, TWO), (TWO, FIVE)])
def test_a_label_file_that_was_cut_off_is_named(cut, whole, lay_out):
    tiny = lay_out("fau_aibo")
    lines = (tiny.path / cut).read_text().splitlines(keepends=True)
    (tiny.path / cut).write_text("".join(lines[:-1]))
    said = f"{tiny.path / whole}:{len(lines)} has the chunk Mont_02_003_00, which {tiny.path / cut} lacks"
    with pytest.raises(InputError, match=re.escape(said)):
        tiny.read()


def test_the_whole_challenge_is_what_is_expected(folder):
    lines = [
        f"{school}_{number % children + 1:02d}_{number // children:03d}_00 {label} 0.5"
        for column, (school, children) in enumerate({"Ohm": 26, "Mont": 25}.items())
        for number, label in enumerate(label for label, counts in FIVE_COUNTS.items() for _ in range(counts[column]))
    ]
    folder.text("chunk_labels_5cl_corpus.txt", *lines)
    utterances = corpora.read("fau_aibo", folder.path)
    expected = corpora.load("fau_aibo").expected
    assert expected.utterances == len(utterances) == 18_216
    assert expected.speaker_count == len({utterance.speaker for utterance in utterances}) == 51
    assert expected.labels == {label: sum(counts) for label, counts in FIVE_COUNTS.items()}
    assert sum(utterance.split == "train" for utterance in utterances) == 9959
