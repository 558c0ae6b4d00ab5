"""RECOLA (Ringeval et al., 2013): French, pairs solving a task by video; arousal and valence rated continuously.

A recording is five minutes of one participant. Its utterances are pieces of it: ``RECOLA-Audio_timings/P16.csv`` has
their ``start;stop`` in seconds, a line each, and they are numbered in that order. Six people rated arousal and valence
every 0.04 s on [-1, 1]; an utterance's rating is the mean over all of them and all frames from its start to its stop
(``dann.txt``, 3.2), and is missing where none of its frames is rated. There are no categories.

| | original release | challenge (AVEC 2015, 2016) |
|---|---|---|
| audio | ``RECOLA-Audio-recordings/P16.wav`` | ``recordings_audio/train_1.wav`` |
| ratings | ``RECOLA-Annotation/emotional_behaviour/{arousal,valence}/P16.csv`` | ``ratings_individual/{arousal,valence}/train_1.csv`` |
| official partition | none in the names | train, dev, test |

Where a copy of the challenge has no individual ratings, its ``ratings_gold_standard/{arousal,valence}/train_1.arff``
are averaged in their place. They are other numbers: each rater's own mean is taken out there for one that is common to
all, weighted by agreement. The challenge names no utterances, and nothing that is published says how to cut its recordings:
whoever has it puts timings beside it as above, under its names (``RECOLA-Audio_timings/train_1.csv``); without them it is
an error. Its test part is unrated.

The sexes are in a spreadsheet, ``recola_user_info.xls``: saved as CSV at the root or in ``RECOLA-Metadata/``, its
columns ``User``, ``Sex`` (0 female, 1 male) and ``Group_id`` (the pair: ``session``) are read.
"""

from __future__ import annotations

import bisect
import itertools
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from data_prep.corpora import Corpus, Expected, LeftOut, Utterance
from data_prep.corpora._files import audio_files, no_such_corpus
from data_prep.corpora._text import again, numbered_lines
from data_prep.errors import InputError

_RECORDING = re.compile(r"P\d+|(?P<split>train|dev|test)_\d+")
_PARTS = ("train_", "dev_", "test_")
_AUDIO = ("RECOLA-Audio-recordings", "recordings_audio")
_RATINGS = (
    "RECOLA-Annotation/emotional_behaviour/{}/{}.csv",
    "emotional_behaviour/{}/{}.csv",
    "ratings_individual/{}/{}.csv",
    "ratings_gold_standard/{}/{}.arff",
)
_DIMENSIONS = ("arousal", "valence")
_USERS = ("recola_user_info.csv", "RECOLA-Metadata/recola_user_info.csv")
_SEXES = {"0": "female", "1": "male"}
_UNKNOWN = ("unknown", None)


@dataclass(frozen=True)
class _Rating:
    """A dimension of a recording: the time of each frame (seconds, ascending) and the raters' mean at it."""

    times: Sequence[float]
    means: Sequence[float]

    def over(self, start: float, stop: float) -> float | None:
        first, last = (bisect.bisect_left(self.times, time) for time in (start, stop))
        return fmean(self.means[first:last]) if first < last else None


