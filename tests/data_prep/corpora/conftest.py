"""A tiny folder in each corpus's layout: real names, real label files, and files of garbage in place of audio."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

GARBAGE = b"no reader opens audio"


def _touch(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(GARBAGE)


def _iemocap(root: Path) -> Path:
    labels = root / "Session1/dialog/EmoEvaluation"
    for folder in ("Attribute", "Categorical", "Self-evaluation"):
        (labels / folder).mkdir(parents=True)
        (labels / folder / "Ses01F_impro01_e3.txt").write_text("Ses01F_impro01_F000 :act 2; :val 3;\n")
    (labels / "Ses01F_impro01.txt").write_text(
        "% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]\n\n"
        "[6.2901 - 8.2357]\tSes01F_impro01_F000\tneu\t[2.5000, 2.0000, 3.5000]\n"
        "C-E2:\tNeutral;\t()\nA-E3:\tval 3; act 2; dom  2;\t()\n\n"
        "[10.0100 - 11.3925]\tSes01F_impro01_M001\texc\t[4.0000, 3.5000, nan]\n\n"
    )
    (labels / "._Ses01F_impro01.txt").write_bytes(b"\x00\x05\x16\x07 left by macOS")
    wav = "Session1/sentences/wav/Ses01F_impro01"
    _touch(root, *(f"{wav}/Ses01F_impro01_{turn}.wav" for turn in ("F000", "M001", "FXX0")))
    return root


def _msp_improv(root: Path) -> Path:
    _touch(root, *(f"session1/S01A/{c}/MSP-IMPROV-S01A-{s}-{c}-FM01.wav" for c, s in (("P", "F01"), ("T", "M01"))))
    (root / "Evalution.txt").write_text(
        "UTD-IMPROV-S01A-F01-P-FM01.avi; N; A:2.500000; V:3.000000; D:NaN ; N:4.000000;\n"
        "Worker_1; Neutral; ; A:2; V:3; D:3; N:4;\n\n"
        "UTD-IMPROV-S01A-M01-T-FM01.avi; A; A:4.500000; V:2.000000; D:3.000000 ; N:4.000000;\n"
    )
    return root


def _emodb(root: Path) -> Path:
    _touch(root, "wav/03a01Fa.wav", "wav/08b10Wb.WAV", "wav/16a07Lc.wav")
    return root


def _emovo(root: Path) -> Path:
    _touch(root, "EMOVO/f1/gio-f1-b1.wav", "EMOVO/m2/tri-m2-n5.wav")
    return root


def _ravdess(root: Path) -> Path:
    speech = "Actor_01/03-01-05-01-02-01-01.wav", "Actor_02/03-01-01-01-01-01-02.wav"
    _touch(root, *speech, *(f"audio_speech_actors_01-24/{name}" for name in speech))
    _touch(root, "Actor_01/03-02-05-01-02-01-01.wav", "Actor_05/not of the corpus.wav")
    return root


def _manifest(root: Path) -> Path:
    _touch(root, "a/one.wav", "a/two.wav")
    path = root / "mine.csv"
    path.write_text("speaker,audio,emotion,gender,language\nana,a/one.wav,happy,female,hr\nivo,a/two.wav,,male,hr\n")
    return path


LAYOUTS = {
    "iemocap": _iemocap,
    "msp_improv": _msp_improv,
    "emodb": _emodb,
    "emovo": _emovo,
    "ravdess": _ravdess,
    "manifest": _manifest,
}


@pytest.fixture
def lay_out(tmp_path: Path) -> Callable[[str], Path]:
    """Makes the tiny corpus called by a name; a reader without one fails its conformance test."""

    def make(name: str) -> Path:
        assert name in LAYOUTS, f"the reader {name} needs a tiny corpus in its layout here"
        root = tmp_path / name
        root.mkdir()
        return LAYOUTS[name](root)

    return make
