"""The scripts of the demo corpora: how many utterances, whose, of which classes, and that the readers read them.

Every layout passes these by existing; the counts of the real corpora are at the end.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import soundfile

from data_prep import corpora, labels
from data_prep.demo import layouts, prosody, stage

FOUR = labels.load("emotion4")


def classes(name: str, size: str, seed: int = 0) -> Counter[str]:
    """Utterances of each of the four classes in a script."""
    found = (FOUR.target(name, turn.label) for turn in stage.script(name, size, seed))
    return Counter(FOUR.classes[target] for target in found if target is not None)


@pytest.mark.parametrize("name", layouts.known())
def test_the_reader_reads_every_utterance_with_its_speaker_gender_and_label(name: str, tiny: Path):
    layout = layouts.load(name)
    rows = corpora.read(name, tiny / layout.folder)
    expected = {
        turn.audio: (turn.speaker, layout.speakers[turn.speaker], turn.label) for turn in stage.script(name, "tiny", 0)
    }
    assert {row.audio: (row.speaker, row.gender, row.emotion) for row in rows} == expected
    assert len({row.language for row in rows}) == 1


@pytest.mark.parametrize("name", layouts.known())
def test_every_file_is_16_bit_mono_speech_of_half_a_second_to_two(name: str, tiny: Path):
    layout = layouts.load(name)
    for turn in stage.script(name, "tiny", 0):
        info = soundfile.info(tiny / layout.folder / turn.audio)
        assert (info.channels, info.samplerate, info.subtype) == (1, layout.channel.sample_rate, "PCM_16")
        assert 0.5 < info.duration <= 2.0


@pytest.mark.parametrize("name", layouts.known())
def test_each_speaker_of_the_tiny_corpus_shows_all_four_classes(name: str):
    shown = {(turn.speaker, FOUR.target(name, turn.label)) for turn in stage.script(name, "tiny", 0)}
    speakers = layouts.load(name).speakers
    assert len(speakers) >= 4
    assert {(speaker, number) for speaker in speakers for number in range(4)} <= shown


@pytest.mark.parametrize("name", layouts.known())
@pytest.mark.parametrize("size", layouts.SIZES)
def test_no_file_is_spoken_twice_and_all_that_is_acted_is_known(name: str, size: str):
    turns = stage.script(name, size, 3)
    assert max(Counter(turn.audio for turn in turns).values()) == 1
    assert {turn.emotion for turn in turns} <= set(prosody.EMOTIONS)
    assert {turn.speaker for turn in turns} == set(layouts.load(name).speakers)
    assert {turn.label for turn in turns} <= set(corpora.load(name).labels)


def test_the_full_corpora_have_the_real_corpora_s_numbers():
    # addi.txt 4.1.1 and 4.1.2; Burkhardt et al. 2005 for EMO-DB.
    assert classes("iemocap", "full") == {"angry": 1103, "happy": 1636, "neutral": 1708, "sad": 1084}
    assert classes("msp_improv", "full") == {"angry": 792, "happy": 2644, "neutral": 3477, "sad": 885}
    assert classes("emodb", "full") == {"angry": 127, "happy": 71, "neutral": 79, "sad": 62}
    totals = {name: len(stage.script(name, "full", 0)) for name in ("iemocap", "msp_improv", "emodb")}
    assert totals == {"iemocap": 10039, "msp_improv": 8438, "emodb": 535}


def test_the_small_corpora_have_the_real_balance():
    assert classes("iemocap", "small").total() == 400
    assert classes("msp_improv", "small").total() == 360
    assert classes("emodb", "small") == classes("emodb", "full")
    for name in ("iemocap", "msp_improv"):
        real, small = classes(name, "full"), classes(name, "small")
        for label in real:
            assert small[label] / small.total() == pytest.approx(real[label] / real.total(), abs=0.01)


@pytest.mark.parametrize(("name", "doubt"), [("iemocap", 0.12), ("msp_improv", 0.14), ("emodb", 0.0)])
def test_what_is_heard_is_sometimes_not_what_was_acted(name: str, doubt: float):
    turns = [turn for turn in stage.script(name, "full", 0) if FOUR.target(name, turn.label) is not None]
    otherwise = [turn for turn in turns if turn.emotion != corpora.load(name).labels[turn.label]]
    assert len(otherwise) / len(turns) == pytest.approx(doubt, abs=0.015)


def test_the_label_scheme_has_something_to_leave_out():
    for name, labelled in (("iemocap", {"fru", "xxx"}), ("msp_improv", {"O", "X"}), ("emodb", {"L", "A", "E"})):
        assert labelled <= {turn.label for turn in stage.script(name, "small", 0)}


def test_iemocap_s_summary_is_the_mean_of_the_listeners_ratings(tiny: Path):
    file = next((tiny / "IEMOCAP_full_release/Session1/dialog/EmoEvaluation").glob("*.txt"))
    header, *blocks = file.read_text().strip().split("\n\n")
    assert header == "% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]"
    for block in blocks:
        lines = block.split("\n")
        summary = [float(value) for value in lines[0].split("\t")[3].strip("[]").split(",")]
        rated = [line.split("\t")[1] for line in lines if line.startswith("A-E")]
        ticked = [[int(part.split()[1]) for part in line.rstrip(";").split(";")] for line in rated]
        assert len(ticked) == 2
        assert summary == [sum(pair) / 2 for pair in zip(*ticked, strict=True)]
        assert sum(line.startswith("C-E") for line in lines) == 3


def test_iemocap_s_transcription_has_every_turn_at_its_time(tiny: Path):
    sessions = (tiny / "IEMOCAP_full_release").glob("Session*/dialog")
    lines = [
        line for session in sessions for file in (session / "transcriptions").glob("*.txt") for line in file.open()
    ]
    by_turn = {line.split()[0]: line for line in lines}
    for turn in stage.script("iemocap", "tiny", 0):
        path = Path(turn.audio)
        _, times, text = by_turn[path.stem].rstrip("\n").split(" ", 2)
        start, end = (float(time) for time in times.strip("[]:").split("-"))
        assert text == turn.text
        assert end - start == pytest.approx(soundfile.info(tiny / "IEMOCAP_full_release" / path).duration, abs=2e-4)
