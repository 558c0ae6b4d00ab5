"""RAVDESS speech: North American English, acted, in a studio.

``Actor_01/03-01-05-02-01-01-01.wav``: modality, channel, emotion, intensity, statement, repetition, actor (odd male,
even female). Neutral is never intense. The two statements are not the real corpus's.
"""

from __future__ import annotations

import numpy as np

from data_prep.demo.channel import Channel
from data_prep.demo.layouts import Layout, Turn
from data_prep.demo.layouts._selection import acted_with, chosen

_EMOTIONS = {
    "01": "neutral", "02": "calm", "03": "happy", "04": "sad", "05": "angry", "06": "fear", "07": "disgusted",
    "08": "surprised",
}  # fmt: skip
_SPEAKERS = {f"{actor:02d}": "male" if actor % 2 else "female" for actor in range(1, 25)}
_INTENSITIES = {"01": 1.0, "02": 1.5}
_STATEMENTS = {"01": "The letters are lying on the desk.", "02": "The children walked along the beach."}


def _script(size: str, rng: np.random.Generator) -> list[Turn]:
    turns = [
        Turn(
            audio=f"Actor_{speaker}/03-01-{code}-{level}-{statement}-{repetition}-{speaker}.wav",
            speaker=speaker,
            text=text,
            emotion=emotion,
            label=code,
            intensity=intensity,
        )
        for speaker in _SPEAKERS
        for code, emotion in _EMOTIONS.items()
        for level, intensity in _INTENSITIES.items()
        if emotion != "neutral" or level == "01"
        for statement, text in _STATEMENTS.items()
        for repetition in ("01", "02")
    ]
    return chosen(turns, _SPEAKERS, size, rng)


LAYOUT = Layout(
    folder="Audio_Speech_Actors_01-24",
    language="en-us",
    speakers=_SPEAKERS,
    strength=acted_with(1.1),
    channel=Channel(
        sample_rate=48000, band=(40.0, 20000.0), slope=0.2, ripple=1.0, noise=-3.0, snr=45.0,
        reverberation=0.12, reverberant=-22.0, level=-33.0,
    ),
    script=_script,
)  # fmt: skip
