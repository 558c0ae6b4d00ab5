"""ShEMO: Persian, radio plays.

``female/F03S02.wav``: speaker, emotion, number; ``shemo.json`` says the same in words, with a transcript. How many
utterances there are of each speaker and of each emotion is as in the real corpus; who says which is made up.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import PurePosixPath

import numpy as np

from data_prep.demo.channel import Channel
from data_prep.demo.layouts import Layout, Turn
from data_prep.demo.layouts._selection import acted_with, chosen, dealt, published

_EMOTIONS = {"A": "angry", "F": "fear", "H": "happy", "N": "neutral", "S": "sad", "W": "surprised"}
_WORDS = {"A": "angry", "F": "fearful", "H": "happy", "N": "neutral", "S": "sad", "W": "surprised"}
_GENDERS = {"F": "female", "M": "male"}
_SENTENCES = (
    "کتاب روی میز است.",
    "فردا به بازار می‌رویم.",
    "در را آرام ببند.",
    "او هنوز در خانه است.",
    "ساعت شش برمی‌گردم.",
    "نامه را دیروز خواندم.",
    "چای روی اجاق است.",
    "بچه‌ها در حیاط هستند.",
    "کلید را کجا گذاشتی؟",
    "این خیابان خیلی طولانی است.",
    "برادرم با قطار می‌آید.",
    "پنجره رو به باغ باز می‌شود.",
)
_REAL = published("shemo")
_SPEAKERS = {speaker: _GENDERS[speaker[0]] for speaker in _REAL.speakers}


def _script(size: str, rng: np.random.Generator) -> list[Turn]:
    turns = [
        Turn(
            audio=f"{_SPEAKERS[speaker]}/{speaker}{label}{number:02d}.wav",
            speaker=speaker,
            text=str(rng.choice(_SENTENCES)),
            emotion=_EMOTIONS[label],
            label=label,
        )
        for speaker, label, number in dealt(_REAL.labels, _REAL.speakers, rng)
    ]
    return chosen(turns, _SPEAKERS, size, rng)


def _label_files(
    turns: Sequence[Turn], times: Sequence[tuple[float, float]], rng: np.random.Generator
) -> dict[str, str]:
    rows = {
        PurePosixPath(turn.audio).stem: {
            "speaker_id": turn.speaker,
            "gender": _SPEAKERS[turn.speaker],
            "emotion": _WORDS[turn.label or ""],
            "transcript": turn.text,
        }
        for turn in turns
    }
    return {"shemo.json": json.dumps(rows, ensure_ascii=False, indent=1) + "\n"}


LAYOUT = Layout(
    folder="ShEMO",
    language="fa",
    speakers=_SPEAKERS,
    strength=acted_with(1.1),
    channel=Channel(
        sample_rate=44100, band=(80.0, 12000.0), slope=-0.6, ripple=2.0, noise=-3.0, snr=30.0,
        reverberation=0.3, reverberant=-12.0, level=-24.0,
    ),
    script=_script,
    label_files=_label_files,
)  # fmt: skip
