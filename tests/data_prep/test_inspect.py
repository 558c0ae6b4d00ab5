"""Inspecting: what a corpus lacks is said before anyone trains on it."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest
import soundfile

from data_prep import corpora
from data_prep.corpora import Expected
from data_prep.inspect import inspect, main

# The lab of conftest.py: u00 to u07, 0.3 s each; emotions in turn, speakers s0 and s1 in turn.
LAB = {
    "source": "the lab's book",
    "utterances": 8,
    "labels": {"angry": 2, "happy": 2, "neutral": 2, "sad": 2},
    "speakers": {"s0": 4, "s1": 4},
}


@pytest.fixture
def expect(monkeypatch):
    """Gives corpora that come as manifests official counts: those of the lab, but for what is changed."""
    reader = corpora.load("manifest")

    def expect(**changes: object) -> None:
        known = dataclasses.replace(reader, expected=Expected(**{**LAB, **changes}))
        monkeypatch.setattr(corpora, "load", lambda _: known)

    return expect


def test_a_whole_corpus_is_as_expected(expect, lab):
    expect()
    found = inspect("lab", lab.manifest)
    assert found.as_expected
    assert (found.files, found.seconds, found.unreadable) == (8, pytest.approx(8 * 0.3), {})
    assert found.verdict == (
        "All 8 utterances are there: each class has its number; each speaker has its number (by the lab's book)."
    )


def test_what_is_missing_is_said_by_speaker_and_class(expect, lab):
    expect()
    del lab.rows[0]  # s0, angry
    del lab.rows[6]  # s1, sad
    del lab.rows[2]  # s1, sad
    found = inspect("lab", lab.list())
    assert not found.as_expected
    assert found.verdict == (
        "3 of 8 utterances are missing: nothing of class sad; speaker s1 has 2 of 4; speaker s0 has 3 of 4; "
        "class angry has 1 of 2 (by the lab's book)."
    )


def test_what_a_build_leaves_out_is_listed_with_its_reason(expect, lab):
    expect()
    lab.add("u03", speaker="s0", emotion="sad")  # a second row of it
    found = inspect("lab", lab.list())
    assert found.as_expected, "everything else is there"
    (second,) = found.left_out
    assert f"  left out: 1\n    u03.wav: {second.reason.split()[0]}" in str(found)
    assert "u03" in second.reason


def test_what_is_too_much_is_said(expect, lab):
    expect()
    lab.record("extra", seed=9)
    lab.add("extra", speaker="s2", emotion="sad")
    found = inspect("lab", lab.list())
    assert not found.as_expected
    assert found.verdict == (
        "There are 9 utterances where 8 are expected: speaker s2 has 1 of 0; class sad has 3 of 2 (by the lab's book)."
    )


def test_the_right_number_of_the_wrong_utterances_is_noticed(expect, lab):
    expect()
    lab.rows[0]["emotion"] = "sad"
    found = inspect("lab", lab.list())
    assert not found.as_expected
    assert found.verdict == (
        "There are 8 utterances as expected, but not the right ones: class angry has 1 of 2; class sad has 3 of 2 "
        "(by the lab's book)."
    )


def test_counts_of_which_only_some_are_known_say_nothing_of_the_others(expect, lab):
    expect(labels={"angry": 2}, speakers={})
    found = inspect("lab", lab.manifest)
    assert found.as_expected
    assert found.verdict == "All 8 utterances are there: each class has its number (by the lab's book)."


def test_speakers_are_counted_where_how_many_utterances_each_has_is_not_known(expect, lab):
    expect(speakers={}, speaker_count=2)
    assert inspect("lab", lab.manifest).verdict == (
        "All 8 utterances are there: each class has its number; all 2 speakers (by the lab's book)."
    )
    for row in lab.rows:
        row["speaker"] = "s0"
    found = inspect("lab", lab.list())
    assert not found.as_expected
    assert found.verdict == (
        "There are 8 utterances as expected, but not the right ones: 1 of 2 speakers are there (by the lab's book)."
    )
    assert "  speaker, 1/2 (-1):\n    s0 8\n" in str(found)


def test_files_that_cannot_be_read_are_missing_and_listed_with_the_reason(expect, lab):
    expect()
    (lab.folder / "u00.wav").unlink()
    (lab.folder / "u01.wav").write_bytes(b"")
    (lab.folder / "u02.wav").write_text("no audio")
    soundfile.write(lab.folder / "u03.wav", [], 16000)
    found = inspect("lab", lab.manifest)
    assert not found.as_expected
    assert found.unreadable == {
        "u00.wav": "there is no such file",
        "u01.wav": "the file is empty",
        "u02.wav": "not audio that can be decoded: format not recognised",
        "u03.wav": "the file holds no samples",
    }
    assert found.verdict.startswith("4 of 8 utterances are missing: speaker s0 has 2 of 4; speaker s1 has 2 of 4;")
    assert "  cannot be read: 4 files, 4 utterances\n    u00.wav: there is no such file\n" in str(found)


def test_hours_are_of_the_utterances_and_a_recording_of_several_counts_once(lab):
    lab.record("long", seed=1, seconds=4)
    lab.rows.clear()
    lab.add("one", audio="long.wav", start="0.5", end="2")
    lab.add("two", audio="long.wav", start="3")
    found = inspect("lab", lab.list())
    assert (len(found.utterances), found.files, found.seconds) == (2, 1, 1.5 + 1)


def test_a_corpus_without_official_counts_prints_what_was_found(lab, capsys):
    lab.rows[0]["emotion"] = ""
    assert main([f"lab={lab.list()}"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "lab: a corpus of one's own, listed in a CSV file",
        f"  in {lab.manifest}",
        "  utterances: 8",
        "  audio: 0.00 h in 8 files",
        "  class:",
        "    angry 1        happy 2        neutral 2      sad 2          unlabelled 1",
        "  speaker:",
        "    s0 4   s1 4",
        "  gender: unknown 8",
        "  language: und 8",
        "  session: none",
        "  There are no official counts of lab to compare with.",
    ]


def test_the_status_is_0_of_what_is_as_expected_and_1_of_what_is_not(expect, lab, capsys):
    expect()
    assert main([f"lab={lab.manifest}"]) == 0
    assert "  speaker, found/expected:\n    s0 4/4   s1 4/4\n" in capsys.readouterr().out
    del lab.rows[0]
    assert main([f"lab={lab.list()}"]) == 1
    assert "  speaker, found/expected:\n    s0 3/4 (-1)   s1 4/4\n" in capsys.readouterr().out


def test_a_wrong_path_is_one_line_and_status_2_and_the_other_corpora_are_shown(lab, tmp_path, capsys):
    assert main([f"emodb={tmp_path / 'nowhere'}", f"lab={lab.manifest}"]) == 2
    printed = capsys.readouterr()
    assert printed.err.startswith(f"error: emodb: {tmp_path / 'nowhere'} does not exist; expected a folder with wav/")
    assert len(printed.err.splitlines()) == 1
    assert "utterances: 8" in printed.out


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("emodb", "'emodb' must be NAME=PATH, such as emodb=/data/emodb"),
        ("emod=there", "unknown corpus 'emod'; known, nearest first: emodb"),
    ],
)
def test_what_cannot_be_meant_is_status_2_before_anything_is_read(lab, capsys, argument, message):
    assert main([f"lab={lab.manifest}", argument]) == 2
    printed = capsys.readouterr()
    assert printed.err.startswith(f"error: {message}")
    assert printed.out == ""


def test_a_report_of_many_speakers_and_files_fits_100_columns(lab, capsys):
    lab.rows.clear()
    for number in range(150):
        lab.add(f"n{number}", audio=f"u{number % 8:02}.wav" if number < 100 else f"lost{number}.wav")
        lab.rows[-1]["speaker"] = f"speaker{number}"
    assert main([f"lab={lab.list()}"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if len(line) > 100 and str(lab.manifest) not in line] == []
    assert sum("there is no such file" in line for line in lines) == 20
    assert "    and 30 more" in lines


def test_the_command_teaches_what_it_prints():
    command = [sys.executable, "-m", "data_prep.inspect", "--help"]
    ended = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True)
    assert max(map(len, ended.stdout.splitlines())) <= 100
    counted = next(line for line in ended.stdout.splitlines() if line.startswith("with official counts:"))
    assert "emodb" in counted
    for word in ("08 46/58 (-12)", "exit status:", "examples:", "corpora:"):
        assert word in ended.stdout


def test_every_file_name_of_emodb_is_as_expected_and_one_less_is_not(real_corpora, tmp_path):
    names = real_corpora.parent / "layouts" / "EMO-DB.sha256.tsv"
    if not names.exists():
        pytest.skip("the list of EMO-DB's files is not beside the real corpora")
    recording = next((real_corpora / "emodb" / "wav").iterdir())
    for line in names.read_text().splitlines()[1:]:
        file = tmp_path / line.split("\t")[2]
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.suffix == ".wav":
            file.symlink_to(recording)
    assert inspect("emodb", tmp_path).as_expected
    (tmp_path / "wav" / "08a01Fd.wav").unlink()
    found = inspect("emodb", tmp_path)
    assert not found.as_expected
    assert found.verdict == (
        "1 of 535 utterances is missing: speaker 08 has 57 of 58; class F (happy) has 70 of 71 "
        "(by the released corpus's file list)."
    )


def test_the_real_part_of_emodb_that_is_here_is_known_for_a_part(real_corpora):
    """It is the files of anger, happiness, neutral and sadness."""
    found = inspect("emodb", real_corpora / "emodb")
    assert not found.as_expected
    assert len(found.utterances) == 127 + 71 + 79 + 62
    assert found.verdict.startswith(
        "196 of 535 utterances are missing: nothing of class A (fear), E (disgusted), L (bored); speaker "
    )


@pytest.mark.parametrize(
    ("name", "listing", "utterances"),
    [("ravdess", "RAVDESS", 1440), ("tess", "TESS", 2800), ("savee", "SAVEE", 480), ("crema_d", "CREMA-D", 7442)],
)
def test_every_file_name_of_a_released_corpus_is_as_expected(name, listing, utterances, real_corpora, lab, tmp_path):
    names = real_corpora.parent / "layouts" / f"{listing}.sha256.tsv"
    if not names.exists():
        pytest.skip(f"there is no {names.name} beside the real corpora")
    for line in names.read_text().splitlines()[1:]:
        file = tmp_path / name / line.split("\t")[2]
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.suffix == ".wav":
            file.symlink_to(lab.folder / "u00.wav")
    found = inspect(name, tmp_path / name)
    assert found.as_expected and found.verdict.startswith(f"All {utterances} utterances are there: each class has")
    next(file for file in sorted((tmp_path / name).rglob("*.wav"))).unlink()
    found = inspect(name, tmp_path / name)
    assert not found.as_expected and found.verdict.startswith(f"1 of {utterances} utterances is missing: ")


@pytest.fixture
def heard(monkeypatch):
    """All audio can be read, wherever it should lie."""
    monkeypatch.setattr("data_prep.inspect._length", lambda file: 1.0)


# Of Ohm and of Mont: Schuller et al., 2009.
AIBO = {
    "5cl": {"A": (881, 611), "E": (2093, 1508), "N": (5590, 5377), "P": (674, 215), "R": (721, 546)},
    "2cl": {"NEG": (3358, 2465), "IDL": (6601, 5792)},
}


@pytest.mark.usefixtures("heard")
@pytest.mark.parametrize("labels", AIBO)
def test_fau_aibo_is_whole_with_either_of_its_label_files_and_its_schools_are_compared(labels, tmp_path):
    lines = [
        f"{school}_{number % children + 1:02d}_{number // children:03d}_00 {label} 0.5\n"
        for column, (school, children) in enumerate({"Ohm": 26, "Mont": 25}.items())
        for number, label in enumerate(label for label, counts in AIBO[labels].items() for _ in range(counts[column]))
    ]
    file = tmp_path / f"chunk_labels_{labels}_corpus.txt"
    file.write_text("".join(lines))
    found = inspect("fau_aibo", tmp_path)
    assert found.as_expected
    assert found.verdict.startswith(
        "All 18216 utterances are there: each class has its number; each split has its number; all 51 speakers (by"
    )
    assert "  split, found/expected:\n    test 8257/8257    train 9959/9959\n" in str(found)
    file.write_text("".join(lines[:-2]))  # of Mont, whose last class is the last of the file's
    assert (
        "2 of 18216 utterances are missing: split test has 8255 of 8257; class" in inspect("fau_aibo", tmp_path).verdict
    )


@pytest.mark.usefixtures("heard")
def test_the_27_recordings_of_recolas_challenge_are_expected_where_its_names_are_found(tmp_path):
    (tmp_path / "timings").mkdir()
    files = [tmp_path / "timings" / f"{part}_{n}.csv" for part in ("train", "dev", "test") for n in range(1, 10)]
    for file in files:
        file.write_text("start;stop\n0;1\n1;2\n")
    found = inspect("recola", tmp_path)
    assert found.as_expected
    assert found.verdict.startswith(
        "There are 54 utterances where 27 or more are expected: each split has its number or more; all 27 speakers (by"
    )
    assert "  split, found/at least:\n    dev 18/9     test 18/9    train 18/9\n" in str(found)
    files[-1].unlink()
    found = inspect("recola", tmp_path)
    assert not found.as_expected
    assert "but not the right ones: 26 of 27 speakers are there (by" in found.verdict


@pytest.mark.usefixtures("heard")
def test_epsts_release_may_hold_more_than_the_copy_that_is_cut_and_no_less(tmp_path):
    published = corpora.load("epst").expected
    labels = [label for label, count in published.labels.items() for _ in range(count)]
    speakers = [speaker for speaker, count in published.speakers.items() for _ in range(count)]

    def transcribe(pairs):
        for speaker in published.speakers:
            said = [label for one, label in pairs if one == speaker]
            lines = [f"{time}.0 {time}.9 A: {label}, May first\n" for time, label in enumerate(said)]
            (tmp_path / f"{speaker}_001.txt").write_text("".join(lines))

    pairs = list(zip(speakers, labels, strict=True))
    transcribe([*pairs, *[("cc", "neutral")] * 6])
    found = inspect("epst", tmp_path)
    assert found.as_expected
    assert found.verdict.startswith("There are 2330 utterances where 2324 or more are expected: each class has its")
    assert "neutral 85/79 " in str(found) and "cc 271/265 " in str(found)
    transcribe(pairs[:-3])
    found = inspect("epst", tmp_path)
    assert not found.as_expected
    assert found.verdict.startswith(
        "3 of 2324 utterances are missing: speaker mm has 299 of 302; class shame has 145 of 148 (by counts of the copy"
    )
