"""The scripts of the demo corpora: how many utterances, whose, of which classes, and that the readers read them.

Every layout passes these by existing; what a single corpus's label files say is at the end.
"""

from __future__ import annotations

import csv
import dataclasses
import itertools
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile

from data_prep import audio, corpora, demo, labels
from data_prep.corpora import Utterance
from data_prep.demo import layouts, prosody, stage
from data_prep.demo.layouts import Turn
from data_prep.demo.listeners import AFFECT

FOUR = labels.load("emotion4")
every_demo_corpus = pytest.mark.parametrize("name", layouts.known())

# What a reader cannot tell, or tells only of a copy in which another label file lacks.
UNTOLD = {"fau_aibo": "unknown"}
NOT_BOTH = {"fau_aibo": {"NEG", "IDL"}}


def read(name: str, tiny: Path) -> list[Utterance]:
    """The reader's rows in the order in which the script has them: by file, and in it by time."""
    rows = corpora.read(name, tiny / layouts.load(name).folder)
    return sorted(rows, key=lambda row: (row.audio, row.start or 0.0))


def wave(name: str, row: Utterance, tiny: Path) -> tuple[np.ndarray, float]:
    """An utterance at 16 kHz, as every feature sees it, and its length in seconds."""
    return audio.decode(audio.read(tiny / layouts.load(name).folder / row.audio), 16000, row.start, row.end)


def classes(name: str, size: str, seed: int = 0) -> Counter[str]:
    """Utterances of each of the four classes in a script."""
    found = (FOUR.target(name, turn.label) for turn in stage.script(name, size, seed))
    return Counter(FOUR.classes[target] for target in found if target is not None)


def test_there_is_a_demo_corpus_for_every_reader_of_a_corpus():
    assert layouts.known() == [name for name in corpora.known() if name != "manifest"]


@every_demo_corpus
def test_the_reader_reads_every_utterance_with_its_speaker_gender_and_label(name: str, tiny: Path):
    genders = layouts.load(name).speakers
    turns = sorted(stage.script(name, "tiny", 0), key=lambda turn: turn.audio)
    expected = [
        (turn.audio, turn.speaker, UNTOLD.get(name, genders[turn.speaker]), turn.label or None) for turn in turns
    ]
    assert [(row.audio, row.speaker, row.gender, row.emotion) for row in read(name, tiny)] == expected


@every_demo_corpus
def test_it_is_spoken_in_the_language_that_the_reader_says(name: str, tiny: Path):
    [language] = {row.language for row in read(name, tiny)}
    assert layouts.load(name).language.split("-")[0].replace("cmn", "zh") == language.split("-")[0]


@every_demo_corpus
def test_every_file_has_16_bits_and_the_sample_rate_and_channels_of_the_corpus(name: str, tiny: Path):
    layout = layouts.load(name)
    for file in {turn.audio for turn in stage.script(name, "tiny", 0)}:
        info = soundfile.info(tiny / layout.folder / file)
        found = (info.channels, info.samplerate, info.subtype)
        assert found == (layout.channel.microphones, layout.channel.sample_rate, "PCM_16")


@every_demo_corpus
def test_every_utterance_is_audible_and_half_a_second_to_two_long(name: str, tiny: Path):
    for row in read(name, tiny):
        samples, seconds = wave(name, row, tiny)
        assert 0.4 < seconds <= 2.01
        assert 10 * np.log10(np.mean(samples**2)) > -45


@every_demo_corpus
def test_a_corpus_of_men_and_women_has_both_in_its_tiny_one(name: str):
    genders = layouts.load(name).speakers
    spoken = {turn.speaker for turn in stage.script(name, "tiny", 0)}
    assert {genders[speaker] for speaker in spoken} == set(genders.values())


@every_demo_corpus
def test_every_label_of_the_corpus_is_heard(name: str):
    vocabulary = set(corpora.load(name).labels) - NOT_BOTH.get(name, set()) or {None}
    assert {turn.label for turn in stage.script(name, "full", 0)} == vocabulary
    if name not in demo.USUAL:  # whose tiny corpora are for the four classes
        assert {turn.label for turn in stage.script(name, "tiny", 0)} == vocabulary


@pytest.mark.parametrize("name", demo.USUAL)
def test_each_speaker_of_the_tiny_corpus_shows_all_four_classes(name: str):
    shown = {(turn.speaker, FOUR.target(name, turn.label)) for turn in stage.script(name, "tiny", 0)}
    speakers = layouts.load(name).speakers
    assert len(speakers) >= 4
    assert {(speaker, number) for speaker in speakers for number in range(4)} <= shown


