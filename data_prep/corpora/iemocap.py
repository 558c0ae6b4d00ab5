"""IEMOCAP (Busso et al., 2008): US English, five sessions of two actors, improvised and scripted dialogues.

A turn such as ``Ses01F_impro01_F000`` is session, who wears the markers, dialogue, and *who speaks*: the speaker is the
session with the letter of the last field. (The letter in the first field is taken for the speaker by several public
loaders, which mixes the two partners.) The consensus label and the ratings are those of the summary line of each turn
in ``dialog/EmoEvaluation/<dialogue>.txt``; its ratings stand in the order valence, activation, dominance. A turn with
a label and no audio is still an utterance, so that an incomplete copy shows in the build's quarantine; audio without
a label is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from data_prep.corpora import Corpus, Utterance
from data_prep.corpora._files import no_such_corpus
from data_prep.errors import InputError

_TURN = re.compile(r"(?P<dialogue>Ses(?P<session>0[1-5])[FM]_\w+)_(?P<speaker>[FM])\w?\d+")
_NUMBER = r"\s*([-+\d.]+|nan|NaN)\s*"
_SUMMARY = re.compile(
    rf"\[\s*[\d.]+\s*-\s*[\d.]+\s*\]\s+(?P<turn>\S+)\s+(?P<emotion>\S+)\s+\[{_NUMBER},{_NUMBER}(?:,{_NUMBER})?\]\s*"
)


def _read(root: Path) -> Iterator[Utterance]:
    folder = next((path for path in (root, root / "IEMOCAP_full_release") if (path / "Session1").is_dir()), root)
    files = sorted(
        path
        for path in folder.glob("Session[1-5]/dialog/EmoEvaluation/*.txt")
        if path.is_file() and not path.name.startswith("._")
    )
    if not files:
        raise no_such_corpus("iemocap", folder, "Session1/dialog/EmoEvaluation/*.txt", CORPUS.layout)
    for file in files:
        yield from _turns(root, file)


def _turns(root: Path, file: Path) -> Iterator[Utterance]:
    session = file.parents[2]
    with file.open(encoding="utf-8", errors="replace") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.startswith("["):
                continue
            summary = _SUMMARY.fullmatch(line.strip())
            turn = _TURN.fullmatch(summary["turn"]) if summary else None
            if summary is None or turn is None:
                raise InputError(
                    f"iemocap: {file}:{number} is no summary line: {line.strip()!r}; "
                    "expected [start - end] turn label [valence, activation, dominance]"
                )
            if summary["emotion"] not in CORPUS.labels:
                raise InputError(
                    f"iemocap: {file}:{number} has the unknown label {summary['emotion']!r}; "
                    f"this corpus's labels are {', '.join(sorted(CORPUS.labels))}"
                )
            valence, activation, dominance = (_rating(text) for text in summary.groups()[2:])
            audio = session / "sentences" / "wav" / turn["dialogue"] / f"{summary['turn']}.wav"
            yield Utterance(
                utterance_id=summary["turn"],
                audio=audio.relative_to(root).as_posix(),
                speaker=f"Ses{turn['session']}{turn['speaker']}",
                gender="female" if turn["speaker"] == "F" else "male",
                language="en-US",
                session=turn["session"],
                emotion=summary["emotion"],
                valence=valence,
                arousal=activation,
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
)
