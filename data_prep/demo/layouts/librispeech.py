"""LibriSpeech: English, read aloud by volunteers at home; unlabelled.

``train-clean-100/19/198/19-198-0000.flac`` with ``19-198.trans.txt`` beside it and ``SPEAKERS.TXT`` at the root. Numbers
of readers and chapters are made up; nobody reads from a book.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

import numpy as np

from data_prep.demo.channel import Channel
from data_prep.demo.layouts import Layout, Turn, apportion
from data_prep.demo.layouts._english import sentence
from data_prep.demo.layouts._selection import acted_with

_SUBSET = "train-clean-100"
_SPEAKERS = {str(19 + 7 * number): "male" if number % 2 else "female" for number in range(251)}
_UTTERANCES = {"tiny": (6, 36), "small": (20, 240), "full": (251, 28_539)}  # readers, utterances of all
_CHAPTER = 56  # utterances, on average of the real corpus


def _script(size: str, rng: np.random.Generator) -> list[Turn]:
    readers, utterances = _UTTERANCES[size]
    turns = []
    for speaker, count in apportion(dict.fromkeys(list(_SPEAKERS)[:readers], 1.0), utterances).items():
        for number in range(count):
            chapter = 100 + 3 * int(speaker) + number // _CHAPTER
            name = f"{speaker}-{chapter}-{number % _CHAPTER:04d}"
            turns.append(
                Turn(
                    audio=f"{_SUBSET}/{speaker}/{chapter}/{name}.flac",
                    speaker=speaker,
                    text=sentence(size, rng),
                    emotion=str(rng.choice(["neutral", "calm", "interested"])),
                    label=None,
                )
            )
    return turns


def _label_files(
    turns: Sequence[Turn], times: Sequence[tuple[float, float]], rng: np.random.Generator
) -> dict[str, str]:
    files: dict[str, str] = {}
    minutes: dict[str, float] = {}
    for turn, (start, end) in zip(turns, times, strict=True):
        path = PurePosixPath(turn.audio)
        file = path.with_name(f"{path.stem.rpartition('-')[0]}.trans.txt").as_posix()
        files[file] = files.get(file, "") + f"{path.stem} {re.sub(r'[^A-Z ]', '', turn.text.upper())}\n"
        minutes[turn.speaker] = minutes.get(turn.speaker, 0.0) + (end - start) / 60
    rows = [
        f"{speaker:<5}| {_SPEAKERS[speaker][0].upper()} | {_SUBSET:<17}| {spent:<6.2f}| Synthetic voice {speaker}\n"
        for speaker, spent in minutes.items()
    ]
    return files | {"SPEAKERS.TXT": f";ID  |SEX| SUBSET           |MINUTES| NAME\n{''.join(rows)}"}


LAYOUT = Layout(
    folder="LibriSpeech",
    language="en-us",
    speakers=_SPEAKERS,
    strength=acted_with(0.6),
    channel=Channel(
        band=(60.0, 7800.0), slope=-0.1, ripple=2.0, noise=-3.0, snr=36.0,
        reverberation=0.2, reverberant=-18.0, level=-26.0,
    ),
    script=_script,
    label_files=_label_files,
)  # fmt: skip
