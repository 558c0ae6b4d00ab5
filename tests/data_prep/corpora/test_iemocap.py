"""IEMOCAP: who speaks, what the summary line says, and what of an incomplete copy is said."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from data_prep import corpora, labels
from data_prep.errors import InputError

LABELS = "Session1/dialog/EmoEvaluation/Ses01F_impro01.txt"
SUMMARY = "[6.2901 - 8.2357]\tSes01F_impro01_F000\tneu\t[2.5000, 2.0000, 3.5000]"

# Label counts of the whole corpus; addi.txt 4.1.1 has 1,636 happy of 595 "hap" and 1,041 "exc".
COUNTS = {
    "neu": 1708, "hap": 595, "exc": 1041, "ang": 1103, "sad": 1084,
    "fru": 1849, "sur": 107, "fea": 40, "dis": 2, "oth": 3, "xxx": 2507,
}  # fmt: skip


def test_the_speaker_is_who_speaks_not_who_wears_the_markers(lay_out):
    turns = lay_out("iemocap").by_id()
    woman, man = turns["Ses01F_impro01_F000"], turns["Ses01F_impro01_M001"]
    assert (woman.speaker, woman.gender, woman.session) == ("Ses01F", "female", "01")
    assert (man.speaker, man.gender, man.session) == ("Ses01M", "male", "01")


def test_the_ratings_stand_in_the_order_valence_activation_dominance(lay_out):
    turn = lay_out("iemocap").by_id()["Ses01F_impro01_F000"]
    assert (turn.valence, turn.arousal, turn.dominance) == (2.5, 2.0, 3.5)


def test_audio_without_a_label_is_no_utterance_and_a_label_without_audio_is_one(lay_out):
    tiny = lay_out("iemocap")
    assert set(tiny.by_id()) == {"Ses01F_impro01_F000", "Ses01F_impro01_M001"}
    audio = tiny.by_id()["Ses01F_impro01_F000"].audio
    (tiny.folder.path / audio).unlink()
    assert tiny.by_id()["Ses01F_impro01_F000"].audio == audio


def test_it_is_found_below_the_folder_that_holds_the_release(lay_out, tmp_path):
    tiny = lay_out("iemocap")
    (tmp_path / "outer").mkdir()
    tiny.path.rename(tmp_path / "outer" / "IEMOCAP_full_release")
    found = corpora.read("iemocap", tmp_path / "outer")
    assert len(found) == 2
    assert all((tmp_path / "outer" / utterance.audio).is_file() for utterance in found)


@pytest.mark.parametrize("ratings", ["[2.5000, 2.0000, nan]", "[2.5, 2.0, NaN]", "[2.5, 2.0]", "[2.5000, 2.0000, ]"])
def test_dominance_may_be_missing(ratings, lay_out):
    tiny = lay_out("iemocap")
    tiny.folder.replace(LABELS, "[2.5000, 2.0000, 3.5000]", ratings)
    turn = tiny.by_id()["Ses01F_impro01_F000"]
    assert (turn.valence, turn.arousal, turn.dominance) == (2.5, 2.0, None)


@pytest.mark.parametrize(
    "line",
    [
        SUMMARY[:-9],
        SUMMARY.replace("2.0000", "2.0.0"),
        SUMMARY.replace("2.0000", "two"),
        SUMMARY.replace("\tneu", ""),
        SUMMARY.replace("Ses01F_impro01_F000", "Ses09F_impro01_F000"),
        SUMMARY.replace("Ses01F_impro01_F000", "Ses01F_impro01"),
        SUMMARY.removeprefix("[6.2901 - 8.2357]\t"),
    ],
)
def test_a_line_that_was_meant_for_a_turn_and_is_not_one_names_the_file_and_the_line(line, lay_out):
    tiny = lay_out("iemocap")
    tiny.folder.replace(LABELS, SUMMARY, line)
    place = re.escape(f"{tiny.folder.path / LABELS}:3")
    with pytest.raises(InputError, match=rf"{place} is no summary line: .*; expected \[start - end\] turn label"):
        tiny.read()


def test_a_session_without_its_label_files_is_named(lay_out):
    tiny = lay_out("iemocap")
    tiny.folder.audio("Session2/sentences/wav/Ses02F_impro01/Ses02F_impro01_F000.wav")
    with pytest.raises(InputError, match=re.escape(f"{tiny.path / 'Session2'} holds no dialog/EmoEvaluation/*.txt")):
        tiny.read()


def test_a_label_file_that_was_cut_off_before_its_first_turn_is_named(lay_out):
    tiny = lay_out("iemocap")
    file = tiny.folder.text("Session1/dialog/EmoEvaluation/Ses01M_script01_1.txt", "% [START_TIME - END_")
    with pytest.raises(InputError, match=f"{re.escape(str(file))} holds no turn"):
        tiny.read()


def test_emotion4_is_the_papers_5531_utterances_by_rule(folder):
    raw = [label for label, count in COUNTS.items() for _ in range(count)]
    dialogues = [
        (session, f"Ses0{session}{wearer}_{part}")
        for session in range(1, 6)
        for wearer, part in (("F", "impro01"), ("M", "script01_1b"))
    ]
    for number, (session, dialogue) in enumerate(dialogues):
        turns = [
            f"[{turn}.0 - {turn}.9]\t{dialogue}_{'FM'[turn % 2]}{turn:03d}\t{label}\t[3.0000, 3.0000, 3.0000]\n"
            for turn, label in enumerate(raw[number :: len(dialogues)])
        ]
        folder.text(f"Session{session}/dialog/EmoEvaluation/{dialogue}.txt", "% header", "", *turns)
    utterances = corpora.read("iemocap", folder.path)
    expected = corpora.load("iemocap").expected
    assert expected.labels == COUNTS and expected.utterances == len(utterances)
    assert len(utterances) == 10039 and len({utterance.speaker for utterance in utterances}) == 10
    scheme = labels.load("emotion4")
    targets = Counter(scheme.target("iemocap", utterance.emotion) for utterance in utterances)
    classes = {name: targets[number] for number, name in enumerate(scheme.classes)}
    assert classes == {"angry": 1103, "happy": 1636, "neutral": 1708, "sad": 1084}
    assert sum(classes.values()) == 5531
    assert {utterance.session for utterance in utterances} == {"01", "02", "03", "04", "05"}
    for part in ("impro", "script"):
        taken = {u.session for u in utterances if part in u.utterance_id and scheme.target("iemocap", u.emotion) == 1}
        assert len(taken) == 5, "improvised and scripted turns of every session take part"
