"""SAVEE: British English, four men, acted, in a laboratory.

``AudioData/DC/a01.wav``: the speaker is in the folder alone; the letters are the emotion. There are 15 sentences of each
emotion and 30 neutral ones, here of the English demo corpora's own.
"""

from __future__ import annotations

import numpy as np

from data_prep.demo.channel import Channel
from data_prep.demo.layouts import Layout, Turn
from data_prep.demo.layouts._english import SHORT
from data_prep.demo.layouts._selection import acted_with, chosen

_EMOTIONS = {
    "a": "angry", "d": "disgusted", "f": "fear", "h": "happy", "n": "neutral", "sa": "sad", "su": "surprised",
}  # fmt: skip
_SPEAKERS = dict.fromkeys(("DC", "JE", "JK", "KL"), "male")


def _script(size: str, rng: np.random.Generator) -> list[Turn]:
    turns = [
        Turn(
            audio=f"AudioData/{speaker}/{code}{sentence:02d}.wav",
            speaker=speaker,
            text=SHORT[sentence - 1],
            emotion=emotion,
            label=code,
        )
        for speaker in _SPEAKERS
        for code, emotion in _EMOTIONS.items()
        for sentence in range(1, 31 if code == "n" else 16)
    ]
    return chosen(turns, _SPEAKERS, size, rng)


LAYOUT = Layout(
    folder="SAVEE",
    language="en",
    speakers=_SPEAKERS,
    strength=acted_with(1.0),
    channel=Channel(
        sample_rate=44100, band=(60.0, 18000.0), slope=-0.3, ripple=2.0, noise=-4.0, hum=50.0, snr=32.0,
        reverberation=0.25, reverberant=-14.0, level=-27.0,
    ),
    script=_script,
)  # fmt: skip
