"""MSP-IMPROV (Busso et al., 2017): US English, six sessions of two actors in dyadic improvisations.

A name such as ``MSP-IMPROV-S01A-F01-P-FM01.wav`` is target sentence with the acted emotion, speaker, condition, and
speaking order with the turn; the session is the speaker's number. The labels are the listeners', from
``Evalution.txt`` (so spelt in the release; ``Evaluation.txt`` is read too), whose lines name the video
``UTD-IMPROV-….avi``. Lines below an utterance's own are single listeners' and are passed over: its own line is the
corpus's consensus of them, and a listener who is there twice, as some are, counts no more than that. A labelled utterance
with no audio is still one, so that an incomplete copy shows in the build's quarantine; audio without a label shows there, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from data_prep.corpora import Corpus, Expected, LeftOut, Utterance, unknown_label
from data_prep.corpora._files import audio_files, no_such_corpus
from data_prep.corpora._text import first_of_its_id, numbered_lines
from data_prep.errors import InputError

_LABEL_FILES = ("Evalution.txt", "Evaluation.txt")
_NAME = re.compile(
    r"MSP-IMPROV-(?P<sentence>S\d\d[AHSN])-(?P<speaker>[FM](?P<session>0[1-6]))-(?P<condition>[PRST])-[FM]{2}\d+"
)
_EXAMPLE = "UTD-IMPROV-S01A-F01-P-FM01.avi; N; A:2.5; V:3.0; D:3.0 ; N:4.0;"
_RATING = r"\s*([-+]?\d+(?:\.\d*)?|nan)\s*"
_LINE = re.compile(
    r"(?:UTD|MSP)-IMPROV-(?P<name>\S+?)\.(?:avi|wav)\s*;(?P<emotion>[^;]*);"
    rf"\s*A:{_RATING};\s*V:{_RATING};\s*D:{_RATING}(?:;.*)?",
    re.IGNORECASE,
)


def _read(root: Path) -> Iterator[Utterance | LeftOut]:
    label_file = next((root / name for name in _LABEL_FILES if (root / name).is_file()), None)
    if label_file is None:
        raise no_such_corpus("msp_improv", root, " or ".join(_LABEL_FILES), CORPUS.layout)
    audio = {file.stem: file for file in reversed(audio_files(root))}
    places: dict[str, str] = {}
    for place, line in numbered_lines(label_file):
        if "-IMPROV-" in line:
            utterance = _utterance(root, audio, place, line)
            yield first_of_its_id(root, places, utterance, place)
    if not places:
        raise InputError(f"msp_improv: {label_file} has no utterance; expected lines such as {_EXAMPLE}")


def _utterance(root: Path, audio: Mapping[str, Path], place: str, line: str) -> Utterance:
    parsed = _LINE.fullmatch(line)
    name = _NAME.fullmatch(f"MSP-IMPROV-{parsed['name']}") if parsed else None
    if parsed is None or name is None:
        raise InputError(f"msp_improv: {place} is no label line: {line[:120]!r}; expected {_EXAMPLE}")
    emotion = parsed["emotion"].strip()
    if emotion not in CORPUS.labels:
        raise unknown_label("msp_improv", place, emotion, CORPUS.labels)
    activation, valence, dominance = (_rating(text) for text in parsed.groups()[2:])
    usual = root / f"session{int(name['session'])}" / name["sentence"] / name["condition"] / f"{name[0]}.wav"
    return Utterance(
        utterance_id=name[0],
        audio=audio.get(name[0], usual).relative_to(root).as_posix(),
        speaker=name["speaker"],
        gender="female" if name["speaker"].startswith("F") else "male",
        language="en-US",
        session=name["session"],
        emotion=emotion,
        arousal=activation,
        valence=valence,
        dominance=dominance,
    )


def _rating(text: str) -> float | None:
    return None if text.lower() == "nan" else float(text)


CORPUS = Corpus(
    title="MSP-IMPROV (Busso et al., 2017)",
    licence="by request, for research",
    layout="a folder with Evalution.txt and session1..6/S01A/P/MSP-IMPROV-S01A-F01-P-FM01.wav (or Audio/session1..6)",
    labels={"A": "angry", "H": "happy", "N": "neutral", "O": "other", "S": "sad", "X": "no_agreement"},
    read=_read,
    labelled=audio_files,
    expected=Expected(
        source="addi.txt, 4.1.2 (12 speakers, four classes), and Busso et al., 2017 (652 + 620 + 4,381 + 2,785 turns)",
        utterances=8438,
        speaker_count=12,
        labels={"A": 792, "H": 2644, "S": 885, "N": 3477},
    ),
)
