"""EMOVO: Italian, acted, in a laboratory, with two microphones.

``f1/gio-f1-b1.wav``: emotion, speaker, sentence. The sentences are not the real corpus's: their codes are.
"""

from __future__ import annotations

import numpy as np

from data_prep.demo.channel import Channel
from data_prep.demo.layouts import Layout, Turn
from data_prep.demo.layouts._selection import acted_with, chosen

_EMOTIONS = {
    "dis": "disgusted", "gio": "happy", "neu": "neutral", "pau": "fear", "rab": "angry", "sor": "surprised",
    "tri": "sad",
}  # fmt: skip
_SPEAKERS = {"f1": "female", "f2": "female", "f3": "female", "m1": "male", "m2": "male", "m3": "male"}
_SENTENCES = {
    "b1": "Il treno parte alle sei.",
    "b2": "Ho messo il pane sul tavolo.",
    "b3": "La finestra è ancora aperta.",
    "l1": "Domani torniamo dal mercato con due borse di frutta.",
    "l2": "Mio fratello lavora in una scuola vicino al fiume.",
    "l3": "Il libro che mi hai dato è nella stanza di sopra.",
    "l4": "Prima di cena passiamo a prendere le chiavi.",
    "n1": "La sedia beve una strada di carta.",
    "n2": "Il muro dorme sotto il cappello.",
    "n3": "Sette scarpe cantano in giardino.",
    "n4": "Il latte scrive una montagna rotonda.",
    "n5": "Una porta corre dentro il bicchiere.",
    "d1": "Dove hai lasciato la macchina?",
    "d2": "A che ora arriva tua sorella?",
}


def _script(size: str, rng: np.random.Generator) -> list[Turn]:
    turns = [
        Turn(
            audio=f"{speaker}/{code}-{speaker}-{sentence}.wav",
            speaker=speaker,
            text=text,
            emotion=emotion,
            label=code,
        )
        for speaker in _SPEAKERS
        for code, emotion in _EMOTIONS.items()
        for sentence, text in _SENTENCES.items()
    ]
    return chosen(turns, _SPEAKERS, size, rng)


LAYOUT = Layout(
    folder="EMOVO",
    language="it",
    speakers=_SPEAKERS,
    strength=acted_with(1.3),
    channel=Channel(
        sample_rate=48000, microphones=2, band=(50.0, 20000.0), slope=0.4, ripple=1.5, noise=-2.0, snr=40.0,
        reverberation=0.15, reverberant=-18.0, level=-25.0,
    ),
    script=_script,
)  # fmt: skip