def _read(root: Path) -> Iterator[Utterance | LeftOut]:
    base = _base(root)
    folders = [path for path in sorted(base.iterdir()) if _is_timings(path)] if base.is_dir() else []
    timings = {
        file.stem: file for folder in folders for file in audio_files(folder, recursive=False, endings=(".csv",))
    }
    there = [*_rated(base), *(file.stem for file in _recordings(root))]
    if not timings and any(name.startswith(_PARTS) for name in there):
        raise InputError(
            f"recola: {base} is the challenge's release, which has no timings: it names no utterances, and nothing that is "
            f"published says how its recordings are cut; expected a file for each in {base / 'RECOLA-Audio_timings'}, such "
            "as train_1.csv: a line start;stop and one for each utterance, its start and stop in seconds, as in 1.52;3.04"
        )
    if not timings:
        raise no_such_corpus("recola", base, "RECOLA-Audio_timings/P16.csv", CORPUS.layout)
    for recording in _rated(base):
        if recording not in timings:
            raise InputError(f"recola: {folders[0]} lacks {recording}.csv: the recording is rated, but has no timings")
    audio = {file.stem: file for file in reversed(_recordings(root))}
    users = _users(base)
    for recording, file in timings.items():
        name = _RECORDING.fullmatch(recording)
        if name is None:
            raise InputError(f"recola: {file} is not named as this corpus names its recordings (P16.csv, train_1.csv)")
        ratings = [_rating(base, dimension, recording) for dimension in _DIMENSIONS]
        if (ratings[0] is None) != (ratings[1] is None):
            lacking = _DIMENSIONS[0 if ratings[0] is None else 1]
            raise InputError(f"recola: {base} has no {lacking} of {recording}, while the other dimension is rated")
        gender, pair = users.get(recording, _UNKNOWN)
        usual = base / _AUDIO[1 if name["split"] else 0] / f"{recording}.wav"
        recorded = audio.get(recording, usual).relative_to(root).as_posix()
        for number, start, stop, reason in _pieces(root, file):
            utterance_id = f"{recording}_{number:03d}"
            if reason is not None:
                yield LeftOut(utterance_id=utterance_id, audio=recorded, reason=reason)
                continue
            arousal, valence = (rating.over(start, stop) if rating else None for rating in ratings)
            yield Utterance(
                utterance_id=utterance_id,
                audio=recorded,
                speaker=recording,
                gender=gender,
                language="fr",
                session=pair,
                arousal=arousal,
                valence=valence,
                split=name["split"],
                start=start,
                end=stop,
            )


def _base(root: Path) -> Path:
    return next((place for place in (root / "RECOLA", root) if place.is_dir()), root)


def _recordings(root: Path) -> list[Path]:
    return [file for folder in _AUDIO for file in audio_files(_base(root) / folder)]


def _is_timings(path: Path) -> bool:
    return bool(re.fullmatch(r"(recola[-_])?(audio[-_])?timings", path.name.lower())) and path.is_dir()


def _rated(base: Path) -> list[str]:
    """The recordings that have ratings."""
    found: set[str] = set()
    for pattern in _RATINGS:
        for dimension in _DIMENSIONS:
            file = base / pattern.format(dimension, "any")
            files = audio_files(file.parent, recursive=False, endings=(file.suffix,))
            found.update(file.stem for file in files if _RECORDING.fullmatch(file.stem))
    return sorted(found)


def _pieces(root: Path, file: Path) -> Iterator[tuple[int, float, float, str | None]]:
    """Number, start and stop (in seconds) of each utterance, and for one that comes again the reason to leave it out."""
    places: dict[str, str] = {}
    numbers_of: dict[str, int] = {}
    for line_number, (place, line) in enumerate(numbered_lines(file)):
        fields = _fields(line)
        if not line or (line_number == 0 and re.fullmatch(r"\W*start\W*", fields[0], re.IGNORECASE)):
            continue
        numbers = [_number(field) for field in fields[:2]]
        if len(numbers) < 2 or not 0 <= numbers[0] < numbers[1] < math.inf:  # false of NaN, too
            raise InputError(
                f"recola: {place} is no utterance: {line[:120]!r}; expected its start and a later stop in seconds, "
                "as in 1.52;3.04"
            )
        piece = f"{numbers[0]}-{numbers[1]} s"
        number = numbers_of.setdefault(piece, len(numbers_of) + 1)
        yield number, numbers[0], numbers[1], again(root, places, piece, place)


def _rating(base: Path, dimension: str, recording: str) -> _Rating | None:
    """How a recording was rated; ``None`` if it was not."""
    places = (base / pattern.format(dimension, recording) for pattern in _RATINGS)
    file = next((place for place in places if place.is_file()), None)
    if file is None:
        return None
    return _gold_standard(file) if file.suffix == ".arff" else _individual(file)


