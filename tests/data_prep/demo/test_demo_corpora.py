"""Making the demo corpora: the same bytes every time, nothing overwritten, and audible people with emotions."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from pathlib import Path

import librosa
import numpy as np
import pytest
import soundfile

from data_prep import demo
from data_prep.demo import __main__ as command
from data_prep.demo import layouts, stage
from data_prep.errors import InputError


def digests(folder: Path) -> dict[str, str]:
    """The digest of each file by its path in the folder."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def by_speaker(folder: Path, name: str) -> dict[str, list[tuple[stage.Turn, np.ndarray]]]:
    """Each speaker's turns of the tiny corpus with their waveforms."""
    spoken = defaultdict(list)
    for turn in stage.script(name, "tiny", 0):
        wave, _ = soundfile.read(folder / layouts.load(name).folder / turn.audio)
        spoken[turn.speaker].append((turn, wave))
    return spoken


def test_the_same_seed_gives_the_same_bytes_with_another_number_of_workers(tiny: Path, tmp_path: Path):
    demo.speak(tmp_path / "again", size="tiny", seed=0, corpora=layouts.known(), workers=1)
    assert digests(tmp_path / "again") == digests(tiny)


def test_another_seed_gives_other_voices_saying_other_things(tiny: Path, tmp_path: Path):
    stage.perform("emodb", tmp_path / "EMO-DB", size="tiny", seed=1, workers=1, spoken=lambda count: None)
    ours, others = digests(tmp_path / "EMO-DB"), digests(tiny / "EMO-DB")
    assert all(others.get(path) != digest for path, digest in ours.items())


def test_every_folder_says_that_it_is_a_demo(tiny: Path):
    for folder in (tiny, *(tiny / layouts.load(name).folder for name in layouts.known())):
        assert demo.is_demo(folder)
        assert "No scientific conclusion can be drawn" in (folder / "DEMO_CORPUS.txt").read_text()
    assert not demo.is_demo(tiny.parent)


def test_a_folder_that_holds_the_same_is_used_as_it_is(tiny: Path):
    before = digests(tiny), (tiny / "EMO-DB/demo.json").stat().st_mtime_ns
    spoken: list[int] = []
    found = demo.speak(tiny, size="tiny", seed=0, progress=lambda done, total: spoken.append(done))
    assert found == {
        "emodb": tiny / "EMO-DB",
        "iemocap": tiny / "IEMOCAP_full_release",
        "msp_improv": tiny / "MSP-IMPROV",
    }
    assert spoken == []
    assert (digests(tiny), (tiny / "EMO-DB/demo.json").stat().st_mtime_ns) == before


def test_a_corpus_is_added_to_those_that_are_there_and_nothing_else_is_spoken(tmp_path: Path):
    demo.speak(tmp_path, size="tiny", corpora=["savee"])
    before = digests(tmp_path)
    totals: list[int] = []
    found = demo.speak(tmp_path, size="tiny", corpora=["emodb", "savee"], progress=lambda done, all: totals.append(all))
    assert found == {"emodb": tmp_path / "EMO-DB", "savee": tmp_path / "SAVEE"}
    assert set(totals) == {len(stage.script("emodb", "tiny", 0))}
    after = digests(tmp_path)
    assert {path: after[path] for path in before} == before
    assert {path.split("/")[0] for path in after} == {"EMO-DB", "SAVEE", "DEMO_CORPUS.txt"}


def test_a_corpus_sounds_the_same_alone_as_among_others(tiny: Path, tmp_path: Path):
    demo.speak(tmp_path, size="tiny", corpora=["epst"])
    assert digests(tmp_path / "LDC2002S28") == digests(tiny / "LDC2002S28")


def test_an_unknown_corpus_is_said_before_anything_is_made(tmp_path: Path):
    with pytest.raises(InputError, match="unknown demo corpus 'emo-db'; known, nearest first: emodb, "):
        demo.speak(tmp_path / "out", size="tiny", corpora=["savee", "emo-db"])
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_holds_another_seed_or_size_is_refused(tiny: Path):
    with pytest.raises(
        InputError, match=r"EMO-DB is a demo corpus of size tiny, seed 0, version \d+, not of size tiny, seed 1"
    ):
        demo.speak(tiny, size="tiny", seed=1)


