"""Speakers and emotions as prosody: how fast, high, lively, loud and with what voice something is said.

An emotion is a mean in the space of deliveries; a speaker is a habit in the same space and a way of overdoing or
underdoing each of its directions; an utterance is drawn around both. The distributions overlap, as people's do.
The directions are those on which the literature agrees (Juslin & Laukka 2003): anger is fast, loud and bright,
happiness fast, high and lively, sadness slow, low, flat, soft and dull, fear fast, high and tremulous.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np


class Delivery(NamedTuple):
    """How something is said, relative to the voice's own way."""

    rate: float  # natural logarithm of the ratio of speeds
    pitch: float  # semitones
    liveliness: float  # natural logarithm of the ratio of pitch ranges
    loudness: float  # dB
    brightness: float  # spectral slope, dB per octave
    breath: float  # breath noise, dB
    roughness: float  # depth of the amplitude's roughness
    tremor: float  # depth of the voice's tremor, semitones


# What people mean by an emotion's name, not what any one corpus holds: a layout says how strongly it is acted.
EMOTIONS: Mapping[str, Delivery] = {
    "neutral": Delivery(0.00, 0.0, 0.0, 0.0, 0.0, 0.0, 0.00, 0.00),
    "angry": Delivery(0.10, 1.5, 0.2, 7.5, 2.5, -3.0, 0.25, 0.00),
    "happy": Delivery(0.08, 4.0, 0.7, 3.0, 0.6, 1.0, -0.05, 0.10),
    "sad": Delivery(-0.22, -1.0, -0.6, -5.0, -2.0, 5.0, 0.00, 0.10),
    "excited": Delivery(0.16, 4.5, 0.7, 4.5, 1.0, 0.5, 0.00, 0.10),
    "frustrated": Delivery(0.02, 1.0, 0.2, 3.0, 1.0, -1.0, 0.10, 0.00),
    "fear": Delivery(0.16, 4.5, -0.1, -0.5, 0.2, 3.0, 0.00, 0.35),
    "bored": Delivery(-0.20, -2.0, -0.7, -3.0, -1.0, 2.0, 0.00, 0.00),
    "disgusted": Delivery(-0.14, -0.5, 0.2, 1.0, 0.4, 1.0, 0.25, 0.00),
    "surprised": Delivery(0.02, 4.5, 0.9, 3.0, 0.6, 2.0, 0.00, 0.00),
    "calm": Delivery(-0.10, -1.0, -0.3, -2.5, -1.0, 1.0, 0.00, 0.00),
    "anxious": Delivery(0.10, 2.0, -0.2, -1.5, -0.2, 2.5, 0.00, 0.25),
    "panic": Delivery(0.28, 7.0, 0.2, 7.0, 1.8, 2.0, 0.15, 0.40),
    "despair": Delivery(-0.05, 3.0, 0.3, 2.0, 0.0, 4.0, 0.05, 0.30),
    "shame": Delivery(-0.12, -0.5, -0.5, -6.0, -1.6, 4.0, 0.00, 0.10),
    "contempt": Delivery(-0.08, -1.5, 0.1, 0.5, 0.5, -1.0, 0.10, 0.00),
    "emphatic": Delivery(-0.10, 1.0, 0.4, 4.5, 1.2, -1.5, 0.05, 0.00),
    "elated": Delivery(0.18, 6.0, 0.8, 6.0, 1.6, -0.5, 0.05, 0.10),
    "interested": Delivery(0.06, 2.0, 0.5, 1.0, 0.3, 0.0, 0.00, 0.00),
    "pride": Delivery(-0.02, 1.0, 0.3, 2.5, 0.7, -1.0, 0.00, 0.00),
}

# Standard deviations: of an utterance around its emotion and speaker, and of the speakers' habits around their voices.
WITHIN = Delivery(0.09, 1.3, 0.25, 2.2, 0.8, 2.0, 0.05, 0.06)
HABIT = Delivery(0.06, 0.8, 0.15, 1.2, 0.5, 1.5, 0.03, 0.03)

VARIANTS: Mapping[str, tuple[str, ...]] = {
    "female": ("f1", "f2", "f3", "f4", "f5", "Andrea", "anika", "steph", "linda", "grandma"),
    "male": ("m1", "m2", "m3", "m4", "m6", "m7", "m8", "Diogo", "Henrique", "antonio"),
}


@dataclass(frozen=True)
class Speaker:
    """A voice and its owner's habits.

    Attributes:
        name: the corpus's own name of the speaker.
        variant: espeak-ng voice variant, of the speaker's gender.
        size: the vocal tract's size as a factor on all frequencies.
        habit: what is the speaker's own in every utterance.
        style: how much of each direction of an emotion the speaker shows, around 1.
    """

    name: str
    variant: str
    size: float
    habit: Delivery
    style: Delivery


def cast(genders: Mapping[str, str], rng: np.random.Generator) -> dict[str, Speaker]:
    """A voice for each name, different ones as far as there are enough variants of its gender.

    Args:
        genders: ``female`` or ``male`` for each speaker's name.
        rng: where the voices and habits are drawn from.
    """
    order = {gender: rng.permutation(variants).tolist() for gender, variants in VARIANTS.items()}
    speakers = {}
    for name, gender in genders.items():
        order[gender].append(variant := order[gender].pop(0))
        speakers[name] = Speaker(
            name=name,
            variant=variant,
            size=float(np.exp(0.03 * rng.standard_normal())),
            habit=Delivery(*(np.array(HABIT) * rng.standard_normal(len(HABIT))).tolist()),
            style=Delivery(*np.exp(0.25 * rng.standard_normal(len(HABIT))).tolist()),
        )
    return speakers


def deliver(emotion: str, speaker: Speaker, strength: Delivery, rng: np.random.Generator) -> Delivery:
    """Draws how ``speaker`` says something with ``emotion``, each direction of it acted with its own ``strength``."""
    means = np.array(EMOTIONS[emotion]) * np.array(speaker.style) * np.array(strength)
    drawn = np.array(speaker.habit) + means + np.array(WITHIN) * rng.standard_normal(len(WITHIN))
    return Delivery(*drawn.tolist())
