"""MASC, Mandarin Affective Speech (Wu et al., 2006; LDC2007S09): 68 speakers in five states.

How the release names its files and folders is not publicly documented, and a guess would be wrong in silence. So the
folder holds a list of one's own beside the audio, ``masc.csv``, with a line per file. Its first line names the columns:

| column | must be there | what |
|---|---|---|
| `audio` | yes | path of the audio file from the folder |
| `speaker` | yes | who speaks |
| `emotion` | yes | `neutral`, `anger`, `elation`, `panic` or `sadness` |
| `gender` | | `female` or `male`; `unknown` where it is empty |
| `utterance_id` | | unique; the audio path without its ending where there is none |

Other columns are passed over, and audio that the list lacks shows in the build's quarantine.

Each speaker says phrases and sentences three times in each state, and two paragraphs
neutrally. Sources disagree on how many: 5 phrases with 10 (the paper's abstract), 15 (``multilingual.txt``) or 20
sentences. Only 20 give the 25,636 utterances that ``multilingual.txt`` counts: 68 x (5 x 25 x 3 + 2).
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from data_prep.corpora import Corpus, Expected, LeftOut, Utterance, unknown_label
from data_prep.corpora._files import audio_files, no_such_corpus
from data_prep.corpora._text import first_of_its_id, numbered_lines
from data_prep.errors import InputError

_LIST = "masc.csv"
_COLUMNS = ("audio", "speaker", "emotion")
_GENDERS = ("female", "male", "unknown")
_SPEAKERS, _MATERIAL, _TIMES, _PARAGRAPHS = 68, 5 + 20, 3, 2
_EACH = _SPEAKERS * _MATERIAL * _TIMES


def _read(root: Path) -> Iterator[Utterance | LeftOut]:
    file = root / _LIST
    if not file.is_file():
        raise no_such_corpus("masc", root, f"{_LIST} (a list of one's own)", CORPUS.layout)
    columns: list[str] | None = None
    places: dict[str, str] = {}
    for place, line in numbered_lines(file):
        fields = _fields(place, line)
        if not any(fields):
            continue
        if columns is None:
            columns = _columns(place, fields)
            continue
        if len(fields) != len(columns):
            raise InputError(f"masc: {place} has {len(fields)} fields; the first line names {len(columns)} columns")
        utterance = _utterance(place, dict(zip(columns, fields, strict=True)))
        yield first_of_its_id(root, places, utterance, place)
    if not places:
        raise InputError(f"masc: {file} lists no utterance; expected {CORPUS.layout}")


def _fields(place: str, line: str) -> list[str]:
    if "\0" in line:
        raise InputError(f"masc: {place} holds a NUL character; it must be text")
    try:
        return [field.strip() for row in csv.reader([line], strict=True) for field in row]
    except csv.Error as error:
        raise InputError(f"masc: {place} is not CSV: {error}") from error


def _columns(place: str, names: list[str]) -> list[str]:
    missing = [column for column in _COLUMNS if names.count(column) != 1]
    if missing:
        raise InputError(f"masc: {place} does not name the column {missing[0]!r} once; expected {CORPUS.layout}")
    return names


def _utterance(place: str, row: Mapping[str, str]) -> Utterance:
    for column in ("audio", "speaker"):
        if not row[column]:
            raise InputError(f"masc: {place} has no {column}; every utterance needs one")
    if row["emotion"] not in CORPUS.labels:
        raise unknown_label("masc", place, row["emotion"], CORPUS.labels)
    audio = PurePosixPath(row["audio"].replace("\\", "/"))  # written on whichever system
    if audio.is_absolute() or ".." in audio.parts:
        raise InputError(f"masc: {place} has the audio {row['audio']!r}; it must be a path inside the corpus's folder")
    gender = row.get("gender") or "unknown"
    if gender not in _GENDERS:
        raise InputError(f"masc: {place} has the gender {gender!r}; it must be one of {', '.join(_GENDERS)}")
    return Utterance(
        utterance_id=row.get("utterance_id") or os.path.splitext(audio)[0],
        audio=audio.as_posix(),
        speaker=row["speaker"],
        gender=gender,
        language="zh",
        emotion=row["emotion"],
    )


CORPUS = Corpus(
    title="Mandarin Affective Speech (Wu et al., 2006; LDC2007S09)",
    licence="of the Linguistic Data Consortium",
    layout=f"the audio with {_LIST} beside it (commas), whose first line names its columns: audio, speaker, emotion "
    "and, if known, gender and utterance_id",
    labels={"neutral": "neutral", "anger": "angry", "elation": "elated", "panic": "panic", "sadness": "sad"},
    read=_read,
    labelled=audio_files,
    expected=Expected(
        source="multilingual.txt, table 1, and the catalogue's 5 phrases and 20 sentences three times per state",
        utterances=25_636,
        speaker_count=_SPEAKERS,
        labels={
            "neutral": _EACH + _SPEAKERS * _PARAGRAPHS,
            **dict.fromkeys(("anger", "elation", "panic", "sadness"), _EACH),
        },
    ),
)
