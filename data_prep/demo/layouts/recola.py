"""RECOLA: French, pairs solving a task by video, not acted; arousal and valence rated continuously by six people.

``RECOLA-Audio-recordings/P16.wav`` is a whole recording; ``RECOLA-Audio_timings/P16.csv`` says where its utterances are,
and ``RECOLA-Annotation/emotional_behaviour/{arousal,valence}/P16.csv`` how each rater felt about each frame of 0.04 s. A
rater follows what is said with a delay, a habit of going higher or lower, and an unsteady hand.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

import numpy as np
from scipy.ndimage import uniform_filter1d

from data_prep.demo.channel import Channel
from data_prep.demo.layouts import Layout, Turn, apportion
from data_prep.demo.layouts._selection import acted_with
from data_prep.demo.listeners import AFFECT

_PARTICIPANTS = (16, 17, 19, 21, 23, 25, 26, 28, 30, 34, 37, 39, 41, 42, 43, 45, 46, 48, 56, 58, 62, 64, 65)
_SPEAKERS = {f"P{number}": "female" if order % 5 < 3 else "male" for order, number in enumerate(_PARTICIPANTS)}
_UTTERANCES = {"tiny": (6, 60), "small": (12, 360), "full": (23, 1308)}  # participants, utterances of all
_EMOTIONS = {
    "neutral": 0.24, "calm": 0.1, "bored": 0.08, "sad": 0.06, "interested": 0.18, "happy": 0.16, "surprised": 0.08,
    "frustrated": 0.06, "anxious": 0.04,
}  # fmt: skip
_SENTENCES = (
    "Je mettrais plutôt la lampe en premier.",
    "Oui, on peut faire comme ça.",
    "Et la carte, tu la places où ?",
    "Il reste encore quatre objets.",
    "Je ne sais pas trop.",
    "D'accord, alors en troisième.",
    "La corde est plus utile que le miroir.",
    "Attends, je relis la liste.",
    "On avait dit l'eau d'abord.",
    "Moi, je garderais la couverture.",
    "C'est ce que j'ai écrit aussi.",
    "Il nous faut deux minutes de plus.",
)
_RATERS = ("FM1", "FM2", "FM3", "FF1", "FF2", "FF3")
_FRAME = 0.04  # seconds
_DIMENSIONS = {"arousal": 1, "valence": 0}  # their places in AFFECT


def _script(size: str, rng: np.random.Generator) -> list[Turn]:
    participants, utterances = _UTTERANCES[size]
    turns = []
    for speaker, count in apportion(dict.fromkeys(list(_SPEAKERS)[:participants], 1.0), utterances).items():
        # Everybody is sometimes lively and sometimes not.
        emotions = ["interested", "bored", *rng.choice(list(_EMOTIONS), count - 2, p=list(_EMOTIONS.values()))]
        turns += [
            Turn(
                audio=f"RECOLA-Audio-recordings/{speaker}.wav",
                speaker=speaker,
                text=str(rng.choice(_SENTENCES)),
                emotion=emotion,
                label=None,
            )
            for emotion in rng.permutation(emotions).tolist()
        ]
    return turns


def _label_files(
    turns: Sequence[Turn], times: Sequence[tuple[float, float]], rng: np.random.Generator
) -> dict[str, str]:
    spoken: dict[str, list[tuple[Turn, tuple[float, float]]]] = {}
    for turn, time in zip(turns, times, strict=True):
        spoken.setdefault(PurePosixPath(turn.audio).stem, []).append((turn, time))
    files = {}
    for name, lines in spoken.items():
        timings = "".join(f"{start:.3f};{end:.3f}\n" for _, (start, end) in lines)
        files[f"RECOLA-Audio_timings/{name}.csv"] = f"start;stop\n{timings}"
        for dimension, place in _DIMENSIONS.items():
            file = f"RECOLA-Annotation/emotional_behaviour/{dimension}/{name}.csv"
            files[file] = _ratings(lines, place, rng)
    users = "".join(
        f"{order // 2 + 1};{name.removeprefix('P')};{int(_SPEAKERS[name] == 'male')};{rng.integers(18, 26)}\n"
        for order, name in enumerate(spoken)
    )
    return files | {"RECOLA-Metadata/recola_user_info.csv": f"Group_id;User;Sex;Age\n{users}"}


def _ratings(lines: Sequence[tuple[Turn, tuple[float, float]]], place: int, rng: np.random.Generator) -> str:
    """The six raters' traces of one dimension: a line per frame."""
    frames = int(lines[-1][1][1] / _FRAME) + 1
    felt = np.zeros(frames)
    for turn, (start, _) in lines:
        # What an utterance says holds until the next one begins; from 1 to 5 in AFFECT, from -1 to 1 here.
        felt[int(start / _FRAME) :] = (AFFECT[turn.emotion][place] - 3) / 2 + 0.1 * rng.standard_normal()
    traces = []
    for _ in _RATERS:
        late = np.roll(felt, delay := int(rng.uniform(0.0, 0.4) / _FRAME))
        late[:delay] = 0.0
        unsteady = uniform_filter1d(rng.standard_normal(frames), 25)
        trace = uniform_filter1d(late, 13) * rng.uniform(0.7, 1.2) + 0.05 * rng.standard_normal() + 0.2 * unsteady
        traces.append(np.clip(trace, -1.0, 1.0))
    # As in the real files, all names but the last are followed by a blank.
    rows = [f"time;{' ;'.join(_RATERS)}\n"]
    for number, frame in enumerate(zip(*traces, strict=True)):
        rows.append(f"{number * _FRAME:.2f};{';'.join(f'{value:.4f}' for value in frame)}\n")
    return "".join(rows)


LAYOUT = Layout(
    folder="RECOLA",
    language="fr-ch",
    speakers=_SPEAKERS,
    strength=acted_with(0.8),
    channel=Channel(
        sample_rate=44100, band=(80.0, 15000.0), slope=-0.2, ripple=1.5, noise=-3.0, snr=32.0,
        reverberation=0.3, reverberant=-14.0, level=-29.0,
    ),
    script=_script,
    label_files=_label_files,
    pause=2.5,
)  # fmt: skip
