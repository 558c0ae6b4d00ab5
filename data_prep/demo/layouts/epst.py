"""EPST: US English, actors saying dates and numbers in long sessions, with a boom and a head-set microphone.

``speech/cc_001.sph`` is NIST sphere; ``transcr/cc_001.txt`` says where in it the utterances are, category by category,
and ``doc/demographics.html`` who speaks. How many utterances there are of each speaker and of each category is as in
the real corpus; who says which, how sessions are divided and who is female are made up.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

import numpy as np

from data_prep.demo.channel import Channel
from data_prep.demo.layouts import Layout, Turn
from data_prep.demo.layouts._selection import acted_with, chosen, dealt, published

_EMOTIONS = {
    "anxiety": "anxious", "boredom": "bored", "cold anger": "frustrated", "contempt": "contempt", "despair": "despair",
    "disgust": "disgusted", "elation": "elated", "happy": "happy", "hot anger": "angry", "interest": "interested",
    "neutral": "neutral", "panic": "panic", "pride": "pride", "sadness": "sad", "shame": "shame",
}  # fmt: skip
_SPEAKERS = {
    "cc": "male", "cl": "male", "gg": "female", "jg": "female", "mf": "female", "mk": "female", "mm": "female",
}  # fmt: skip
_SESSIONS = dict.fromkeys(_SPEAKERS, 2) | {"mk": 3}
_MONTHS = ("January", "March", "April", "June", "August", "October", "December")
_DAYS = ("second", "fifth", "ninth", "eleventh", "fourteenth", "twentieth", "thirty-first")
_HUNDREDS = ("Two hundred", "Four hundred", "Six thousand", "Nine thousand")
_ONES = ("one", "six", "eight", "ten", "twelve")


def _script(size: str, rng: np.random.Generator) -> list[Turn]:
    real = published("epst")
    categories = list(_EMOTIONS)
    turns = [
        Turn(
            audio=f"speech/{speaker}_{categories.index(label) * _SESSIONS[speaker] // len(categories) + 1:03d}.sph",
            speaker=speaker,
            text=_date(rng) if rng.random() < 0.5 else f"{rng.choice(_HUNDREDS)} {rng.choice(_ONES)}",
            emotion=_EMOTIONS[label],
            label=label,
        )
        for speaker, label, _ in dealt({label: real.labels[label] for label in categories}, real.speakers, rng)
    ]
    return chosen(turns, _SPEAKERS, size, rng)


def _date(rng: np.random.Generator) -> str:
    return f"{rng.choice(_MONTHS)} {rng.choice(_DAYS)}"


def _label_files(
    turns: Sequence[Turn], times: Sequence[tuple[float, float]], rng: np.random.Generator
) -> dict[str, str]:
    """Transcripts, in which a category is announced before its utterances, and the list of actors."""
    files: dict[str, str] = {}
    before: dict[str, tuple[str | None, float]] = {}
    for turn, (start, end) in zip(turns, times, strict=True):
        file = f"transcr/{PurePosixPath(turn.audio).stem}.txt"
        label, stop = before.get(file, (None, 0.0))
        between = "[MISC]" if turn.label == label else f"Emotion category {turn.label}"
        files[file] = files.get(file, "") + (
            f"{stop:.2f} {start:.2f} A: {between}\n{start:.2f} {end:.2f} A: {turn.label}, {turn.text}\n"
        )
        before[file] = turn.label, end
    rows = "".join(f"<tr><td>{speaker.upper()}</td><td>{sex}</td></tr>\n" for speaker, sex in _SPEAKERS.items())
    head = "<tr><th>Speaker</th><th>Sex</th></tr>\n"
    return files | {"doc/demographics.html": f"<html><body><table>\n{head}{rows}</table></body></html>\n"}


LAYOUT = Layout(
    folder="LDC2002S28",
    language="en-us",
    speakers=_SPEAKERS,
    strength=acted_with(1.1),
    channel=Channel(
        sample_rate=22050, microphones=2, band=(60.0, 10500.0), slope=0.2, ripple=2.0, noise=-3.0, snr=34.0,
        reverberation=0.2, reverberant=-16.0, level=-28.0,
    ),
    script=_script,
    label_files=_label_files,
    pause=1.0,
)  # fmt: skip
