"""ShEMO (Mohamad Nezami et al., 2019): Persian, 87 speakers of radio plays.

A name such as ``F03S02.wav`` is speaker (F or M, and a number), emotion and a number: F means female at the beginning
and fear after the speaker; W is surprise. ``shemo.json``, which newer copies have beside ``male/`` and ``female/``,
says the same of each utterance in words: what it says otherwise is an error, and what it lists without audio is still
an utterance, so that an incomplete copy shows in the build's quarantine.

The released files, by name as by ``shemo.json``, have other numbers of each emotion than papers quote (anger 1,042 and
not 1,059, fear 32 and not 38, neutral 1,160 and not 1,028, sadness 362 and not 449): the total is 3,000 in both.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

from data_prep.corpora import Corpus, Expected, LeftOut, Utterance, unknown_label
from data_prep.corpora._files import named_files
from data_prep.errors import InputError

_NAME = re.compile(r"(?P<speaker>F(0[1-9]|[12]\d|3[01])|M(0[1-9]|[1-4]\d|5[0-6]))(?P<emotion>[A-Z])\d\d")
_WORDS = {"angry": "A", "fearful": "F", "happy": "H", "neutral": "N", "sad": "S", "surprised": "W"}
_COLUMNS = ("emotion", "speaker_id", "gender")


def _read(root: Path) -> Iterator[Utterance | LeftOut]:
    files, misnamed = named_files("shemo", root, _NAME, "male/M01A01.wav", CORPUS.layout)
    yield from misnamed
    audio = {name[0]: file.relative_to(root) for file, name in reversed(files)}
    for file, name in files:
        yield _utterance(name, file.relative_to(root))
    listed = root / "shemo.json"
    if os.path.lexists(listed):
        for name, reason in _listed(listed):
            usual = audio.get(name[0], Path(_gender(name), f"{name[0]}.wav"))
            if reason is not None:
                yield LeftOut(utterance_id=name[0], audio=usual.as_posix(), reason=reason)
            elif name[0] not in audio:
                yield _utterance(name, usual)


def _utterance(name: re.Match[str], audio: Path) -> Utterance:
    return Utterance(
        utterance_id=name[0],
        audio=audio.as_posix(),
        speaker=name["speaker"],
        gender=_gender(name),
        language="fa",
        emotion=name["emotion"],
    )


def _gender(name: re.Match[str]) -> str:
    return "female" if name["speaker"].startswith("F") else "male"


def _listed(file: Path) -> Iterator[tuple[re.Match[str], str | None]]:
    """The names in ``shemo.json``, each agreeing with what is said of it there; one that comes again, with the reason."""
    content = file.read_bytes()
    again: list[re.Match[str]] = []

    def first_of_each(pairs: list[tuple[str, object]]) -> dict[str, object]:
        table: dict[str, object] = {}
        for key, value in pairs:
            name = _NAME.fullmatch(key)
            if key in table and name is None:
                raise InputError(f"shemo: {file} has {key!r} again; expected it once")
            if key in table and name is not None:
                again.append(name)
            table.setdefault(key, value)
        return table

    try:
        text = content.decode("utf-8-sig")
        table = json.loads(text, object_pairs_hook=first_of_each, parse_int=str)  # a number may be too long for Python
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InputError(f"shemo: {file}:{line} is not UTF-8: {error.reason}; fetch it again, or remove it") from error
    except json.JSONDecodeError as error:
        raise InputError(
            f"shemo: {file}:{error.lineno} is not JSON: {error.msg}; fetch it again, or remove it"
        ) from error
    except RecursionError as error:
        raise InputError(
            f"shemo: {file} is no table of utterances, but nested; fetch it again, or remove it"
        ) from error
    if not isinstance(table, dict):
        raise InputError(f"shemo: {file} is no table of utterances; expected {{'F21N37': {{'emotion': 'neutral', …}}}}")
    for key, row in table.items():
        name = _NAME.fullmatch(key)
        if name is None:
            raise InputError(f"shemo: {_place(file, text, key)} names the utterance {key!r}; expected such as F21N37")
        said = [str(row.get(column)) if isinstance(row, dict) else "None" for column in _COLUMNS]
        if said[0] not in _WORDS:
            raise unknown_label("shemo", _place(file, text, key), said[0], _WORDS)
        named = [next((word for word, letter in _WORDS.items() if letter == name["emotion"]), "None")]
        named += [name["speaker"], _gender(name)]
        for column, there, here in zip(_COLUMNS, said, named, strict=True):
            if there != here:
                raise InputError(
                    f"shemo: {_place(file, text, key)} has the {column} {there!r} for {key}, whose name says {here!r}; "
                    "one of the two is wrong"
                )
        yield name, None
    for name in again:
        here, there = (Path(_place(file, text, name[0], again=second)).name for second in (True, False))
        yield name, f"{here} has {name[0]!r} again, which {there} has; the first was taken"


def _place(file: Path, text: str, key: str, again: bool = False) -> str:
    """The file with the line where an utterance begins; without, where its name is written with escapes."""
    named = [found.start() for found in re.finditer(re.escape(f'"{key}"'), text)][again:]
    return f"{file}:{text.count(chr(10), 0, named[0]) + 1}" if named else str(file)


# Utterances of speakers F01 to F31 and M01 to M56, by shemo.json.
_FEMALE = """
    73 34 53 18 68 27 143 2 51 64 15 28 28 12 8 7 16 4 43 29 174 38 44 160 11 10 5 40 12 34 12
""".split()
_MALE = """
    4 53 89 107 53 16 17 16 26 4 16 180 5 7 18 49 13 19 17 23 26 45 5 18 120 61 66 103 26 16 20 14 3 24 3 11 21 16 5 62
    21 14 35 44 7 17 50 18 6 15 26 7 57 5 11 7
""".split()

CORPUS = Corpus(
    title="ShEMO, the Sharif emotional speech database (Mohamad Nezami et al., 2019)",
    licence="free for academic purposes",
    layout="a folder with female/F01A01.wav, male/M01A01.wav and so on, with or without shemo.json beside these folders",
    labels={
        "A": "angry",
        "F": "fear",
        "H": "happy",
        "N": "neutral",
        "S": "sad",
        "W": "surprised",
    },
    read=_read,
    expected=Expected(
        source="shemo.json of the corpus's repository, which agrees with the names of the transcripts",
        utterances=3000,
        labels={"A": 1042, "F": 32, "H": 203, "N": 1160, "S": 362, "W": 201},
        speakers={f"F{number:02d}": int(count) for number, count in enumerate(_FEMALE, start=1)}
        | {f"M{number:02d}": int(count) for number, count in enumerate(_MALE, start=1)},
    ),
)
