"""CaFE: Canadian French, acted mildly and strongly, in a sound booth.

``Colère/Faible/01-C-1-1.wav``: actor (odd male, even female), emotion, intensity, sentence; neutral has no folder of an
intensity and is always 1. The sentences are not the real corpus's. espeak-ng speaks them as in France.
"""

from __future__ import annotations

import numpy as np

from data_prep.demo.channel import Channel
from data_prep.demo.layouts import Layout, Turn
from data_prep.demo.layouts._selection import acted_with, chosen

_EMOTIONS = {
    "C": ("Colère", "angry"), "D": ("Dégoût", "disgusted"), "J": ("Joie", "happy"), "N": ("Neutre", "neutral"),
    "P": ("Peur", "fear"), "S": ("Surprise", "surprised"), "T": ("Tristesse", "sad"),
}  # fmt: skip
_SPEAKERS = {f"{actor:02d}": "male" if actor % 2 else "female" for actor in range(1, 13)}
_INTENSITIES = {"1": ("Faible", 0.8), "2": ("Fort", 1.5)}
_SENTENCES = {
    "1": "Le train part à six heures.",
    "2": "Elle range les verres dans l'armoire.",
    "3": "Nous passons par le pont ce soir.",
    "4": "Mon voisin repeint sa porte.",
    "5": "Le courrier est sur la chaise.",
    "6": "Ils reviennent du marché à pied.",
}


def _script(size: str, rng: np.random.Generator) -> list[Turn]:
    turns = [
        Turn(
            audio=f"{folder}/{'' if code == 'N' else f'{degree}/'}{speaker}-{code}-{level}-{sentence}.wav",
            speaker=speaker,
            text=text,
            emotion=emotion,
            label=code,
            intensity=intensity,
        )
        for speaker in _SPEAKERS
        for code, (folder, emotion) in _EMOTIONS.items()
        for level, (degree, intensity) in _INTENSITIES.items()
        if code != "N" or level == "1"
        for sentence, text in _SENTENCES.items()
    ]
    return chosen(turns, _SPEAKERS, size, rng)


LAYOUT = Layout(
    folder="CaFE_48k",
    language="fr",
    speakers=_SPEAKERS,
    strength=acted_with(1.0),
    channel=Channel(
        sample_rate=48000, band=(40.0, 20000.0), slope=-0.2, ripple=1.0, noise=-3.0, snr=50.0,
        reverberation=0.08, reverberant=-25.0, level=-27.0,
    ),
    script=_script,
)  # fmt: skip