@pytest.mark.parametrize("name", ["notes.txt", "demo.json"])
def test_a_folder_of_somebody_else_is_refused_and_left_as_it_was(name: str, tmp_path: Path):
    (tmp_path / name).write_text("mine")
    with pytest.raises(InputError, match="holds something else than demo corpora"):
        demo.speak(tmp_path, size="tiny")
    assert digests(tmp_path) == {name: hashlib.sha256(b"mine").hexdigest()}


def test_a_corpus_that_is_none_of_this_version_s_is_refused_and_left_as_it_was(tmp_path: Path):
    demo.speak(tmp_path, size="tiny", corpora=[])
    (tmp_path / "SAVEE").mkdir()
    (tmp_path / "SAVEE" / "a01.wav").write_bytes(b"mine")
    before = digests(tmp_path)
    with pytest.raises(InputError, match="SAVEE is no demo corpus of this version; give another folder, or delete"):
        demo.speak(tmp_path, size="tiny", corpora=["savee"])
    assert digests(tmp_path) == before


def test_what_a_killed_run_left_does_not_get_into_the_next(tmp_path: Path):
    (tmp_path / ".out.partial").mkdir()
    (tmp_path / ".out.partial" / "half.wav").write_bytes(b"RIFF")
    (tmp_path / "out").mkdir()  # an empty folder is as good as none
    reported: list[tuple[int, int]] = []
    demo.speak(
        tmp_path / "out",
        size="tiny",
        corpora=["emodb"],
        workers=1,
        progress=lambda done, total: reported.append((done, total)),
    )
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["DEMO_CORPUS.txt", "EMO-DB"]
    assert not (tmp_path / "out" / "EMO-DB" / "half.wav").exists()
    assert not (tmp_path / ".out.partial").exists()
    assert reported[-1] == (70, 70) and reported == sorted(reported)


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written to"):
        demo.speak(tmp_path / "file" / "out", size="tiny")


def test_the_command_says_what_it_made_and_what_comes_next(tiny: Path, capsys: pytest.CaptureFixture[str]):
    assert command.main(["--out", str(tiny), "--size", "tiny"]) == 0
    printed = capsys.readouterr().out
    assert f"iemocap: 80 utterances by 10 synthetic voices in {tiny / 'IEMOCAP_full_release'}" in printed
    assert f"python -m data_prep.build --corpus emodb={tiny / 'EMO-DB'}" in printed and "savee" not in printed
    assert command.main(["--out", str(tiny), "--size", "tiny", "--corpus", "epst", "--corpus", "shemo"]) == 0
    printed = capsys.readouterr().out
    assert f"epst: 75 utterances by 5 synthetic voices in {tiny / 'LDC2002S28'}" in printed
    assert "shemo: " in printed and "emodb" not in printed


def test_the_command_ends_a_mistake_with_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert command.main(["--out", str(tmp_path / "out"), "--size", "smal"]) == 2
    assert capsys.readouterr().err == "error: unknown size 'smal'; known, nearest first: small, full, tiny\n"
    assert command.main(["--out", str(tmp_path / "out"), "--seed", "-1"]) == 2
    assert list(tmp_path.iterdir()) == []


def test_women_s_voices_are_higher_than_men_s(tiny: Path):
    pitch: dict[str, list[float]] = {"female": [], "male": []}
    for speaker, spoken in by_speaker(tiny, "emodb").items():
        wave = next(wave for turn, wave in spoken if turn.emotion == "neutral")
        track, voiced, _ = librosa.pyin(wave, fmin=60, fmax=500, sr=16000, frame_length=1024)
        pitch[layouts.load("emodb").speakers[speaker]].append(float(np.median(track[voiced])))
    assert len(pitch["female"]) == len(pitch["male"]) == 5
    assert min(pitch["female"]) > max(pitch["male"])
    assert np.median(pitch["female"]) > 1.5 * np.median(pitch["male"])


def test_a_speaker_s_anger_is_louder_and_faster_than_the_sadness(tiny: Path):
    louder, faster = [], []
    for spoken in by_speaker(tiny, "emodb").values():
        loudness, pace = defaultdict(list), defaultdict(list)
        for turn, wave in spoken:
            loudness[turn.emotion].append(10 * np.log10(np.mean(wave**2)))
            pace[turn.emotion].append(len(turn.text) / len(wave))
        louder.append(np.mean(loudness["angry"]) - np.mean(loudness["sad"]))
        faster.append(np.mean(pace["angry"]) / np.mean(pace["sad"]))
    assert np.mean(louder) > 6 and sum(difference > 0 for difference in louder) >= 9
    assert np.mean(faster) > 1.2 and sum(ratio > 1 for ratio in faster) >= 8
