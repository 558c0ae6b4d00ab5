"""Anyone's own corpus: a CSV file with a line per utterance.

The first line names the columns; their order is free.

| column | must be there | what |
|---|---|---|
| `audio` | yes | path of the audio file, from the CSV file's folder (or absolute) |
| `speaker` | yes | who speaks; splits by speaker rely on it |
| `utterance_id` | | unique; the audio path without its ending where there is no such column |
| `gender` | | `female`, `male` or `unknown` (the default) |
| `language` | | BCP 47 tag such as `en-US`; `und` by default |
| `session` | | recording session |
| `emotion` | | one of :data:`data_prep.corpora.EMOTIONS`; empty for unlabelled speech |
| `arousal`, `valence`, `dominance` | | numbers on your own scale |
| `split` | | an official partition |
| `start`, `end` | | seconds into the audio file, for utterances that are parts of a longer one |
"""

from __future__ import annotations

import csv
import dataclasses
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from data_prep.corpora import EMOTIONS, Corpus, Utterance
from data_prep.errors import InputError, nearest_first

_COLUMNS = tuple(field.name for field in dataclasses.fields(Utterance))
_NUMBERS = ("arousal", "valence", "dominance", "start", "end")


def _read(path: Path) -> Iterator[Utterance]:
    if not path.is_file():
        raise InputError(f"manifest: {path} is no file; expected {CORPUS.layout}")
    with path.open(encoding="utf-8-sig", newline="") as lines:
        rows = csv.DictReader(lines)
        try:
            _check_columns(path, list(rows.fieldnames or []))
            for row in rows:
                yield _utterance(path, f"{path}:{rows.line_num}", row)
        except (csv.Error, UnicodeDecodeError) as error:
            raise InputError(f"manifest: {path}:{rows.line_num + 1} is not CSV in UTF-8: {error}") from error


def _check_columns(path: Path, columns: list[str]) -> None:
    for column in columns:
        if column not in _COLUMNS:
            known = ", ".join(nearest_first(column, _COLUMNS))
            raise InputError(f"manifest: {path}:1 has the unknown column {column!r}; known, nearest first: {known}")
    for column in ("audio", "speaker"):
        if column not in columns:
            raise InputError(f"manifest: {path}:1 has no column {column!r}; expected {CORPUS.layout}")


def _utterance(path: Path, place: str, row: Mapping[str, str | None]) -> Utterance:
    if None in row or None in row.values():
        raise InputError(f"manifest: {place} has not as many fields as the first line has columns")
    given = {name: text.strip() for name, text in row.items() if text is not None and text.strip()}
    for column in ("audio", "speaker"):
        if column not in given:
            raise InputError(f"manifest: {place} has no {column}")
    if given.get("emotion", "neutral") not in EMOTIONS:
        known = ", ".join(nearest_first(given["emotion"], EMOTIONS))
        raise InputError(f"manifest: {place} has the unknown label {given['emotion']!r}; known, nearest first: {known}")
    if given.setdefault("gender", "unknown") not in ("female", "male", "unknown"):
        raise InputError(f"manifest: {place} has gender {given['gender']!r}; it must be female, male or unknown")
    audio = Path(os.path.relpath(path.parent / given["audio"], path.parent)).as_posix()
    texts = {name: text for name, text in given.items() if name not in _NUMBERS}
    defaults = {"utterance_id": os.path.splitext(audio)[0], "language": "und"}
    numbers = {name: _number(place, name, given[name]) for name in _NUMBERS if name in given}
    return Utterance(**{**defaults, **texts, "audio": audio, **numbers})  # type: ignore[arg-type]


def _number(place: str, column: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InputError(f"manifest: {place} has {column} {text!r}; it must be a number") from None


CORPUS = Corpus(
    title="a corpus of one's own, listed in a CSV file",
    licence="the user's own",
    layout="a CSV file whose first line names columns: audio and speaker, and any of " + ", ".join(_COLUMNS),
    labels={emotion: emotion for emotion in sorted(EMOTIONS)},
    read=_read,
)
