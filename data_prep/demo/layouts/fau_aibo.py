"""FAU Aibo: German, children with a robot dog in two schools, not acted; labelled in five classes and in two.

``wav/Ohm_01_000_00.wav``: school, child, turn, chunk; ``chunk_labels_5cl_corpus.txt`` and ``chunk_labels_2cl_corpus.txt``
below ``labels/``. How many chunks there are of each school and class is as in the real corpus, and about half of the
rest (R) is negative, as there; which child says what is made up.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

import numpy as np

from data_prep.demo.channel import Channel
from data_prep.demo.layouts import Layout, Turn, apportion
from data_prep.demo.layouts._selection import acted_with, chosen, dealt

# Schuller et al. 2009, table 3.
_CHUNKS = {
    "Ohm": {"A": 881, "E": 2093, "N": 5590, "P": 674, "R": 721},
    "Mont": {"A": 611, "E": 1508, "N": 5377, "P": 215, "R": 546},
}
_CHILDREN = {"Ohm": 26, "Mont": 25}
_ACTED = {
    "A": ("angry",), "E": ("emphatic",), "N": ("neutral",), "P": ("happy", "calm"),
    "R": ("bored", "surprised", "anxious", "neutral"),
}  # fmt: skip
_SPEAKERS = {
    f"{school}_{child:02d}": "female" if child % 5 < 3 else "male"
    for school, children in _CHILDREN.items()
    for child in range(1, children + 1)
}
_GROUPS = {speaker: f"{speaker.partition('_')[0]}, {gender}" for speaker, gender in _SPEAKERS.items()}
_SENTENCES = (
    "geh nach links",
    "jetzt geradeaus",
    "bleib bitte stehen",
    "nein, nicht dahin",
    "dreh dich um",
    "komm hierher",
    "noch ein Stück weiter",
    "zu dem blauen Becher",
    "lauf los",
    "und wieder zurück",
    "hörst du mich",
    "setz dich hin",
    "da vorne rechts",
    "so ist es gut",
)


def _script(size: str, rng: np.random.Generator) -> list[Turn]:
    turns = []
    for school, classes in _CHUNKS.items():
        children = dict.fromkeys((speaker for speaker in _SPEAKERS if speaker.startswith(school)), 1.0)
        said: dict[str, int] = {}
        for child, label, _ in dealt(classes, apportion(children, sum(classes.values())), rng):
            number = said[child] = said.get(child, -1) + 1
            turns.append(
                Turn(
                    audio=f"wav/{child}_{number // 3:03d}_{number % 3:02d}.wav",
                    speaker=child,
                    text=str(rng.choice(_SENTENCES)),
                    emotion=str(rng.choice(_ACTED[label])),
                    label=label,
                )
            )
    return chosen(turns, _GROUPS, size, rng)


def _label_files(
    turns: Sequence[Turn], times: Sequence[tuple[float, float]], rng: np.random.Generator
) -> dict[str, str]:
    five, two = [], []
    for turn in turns:
        chunk = PurePosixPath(turn.audio).stem
        negative = turn.label in ("A", "E") or (turn.label == "R" and rng.random() < 0.58)
        five.append(f"{chunk} {turn.label} {rng.uniform(0.4, 1.0):.2f}\n")
        two.append(f"{chunk} {'NEG' if negative else 'IDL'} {rng.uniform(0.5, 1.0):.2f}\n")
    folder = "labels/IS2009EmotionChallenge"
    return {
        f"{folder}/chunk_labels_5cl_corpus.txt": "".join(five),
        f"{folder}/chunk_labels_2cl_corpus.txt": "".join(two),
    }


LAYOUT = Layout(
    folder="FAU_AIBO",
    language="de",
    speakers=_SPEAKERS,
    strength=acted_with(0.7),
    channel=Channel(
        band=(80.0, 7500.0), slope=0.3, ripple=1.5, noise=-3.0, snr=24.0,
        reverberation=0.5, reverberant=-10.0, level=-30.0,
    ),
    script=_script,
    label_files=_label_files,
    vocal_tract=1.2,
)  # fmt: skip
