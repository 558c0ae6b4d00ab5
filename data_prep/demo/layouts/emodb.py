"""EMO-DB, the Berlin database of emotional speech: German, acted strongly, in an anechoic chamber.

``wav/03a01Fa.wav``: speaker, sentence, emotion, version. The speakers and the number of recordings of each in each
emotion are the real corpus's (small: all of the four classes of ``emotion4``, some of the others). The sentences are
not: their codes are.
"""

from __future__ import annotations

import numpy as np

from data_prep.demo.channel import Channel
from data_prep.demo.layouts import Layout, Turn
from data_prep.demo.prosody import Delivery

_EMOTIONS = {
    "W": "angry", "L": "bored", "E": "disgusted", "A": "fear", "F": "happy", "T": "sad", "N": "neutral",
}  # fmt: skip
_FOUR = "WFTN"

# The real corpus's recordings of each speaker, in the order W L E A F T N.
_RECORDINGS = {
    "03": (14, 5, 1, 4, 7, 7, 11),
    "08": (12, 10, 0, 6, 11, 9, 10),
    "09": (13, 4, 8, 1, 4, 4, 9),
    "10": (10, 8, 1, 8, 4, 3, 4),
    "11": (11, 8, 2, 10, 8, 7, 9),
    "12": (12, 5, 2, 6, 2, 4, 4),
    "13": (12, 10, 8, 7, 10, 5, 9),
    "14": (16, 8, 8, 12, 8, 10, 7),
    "15": (13, 9, 5, 8, 6, 4, 11),
    "16": (14, 14, 11, 7, 11, 9, 5),
}
_MALE = {"03", "10", "11", "12", "15"}

# By code: the sentence of the small corpus, and what the full one adds to it.
_SENTENCES = {
    "a01": ("Das Buch liegt auf dem Tisch.", "Niemand hat es seit gestern Abend angefasst."),
    "a02": ("Sie gibt ihm den Brief heute.", "Er wartet schon seit einer Woche darauf."),
    "a04": ("Um acht kommt der Bus.", "Wir sollten also bald losgehen."),
    "a05": ("Er trägt den Korb nach Hause.", "Darin sind Brot und Äpfel für alle."),
    "a07": ("In einer Stunde ist es hell.", "Dann sehen wir den Weg besser."),
    "b01": ("Was machen die Schuhe im Flur?", "Gestern standen sie noch im Schrank."),
    "b02": ("Am Samstag fahren wir zum See.", "Die Kinder kommen auch mit."),
    "b03": ("Ich rufe nur schnell an.", "Danach komme ich wieder zu euch."),
    "b09": ("Die Nachbarn waschen ihr Auto.", "Das tun sie jeden Sonntag."),
    "b10": ("Er stellt es wieder ins Regal.", "Dort hat es immer gestanden."),
}


def _script(size: str, rng: np.random.Generator) -> list[Turn]:
    turns = []
    for speaker, recordings in _RECORDINGS.items():
        for letter, count in zip(_EMOTIONS, recordings, strict=True):
            codes = rng.permutation(sorted(_SENTENCES)).tolist()
            for number in range(_kept(letter, count, size)):
                code, version = codes[number % len(codes)], "abcdef"[number // len(codes)]
                short, more = _SENTENCES[code]
                turns.append(
                    Turn(
                        audio=f"wav/{speaker}{code}{letter}{version}.wav",
                        speaker=speaker,
                        text=f"{short} {more}" if size == "full" else short,
                        emotion=_EMOTIONS[letter],
                        label=letter,
                    )
                )
    return turns


def _kept(letter: str, count: int, size: str) -> int:
    """How many of a speaker's ``count`` recordings in an emotion a demo corpus of this size has."""
    if size == "tiny":
        return {"W": 2, "F": 1, "T": 1, "N": 2, "A": 1}.get(letter, 0)
    if size == "full" or letter in _FOUR:
        return count
    return max(count // 6, 1) if letter == "A" else count // 6  # everybody is afraid at least once, for emotion5


LAYOUT = Layout(
    folder="EMO-DB",
    language="de",
    speakers={speaker: "male" if speaker in _MALE else "female" for speaker in _RECORDINGS},
    strength=Delivery(1.6, 1.6, 1.6, 1.2, 1.6, 1.6, 1.6, 1.6),
    channel=Channel(
        band=(50.0, 7800.0), slope=1.0, ripple=1.5, noise=0.0, snr=48.0,
        reverberation=0.08, reverberant=-25.0, level=-28.0,
    ),
    script=_script,
)  # fmt: skip