@pytest.mark.parametrize("size", layouts.SIZES)
@pytest.mark.parametrize("name", ["cafe", "emodb", "emovo", "iemocap", "masc", "ravdess", "savee", "shemo", "tess"])
def test_the_corpora_of_papers_with_five_emotions_have_them_from_speakers_enough(name: str, size: str):
    # A speaker of each class in every part where speakers are parted 60/20/20, but of TESS, which has two.
    five = labels.load("emotion5")
    heard: dict[int | None, set[str]] = {}
    for turn in stage.script(name, size, 0):
        heard.setdefault(five.target(name, turn.label), set()).add(turn.speaker)
    everybody = 2 if name == "tess" else 3
    assert all(len(heard.get(number, ())) >= everybody for number in range(5))


@every_demo_corpus
@pytest.mark.parametrize("size", layouts.SIZES)
def test_no_file_is_spoken_twice_and_all_that_is_acted_is_known(name: str, size: str):
    turns = stage.script(name, size, 3)
    recordings = [audio for audio, _ in itertools.groupby(turn.audio for turn in turns)]
    assert len(recordings) == len(set(recordings))
    assert layouts.load(name).pause > 0 or len(recordings) == len(turns)
    assert {turn.emotion for turn in turns} <= set(prosody.EMOTIONS)
    assert {turn.speaker for turn in turns} <= set(layouts.load(name).speakers)
    assert {turn.label for turn in turns} - {None} <= set(corpora.load(name).labels)


@every_demo_corpus
def test_the_full_corpus_has_what_the_real_one_is_said_to_have(name: str):
    turns, expected = stage.script(name, "full", 0), corpora.load(name).expected
    assert expected is not None
    assert len(turns) == expected.utterances
    found = Counter(turn.label for turn in turns)
    assert {label: found[label] for label in expected.labels} == expected.labels
    speakers = Counter(turn.speaker for turn in turns)
    assert set(speakers) == set(layouts.load(name).speakers)
    assert {speaker: speakers[speaker] for speaker in expected.speakers} == expected.speakers


@every_demo_corpus
def test_the_reader_would_read_the_full_corpus_too(name: str, tmp_path: Path):
    """It opens no audio: empty files do, with label files for turns of a second."""
    layout, turns = layouts.load(name), stage.script(name, "full", 1)
    times = []
    for _, recording in itertools.groupby(turn.audio for turn in turns):
        times += [(2.0 * number + 1, 2.0 * number + 2) for number, _ in enumerate(recording)]
    labels = layout.label_files(turns, times, np.random.default_rng(1)) if layout.label_files else {}
    for file, text in {**dict.fromkeys((turn.audio for turn in turns), ""), **labels}.items():
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(text, encoding="utf-8")
    found = Counter((row.speaker, row.emotion) for row in corpora.read(name, tmp_path))
    assert found == Counter((turn.speaker, turn.label) for turn in turns)


@every_demo_corpus
def test_tiny_is_some_dozens_and_small_some_hundreds(name: str):
    tiny, small = (len(stage.script(name, size, 0)) for size in ("tiny", "small"))
    assert 30 < tiny < 100 < 200 < small < 600


def test_the_full_corpora_have_the_real_corpora_s_numbers():
    # addi.txt 4.1.1 and 4.1.2; Burkhardt et al. 2005 for EMO-DB.
    assert classes("iemocap", "full") == {"angry": 1103, "happy": 1636, "neutral": 1708, "sad": 1084}
    assert classes("msp_improv", "full") == {"angry": 792, "happy": 2644, "neutral": 3477, "sad": 885}
    assert classes("emodb", "full") == {"angry": 127, "happy": 71, "neutral": 79, "sad": 62}
    totals = {name: len(stage.script(name, "full", 0)) for name in ("iemocap", "msp_improv", "emodb")}
    assert totals == {"iemocap": 10039, "msp_improv": 8438, "emodb": 535}


@pytest.mark.parametrize("size", ["tiny", "small"])
@pytest.mark.parametrize("name", ["emodb", "emovo", "savee", "iemocap", "masc"])
def test_the_corpora_of_five_emotions_have_all_five_when_two_speakers_are_left_out(name: str, size: str):
    five, turns = labels.load("emotion5"), stage.script(name, size, 0)
    speakers = sorted({turn.speaker for turn in turns})
    for left_out in zip(speakers, speakers[1:] + speakers[:1], strict=True):
        heard = {five.target(name, turn.label) for turn in turns if turn.speaker not in left_out}
        assert set(range(5)) <= heard


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


