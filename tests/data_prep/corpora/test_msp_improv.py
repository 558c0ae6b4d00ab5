"""MSP-IMPROV: names, label lines, and the copies that people have."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from data_prep import corpora, labels
from data_prep.errors import InputError

LINE = "UTD-IMPROV-S01A-F01-P-FM01.avi; N; A:2.500000; V:3.000000; D:NaN ; N:4.000000;"


def test_speaker_session_and_ratings(lay_out):
    turns = lay_out("msp_improv").by_id()
    woman, man = turns["MSP-IMPROV-S01A-F01-P-FM01"], turns["MSP-IMPROV-S01A-M01-T-FM01"]
    assert (woman.speaker, woman.gender, woman.session, woman.emotion) == ("F01", "female", "01", "N")
    assert (man.speaker, man.gender, man.session, man.emotion) == ("M01", "male", "01", "A")
    assert (woman.arousal, woman.valence, woman.dominance) == (2.5, 3.0, None)
    assert (man.arousal, man.valence, man.dominance) == (4.5, 2.0, 3.0)


def test_a_listener_who_is_there_twice_does_not_count_twice(lay_out):
    tiny = lay_out("msp_improv")
    lines = (tiny.path / "Evalution.txt").read_text().splitlines()
    assert sum(line.startswith("WORKER00000001;") for line in lines) == 2
    turns = tiny.by_id()
    # Workers 1 and 3 gave 2 and 3: their mean, as the utterance's own line has it. With both lines of 1 it were 2.33.
    assert len(turns) == 2 and turns["MSP-IMPROV-S01A-F01-P-FM01"].arousal == 2.5
    tiny.folder.text("Evalution.txt", *dict.fromkeys(lines))
    assert tiny.by_id() == turns


def test_audio_without_a_label_is_no_utterance(lay_out):
    tiny = lay_out("msp_improv")
    assert (tiny.path / "session1/S01A/P/MSP-IMPROV-S01A-F01-P-FM02.wav").is_file()
    assert set(tiny.by_id()) == {"MSP-IMPROV-S01A-F01-P-FM01", "MSP-IMPROV-S01A-M01-T-FM01"}
    tiny.folder.audio("session1/holiday.wav")
    unlisted = ("session1/S01A/P/MSP-IMPROV-S01A-F01-P-FM02.wav", "session1/holiday.wav")
    assert tiny.left_out() == dict.fromkeys(unlisted, corpora.NO_LABEL)


def test_the_label_file_may_be_spelt_either_way(lay_out):
    tiny = lay_out("msp_improv")
    (tiny.path / "Evalution.txt").rename(tiny.path / "Evaluation.txt")
    assert len(tiny.read()) == 2


def test_it_is_found_under_audio(lay_out):
    tiny = lay_out("msp_improv")
    (tiny.path / "Audio").mkdir()
    (tiny.path / "session1").rename(tiny.path / "Audio/session1")
    found = tiny.by_id()["MSP-IMPROV-S01A-F01-P-FM01"]
    assert found.audio == "Audio/session1/S01A/P/MSP-IMPROV-S01A-F01-P-FM01.wav"


def test_a_label_without_audio_is_still_an_utterance_and_says_where_it_should_lie(lay_out):
    tiny = lay_out("msp_improv")
    missing = "session1/S01A/P/MSP-IMPROV-S01A-F01-P-FM01.wav"
    (tiny.path / missing).unlink()
    assert tiny.by_id()["MSP-IMPROV-S01A-F01-P-FM01"].audio == missing


def test_the_ratings_may_all_be_missing(lay_out):
    tiny = lay_out("msp_improv")
    tiny.folder.replace("Evalution.txt", "A:2.500000; V:3.000000; D:NaN ; N:4.0", "A:NaN; V:NaN; D:NaN ; N:NaN")
    turn = tiny.by_id()["MSP-IMPROV-S01A-F01-P-FM01"]
    assert (turn.arousal, turn.valence, turn.dominance) == (None, None, None)


@pytest.mark.parametrize(
    "line",
    [
        LINE[:45],
        LINE.replace("A:2.500000", "A:2..5"),
        LINE.replace("A:2.500000; V:3.000000", "V:3.000000; A:2.500000"),
        LINE.replace("S01A", "S01Q"),
        LINE.replace("F01", "F07"),
        LINE.replace(".avi", ""),
    ],
)
def test_a_line_that_was_meant_for_an_utterance_and_is_not_one_names_the_file_and_the_line(line, lay_out):
    tiny = lay_out("msp_improv")
    file = tiny.folder.text("Evalution.txt", "", line)
    with pytest.raises(InputError, match=f"{re.escape(str(file))}:2 is no label line: .*; expected UTD-IMPROV-S01A"):
        tiny.read()


def test_emotion4_has_the_papers_counts_by_rule(folder):
    counts = {"A": 792, "H": 2644, "S": 885, "N": 3477, "X": 400, "O": 240}  # 8,438 in all; X and O as may be
    speakers = [f"{letter}{session:02d}" for session in range(1, 7) for letter in "FM"]
    lines = []
    for number, label in enumerate(label for label, count in counts.items() for _ in range(count)):
        speaker, turn = speakers[number % 12], number // 12
        lines.append(f"UTD-IMPROV-S01A-{speaker}-S-FM{turn:03d}.avi; {label}; A:2.5; V:3.0; D:3.0 ; N:4.0;")
        lines.append("WORKER00000001; Angry; Angry; A:2.5; V:3.0; D:3.0; N:4.0;\n")
    folder.text("Evaluation.txt", *lines)
    utterances = corpora.read("msp_improv", folder.path)
    assert len(utterances) == 8438 == corpora.load("msp_improv").expected.utterances
    assert corpora.load("msp_improv").expected.labels.items() <= counts.items()
    assert Counter(utterance.session for utterance in utterances).keys() == {f"0{n}" for n in range(1, 7)}
    scheme = labels.load("emotion4")
    targets = Counter(scheme.target("msp_improv", utterance.emotion) for utterance in utterances)
    classes = {name: targets[number] for number, name in enumerate(scheme.classes)}
    assert classes == {"angry": 792, "happy": 2644, "neutral": 3477, "sad": 885}
