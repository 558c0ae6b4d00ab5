"""TESS: Canadian English, an older and a younger woman, words in one carrier phrase, in a sound booth.

``OAF_angry/OAF_back_angry.wav``: speaker, word, emotion (ps is pleasant surprise). The folders' names are spelt in
several ways, as in the real copy. The words are not the real corpus's, nor is the phrase.
"""

from __future__ import annotations

import numpy as np

from data_prep.demo.channel import Channel
from data_prep.demo.layouts import Layout, Turn
from data_prep.demo.layouts._selection import acted_with, chosen

# Emotions with the names of their folders, the older woman's and the younger one's.
_EMOTIONS = {
    "angry": ("angry", "OAF_angry", "YAF_angry"),
    "disgust": ("disgusted", "OAF_disgust", "YAF_disgust"),
    "fear": ("fear", "OAF_Fear", "YAF_fear"),
    "happy": ("happy", "OAF_happy", "YAF_happy"),
    "neutral": ("neutral", "OAF_neutral", "YAF_neutral"),
    "ps": ("surprised", "OAF_Pleasant_surprise", "YAF_pleasant_surprised"),
    "sad": ("sad", "OAF_Sad", "YAF_sad"),
}
_SPEAKERS = {"OAF": "female", "YAF": "female"}
_WORDS = """
    apple arm bag ball bank barn basket beach bed bell bench bird blanket boat book bottle bowl box branch bread
    brick bridge broom brush bucket bus butter button cake candle cap card carpet cart castle cat chain chair chalk cheese
    cherry clock cloud coat coffee coin corner cotton cow cup curtain desk dish dog door drawer dress drum duck ear
    earth egg elbow engine face farm feather fence field finger fish flag floor flower foot forest fork fox frame frog
    fruit garden gate glass glove goat grain grass hair hammer hand hat hedge hill honey horse house ice iron island
    jacket jar jug kettle key kitchen kite knee knife ladder lake lamp leaf leg lemon letter lid lip map market
    meadow milk mirror moon mountain mouse nail needle nest net nose nut oven owl page paint paper path pear pen
    pepper picture pillow pin pipe plate pocket pond potato rabbit rail ribbon rice ring river road roof root rope salt
    sand school scissors seed sheep shelf ship shirt shoe shop shoulder silver sky sleeve snow soap sock spoon square
    stairs star station stone store street string sugar sun table tea thread ticket tooth towel tower train tree
    village window wood
""".split()


def _script(size: str, rng: np.random.Generator) -> list[Turn]:
    turns = [
        Turn(
            audio=f"{folder}/{speaker}_{word}_{code}.wav",
            speaker=speaker,
            text=f"Now it says {word}.",
            emotion=emotion,
            label=code,
        )
        for code, (emotion, *folders) in _EMOTIONS.items()
        for speaker, folder in zip(_SPEAKERS, folders, strict=True)
        for word in _WORDS
    ]
    return chosen(turns, _SPEAKERS, size, rng)


LAYOUT = Layout(
    folder="TESS",
    language="en-us",
    speakers=_SPEAKERS,
    strength=acted_with(1.3),
    channel=Channel(
        sample_rate=24414, band=(60.0, 11500.0), slope=0.3, ripple=1.0, noise=-3.0, snr=44.0,
        reverberation=0.06, reverberant=-26.0, level=-24.0,
    ),
    script=_script,
)  # fmt: skip