@pytest.mark.parametrize("name", ["epst", "recola"])
def test_in_a_long_recording_people_speak_where_it_says_so_and_are_silent_in_between(name: str, tiny: Path):
    rows = [row for row in read(name, tiny) if row.speaker == read(name, tiny)[0].speaker]
    for before, after in itertools.pairwise(rows):
        if before.audio == after.audio:
            assert before.end is not None and after.start is not None and before.end < after.start
            pause = dataclasses.replace(after, start=before.end, end=after.start)
            speech, silence = (np.mean(wave(name, row, tiny)[0] ** 2) for row in (after, pause))
            assert 10 * np.log10(speech / silence) > 10


def test_every_session_of_epst_is_nist_sphere(tiny: Path):
    files = sorted((tiny / "LDC2002S28/speech").iterdir())
    assert [file.name for file in files[:3]] == ["cc_001.sph", "cc_002.sph", "cl_001.sph"]
    assert {file.read_bytes()[:7] for file in files} == {b"NIST_1A"}


def test_recola_s_ratings_are_six_people_s_who_follow_what_is_felt(tiny: Path):
    rows = read("recola", tiny)
    for dimension, place in (("arousal", 1), ("valence", 0)):
        means = [getattr(row, dimension) for row in rows]
        assert min(means) < -0.2 and max(means) > 0.2
        felt = [AFFECT[turn.emotion][place] for turn in script_of("recola")]
        assert np.corrcoef(means, felt)[0, 1] > 0.6
        file = tiny / f"RECOLA/RECOLA-Annotation/emotional_behaviour/{dimension}/P16.csv"
        assert file.read_text().startswith("time;FM1 ;FM2 ;FM3 ;FF1 ;FF2 ;FF3\n")
        times, *raters = np.loadtxt(file, delimiter=";", skiprows=1, unpack=True)
        assert np.allclose(np.diff(times), 0.04) and np.abs(raters).max() <= 1
        agreement = np.corrcoef(raters)[np.triu_indices(6, 1)]
        assert agreement.min() > 0.3 and agreement.max() < 0.99
        first = next(row for row in rows if row.speaker == "P16")
        during = (times >= first.start) & (times < first.end)
        assert getattr(first, dimension) == pytest.approx(np.mean(np.array(raters)[:, during]))


def test_fau_aibo_has_both_schools_and_two_classes_that_the_five_do_not_decide(tiny: Path):
    rows = read("fau_aibo", tiny)
    assert {row.split for row in rows} == {"train", "test"}
    found = {label: {row.valence for row in rows if row.emotion == label} for label in "AENPR"}
    assert found == {"A": {-1.0}, "E": {-1.0}, "N": {1.0}, "P": {1.0}, "R": {-1.0, 1.0}}


def test_crema_d_s_tables_tell_the_actors_sexes_and_votes_that_doubt_some_of_what_was_acted(tiny: Path):
    folder = tiny / "CREMA-D"
    with (folder / "VideoDemographics.csv").open() as file:
        sexes = {row["ActorID"]: row["Sex"].lower() for row in csv.DictReader(file)}
    assert sexes == {row.speaker: row.gender for row in read("crema_d", tiny)}
    with (folder / "processedResults/summaryTable.csv").open() as file:
        votes = {row["FileName"]: row["VoiceVote"] for row in csv.DictReader(file)}
    assert set(votes) == {Path(turn.audio).stem for turn in script_of("crema_d")}
    as_acted = [turn.label[0] == votes[Path(turn.audio).stem] for turn in script_of("crema_d") if turn.label]
    assert 0.4 < np.mean(as_acted) < 0.9
    assert any(":" in vote for vote in votes.values())


def test_masc_s_list_and_librispeech_s_transcripts_have_what_is_said(tiny: Path):
    with (tiny / "MASC/masc.csv").open(encoding="utf-8") as file:
        assert [row["text"] for row in csv.DictReader(file)] == [turn.text for turn in stage.script("masc", "tiny", 0)]
    folder = tiny / "LibriSpeech"
    lines = [line for file in folder.rglob("*.trans.txt") for line in file.read_text().splitlines()]
    letters = {Path(turn.audio).stem: "".join(filter(str.isalpha, turn.text)) for turn in script_of("librispeech")}
    said = dict(line.split(" ", 1) for line in lines)
    assert {name: text.replace(" ", "").lower() for name, text in said.items()} == {
        name: text.lower() for name, text in letters.items()
    }
    assert {row.split for row in read("librispeech", tiny)} == {"train-clean-100"}


def script_of(name: str) -> list[Turn]:
    """The tiny corpus's turns, by file."""
    return sorted(stage.script(name, "tiny", 0), key=lambda turn: turn.audio)