def _individual(file: Path) -> _Rating:
    """From a CSV file: after a line with the raters' names, lines of a frame's time and everyone's rating."""
    lines = [(place, line) for place, line in numbered_lines(file) if line]
    raters = len(_fields(lines[0][1])) - 1 if lines else 0
    if raters < 1 or _fields(lines[0][1])[0].strip().lower() != "time":
        raise InputError(f"recola: {file}:1 does not name the columns; expected time;FM1 ;FM2 and so on")
    frames = []
    for place, line in lines[1:]:
        numbers = [_number(field) for field in _fields(line)]
        inside = all(abs(number) <= 1 for number in numbers[1:])  # false of NaN, too
        if len(numbers) != raters + 1 or not math.isfinite(numbers[0]) or not inside:
            raise InputError(
                f"recola: {place} is no frame: {line[:120]!r}; expected its time and {raters} ratings from -1 to 1"
            )
        frames.append((place, numbers[0], fmean(numbers[1:])))
    return _ascending(frames)


def _gold_standard(file: Path) -> _Rating:
    """From an ARFF file: after ``@data``, lines of the recording's name, a frame's time and its rating."""
    frames, data = [], False
    for place, line in numbered_lines(file):
        if not data or not line or line.startswith("%"):
            data = data or line.lower() == "@data"
            continue
        numbers = [_number(field) for field in _fields(line)[-2:]]
        if len(numbers) != 2 or not all(map(math.isfinite, numbers)):
            raise InputError(
                f"recola: {place} is no frame: {line[:120]!r}; expected a name, its time and its rating, "
                "as in 'train_1',0.04,0.12"
            )
        frames.append((place, numbers[0], numbers[1]))
    if not data:
        raise InputError(f"recola: {file} has no line @data; expected the frames' ratings after it")
    return _ascending(frames)


def _ascending(frames: Sequence[tuple[str, float, float]]) -> _Rating:
    times = [time for _, time, _ in frames]
    for (_, before, _), (place, time, _) in itertools.pairwise(frames):
        if not before < time < math.inf:
            raise InputError(
                f"recola: {place} is at {time:g} s, the frame before it at {before:g} s; expected a later one"
            )
    return _Rating(times, [mean for _, _, mean in frames])


def _users(base: Path) -> Mapping[str, tuple[str, str | None]]:
    """Gender and pair of each participant, where the spreadsheet is there as CSV."""
    file = next((base / name for name in _USERS if (base / name).is_file()), None)
    if file is None:
        return {}
    lines = numbered_lines(file)
    columns = [field.strip().lower() for field in _fields(lines[0][1])]
    if not {"user", "sex"} <= set(columns):
        raise InputError(f"recola: {lines[0][0]} does not name the columns User and Sex")
    users = {}
    for place, line in lines[1:]:
        row = dict(zip(columns, (field.strip() for field in _fields(line)), strict=False))
        if not re.fullmatch(r"P?\d+(\.0)?", row.get("user", "")):
            continue  # a note below the table
        sex, pair = (row.get(column, "").removesuffix(".0") for column in ("sex", "group_id"))
        if sex not in _SEXES:
            raise InputError(f"recola: {place} has the sex {sex!r}; expected 0 (female) or 1 (male)")
        users[f"P{row['user'].removeprefix('P').removesuffix('.0')}"] = (_SEXES[sex], pair or None)
    return users


def _fields(line: str) -> list[str]:
    """The fields of a line; where semicolons part them, a comma is a decimal one."""
    return line.replace(",", ".").split(";") if ";" in line else line.split(",")


def _number(field: str) -> float:
    try:
        return float(field)
    except ValueError:
        return math.nan


CORPUS = Corpus(
    title="RECOLA (Ringeval et al., 2013)",
    licence="by request, for research",
    layout="a folder with RECOLA-Audio_timings/P16.csv, RECOLA-Audio-recordings/P16.wav and "
    "RECOLA-Annotation/emotional_behaviour/arousal/P16.csv (or the challenge's recordings_audio/train_1.wav and so on)",
    labels={},
    read=_read,
    labelled=_recordings,
    expected=Expected(
        source="addi.txt, 4.1.3, and dann.txt, 3.2: the 23 speakers that are public",
        utterances=1308,
        speaker_count=23,
        others=(
            Expected(
                source="the challenge's names, 1 to 9 of each part; how its recordings are cut is not published",
                utterances=27,
                speaker_count=27,
                splits=dict.fromkeys(("train", "dev", "test"), 9),
                at_least=True,
                is_read=lambda utterances: any(utterance.split is not None for utterance in utterances),
            ),
        ),
    ),
)
