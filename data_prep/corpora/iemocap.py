"""IEMOCAP (Busso et al., 2008): US English, five sessions of two actors, improvised and scripted dialogues.

A turn such as ``Ses01F_impro01_F000`` is session, who wears the markers, dialogue, and *who speaks*: the speaker is the
session with the letter of the last field. (The letter in the first field is taken for the speaker by several public
loaders, which mixes the two partners.) The consensus label and the ratings are those of the summary line of each turn
in ``dialog/EmoEvaluation/<dialogue>.txt``; its ratings stand in the order valence, activation, dominance. A turn with
a label and no audio is still an utterance, so that an incomplete copy shows in the build's quarantine; audio without
a label shows there, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from data_prep.corpora import Corpus, Expected, LeftOut, Utterance, unknown_label
from data_prep.corpora._files import audio_files, no_such_corpus
from data_prep.corpora._text import first_of_its_id, numbered_lines
from data_prep.errors import InputError

_TURN = re.compile(r"(?P<dialogue>Ses(?P<session>0[1-5])[FM]_\w+)_(?P<speaker>[FM])[^\W_]+")
_MEANT = re.compile(r"Ses0[1-5][FM]_\w")
_NUMBER = r"\s*([-+]?\d+(?:\.\d*)?|(?i:nan))"
_SUMMARY = re.compile(
    r"\[\s*[\d.]+\s*-\s*[\d.]+\s*\]\s+(?P<turn>\S+)\s+(?P<emotion>\S+)\s+"
    rf"\[{_NUMBER}\s*,{_NUMBER}\s*(?:,(?:{_NUMBER})?\s*)?\]"
)


def _sessions(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("Session[1-5]") if path.is_dir())


def _release(root: Path) -> Path:
    release = root / "IEMOCAP_full_release"
    return release if release.is_dir() else root


def _labelled(root: Path) -> Iterator[Path]:
    for session in _sessions(_release(root)):
        yield from audio_files(session / "sentences" / "wav")


def _read(root: Path) -> Iterator[Utterance | LeftOut]:
    folder = _release(root)
    sessions = _sessions(folder)
    if not sessions:
        raise no_such_corpus("iemocap", folder, "Session1/dialog/EmoEvaluation/*.txt", CORPUS.layout)
    places: dict[str, str] = {}
    for session in sessions:
        labels = session / "dialog" / "EmoEvaluation"
        files = sorted(file for file in labels.glob("*.txt") if not file.is_dir() and not file.name.startswith("._"))
        if not files:
            raise no_such_corpus("iemocap", session, "dialog/EmoEvaluation/*.txt", CORPUS.layout)
        sentences = session / "sentences" / "wav"
        audio = {path.stem: path for path in reversed(audio_files(sentences))}
        for file in files:
            for place, line in _summaries(file):
                utterance = _utterance(root, sentences, audio, place, line)
                yield first_of_its_id(root, places, utterance, place)


def _summaries(file: Path) -> list[tuple[str, str]]:
    """The lines of a label file that are a turn's own, or were meant to be, each with its place."""
    found = [(place, line) for place, line in numbered_lines(file) if line.startswith("[") or _MEANT.search(line)]
    if not found:
        raise InputError(f"iemocap: {file} holds no turn; expected lines [start - end] turn label [V, A, D]")
    return found


def _utterance(root: Path, sentences: Path, audio: Mapping[str, Path], place: str, line: str) -> Utterance:
    summary = _SUMMARY.fullmatch(line)
    turn = _TURN.fullmatch(summary["turn"]) if summary else None
    if summary is None or turn is None:
        raise InputError(
            f"iemocap: {place} is no summary line: {line[:120]!r}; "
            "expected [start - end] turn label [valence, activation, dominance]"
        )
    if summary["emotion"] not in CORPUS.labels:
        raise unknown_label("iemocap", place, summary["emotion"], CORPUS.labels)
    valence, activation, dominance = (_rating(text) for text in summary.groups()[2:])
    usual = sentences / turn["dialogue"] / f"{turn[0]}.wav"
    return Utterance(
        utterance_id=turn[0],
        audio=audio.get(turn[0], usual).relative_to(root).as_posix(),
        speaker=f"Ses{turn['session']}{turn['speaker']}",
        gender="female" if turn["speaker"] == "F" else "male",
        language="en-US",
        session=turn["session"],
        emotion=summary["emotion"],
        arousal=activation,
        valence=valence,
        dominance=dominance,
    )


def _rating(text: str | None) -> float | None:
    return None if text is None or text.lower() == "nan" else float(text)


CORPUS = Corpus(
    title="IEMOCAP (Busso et al., 2008)",
    licence="by request, for research",
    layout="IEMOCAP_full_release with Session1..5/dialog/EmoEvaluation/*.txt and Session1..5/sentences/wav",
    labels={
        "ang": "angry",
        "dis": "disgusted",
        "exc": "excited",
        "fea": "fear",
        "fru": "frustrated",
        "hap": "happy",
        "neu": "neutral",
        "oth": "other",
        "sad": "sad",
        "sur": "surprised",
        "xxx": "no_agreement",
    },
    read=_read,
    labelled=_labelled,
    expected=Expected(
        source="addi.txt, 4.1.1 (ten actors, four classes), multilingual.txt, table 1 (5,255 scripted and 4,784 improvised "
        "turns), and public evaluations (the other classes)",
        utterances=10_039,
        speaker_count=10,
        labels={
            "ang": 1103,
            "dis": 2,
            "exc": 1041,
            "fea": 40,
            "fru": 1849,
            "hap": 595,
            "neu": 1708,
            "oth": 3,
            "sad": 1084,
            "sur": 107,
            "xxx": 2507,
        },
    ),
)
