"""Anyone's own corpus: a CSV file (commas, UTF-8) with a line per utterance.

The first line names the columns; their order is free.

| column | must be there | what |
|---|---|---|
| `audio` | yes | path of the audio file, from the CSV file's folder (or absolute) |
| `speaker` | yes | who speaks; splits by speaker rely on it |
| `utterance_id` | | unique; the audio path without its ending where there is none |
| `gender` | | `female`, `male` or `unknown` (the default) |
| `language` | | BCP 47 tag such as `en-US`; `und` (undetermined) by default |
| `session` | | recording session |
| `emotion` | | one of :data:`data_prep.corpora.EMOTIONS`; empty for unlabelled speech |
| `arousal`, `valence`, `dominance` | | numbers on your own scale |
| `split` | | an official partition |
| `start`, `end` | | seconds into the audio file, for utterances that are parts of a longer one |

A manifest lists what is wanted: audio beside it that no line lists is none of the corpus, and nothing is said of it.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import math
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from data_prep.corpora import EMOTIONS, Corpus, LeftOut, Utterance, unknown_label
from data_prep.corpora._text import first_of_its_id
from data_prep.errors import InputError, nearest_first

_COLUMNS = tuple(field.name for field in dataclasses.fields(Utterance))
_GENDERS = ("female", "male", "unknown")
_LONGEST = 1e6  # seconds, eleven days: more is another unit
_BCP_47 = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*")


def _read(path: Path) -> Iterator[Utterance | LeftOut]:
    if not path.is_file():
        raise InputError(f"manifest: {path} is no file; expected {CORPUS.layout}")
    rows = csv.DictReader(io.StringIO(_text(path), newline=""), strict=True)
    places: dict[str, str] = {}
    try:
        rows.fieldnames = _columns(path, [column.strip() for column in rows.fieldnames or ()])
        for row in rows:
            place = f"{path}:{rows.line_num}"
            yield first_of_its_id(path.parent, places, _utterance(place, row), place)
    except csv.Error as error:
        raise InputError(f"manifest: {path}:{rows.line_num + 1} is not CSV: {error}") from error


def _text(path: Path) -> str:
    content = path.read_bytes()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InputError(f"manifest: {path}:{line} is not UTF-8: {error.reason}; save the file as UTF-8") from error


def _columns(path: Path, columns: list[str]) -> list[str]:
    if not {"audio", "speaker"} & set(columns):
        raise InputError(f"manifest: {path}:1 names no columns audio and speaker; expected {CORPUS.layout}")
    for number, column in enumerate(columns):
        if column not in _COLUMNS:
            known = ", ".join(nearest_first(column, _COLUMNS))
            raise InputError(f"manifest: {path}:1 has the unknown column {column!r}; known, nearest first: {known}")
        if column in columns[:number]:
            raise InputError(f"manifest: {path}:1 has the column {column!r} twice; expected once")
    for column in ("audio", "speaker"):
        if column not in columns:
            raise InputError(f"manifest: {path}:1 has no column {column!r}; expected {CORPUS.layout}")
    return columns


def _utterance(place: str, row: Mapping[str, str | None]) -> Utterance:
    if None in row or None in row.values():
        raise InputError(f"manifest: {place} has not as many fields as the first line has columns")
    given = {name: text.strip() for name, text in row.items() if text is not None and text.strip()}
    for column in ("audio", "speaker"):
        if column not in given:
            raise InputError(f"manifest: {place} has no {column}; every utterance needs one")
    for column, text in given.items():
        if "\0" in text:
            raise InputError(f"manifest: {place} has {column} {text!r}; it must be text without NUL characters")
    emotion, gender, language = given.get("emotion"), given.get("gender", "unknown"), given.get("language", "und")
    if emotion is not None and emotion not in EMOTIONS:
        raise unknown_label("manifest", place, emotion, EMOTIONS)
    if gender not in _GENDERS:
        raise InputError(f"manifest: {place} has the gender {gender!r}; it must be one of {', '.join(_GENDERS)}")
    if not _BCP_47.fullmatch(language):
        raise InputError(f"manifest: {place} has the language {language!r}; it must be a BCP 47 tag such as en-US")
    start, end = _number(place, given, "start"), _number(place, given, "end")
    if (start or 0) < 0 or (end is not None and end <= (start or 0)):
        raise InputError(f"manifest: {place} goes from {start} to {end} s; start must be at least 0 and end after it")
    if max(start or 0, end or 0) > _LONGEST:
        raise InputError(
            f"manifest: {place} goes from {start} to {end} s; times must be seconds, {_LONGEST:,.0f} at most"
        )
    audio = Path(given["audio"].replace("\\", "/")).as_posix()  # written on whichever system
    return Utterance(
        utterance_id=given.get("utterance_id", os.path.splitext(audio)[0]),
        audio=audio,
        speaker=given["speaker"],
        gender=gender,
        language=language,
        session=given.get("session"),
        emotion=emotion,
        arousal=_number(place, given, "arousal"),
        valence=_number(place, given, "valence"),
        dominance=_number(place, given, "dominance"),
        split=given.get("split"),
        start=start,
        end=end,
    )


def _number(place: str, given: Mapping[str, str], column: str) -> float | None:
    if column not in given:
        return None
    try:
        number = float(given[column])
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise InputError(f"manifest: {place} has {column} {given[column]!r}; it must be a number, or empty")
    return number


CORPUS = Corpus(
    title="a corpus of one's own, listed in a CSV file",
    licence="the user's own",
    layout="a CSV file (commas, UTF-8) whose first line names its columns: audio, speaker and any of "
    + ", ".join(column for column in _COLUMNS if column not in ("audio", "speaker")),
    labels={emotion: emotion for emotion in sorted(EMOTIONS)},
    read=_read,
)
