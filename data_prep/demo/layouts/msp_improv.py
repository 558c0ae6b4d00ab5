"""MSP-IMPROV: English, pairs of actors improvising scenes around twenty sentences, labelled by the crowd.

``session1..6/S01A/{P,R,S,T}/MSP-IMPROV-S01A-F01-P-FM01.wav`` with ``Evalution.txt`` at the root (so spelt in the
release). The folder's letter is the scene's emotion, the label file's is what the raters heard: they often differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

import numpy as np

from data_prep.demo import listeners
from data_prep.demo.channel import Channel
from data_prep.demo.layouts import Layout, Turn, apportion
from data_prep.demo.layouts._english import SHORT, sentence
from data_prep.demo.prosody import Delivery

# addi.txt 4.1.2; the others bring it to the release's 8,438 utterances, how they divide is made up.
_FOUR = {"A": 792, "H": 2644, "S": 885, "N": 3477}
_OTHERS = {"O": 85, "X": 555}
_COUNTS = {"tiny": (60, 6), "small": (360, 24), "full": (7798, 640)}  # four classes, others
_EACH = {"A": 1, "H": 1, "S": 1, "N": 2}  # of each speaker of the tiny corpus

# Busso et al. 2017: target sentences improvised and read, other turns of the scenes, the actors' talk in between.
_CONDITIONS = {"T": 652, "R": 620, "S": 4381, "P": 2785}

_MEANING = {"A": "angry", "H": "happy", "S": "sad", "N": "neutral"}
_LETTER = {emotion: letter for letter, emotion in _MEANING.items()}
_VOTE = {"A": "Angry", "H": "Happy", "S": "Sad", "N": "Neutral", "O": "Other"}
_DOUBT = 0.14
_MISTAKEN_FOR = {
    "neutral": ("happy", "sad", "angry", "frustrated", "bored"),
    "angry": ("frustrated", "neutral", "disgusted"),
    "happy": ("excited", "neutral", "surprised"),
    "sad": ("neutral", "frustrated", "bored"),
}
_SPEAKERS = [f"{gender}{number:02d}" for number in range(1, 7) for gender in "FM"]
_RATERS = 5


def _script(size: str, rng: np.random.Generator) -> list[Turn]:
    turns: list[Turn] = []
    said: dict[str, int] = {}
    conditions = [str(rng.choice(list(_CONDITIONS), p=_share(_CONDITIONS))) for _ in range(sum(_COUNTS[size]))]
    for (speaker, label), condition in zip(_heard(size, rng), conditions, strict=True):
        emotion = _acted(label, rng)
        scene, letter = int(rng.integers(1, 21)), _scene_letter(emotion, condition, rng)
        folder = f"session{int(speaker[1:])}/S{scene:02d}{letter}/{condition}"
        order = "FM" if speaker[0] == "F" else "MF"
        name = f"MSP-IMPROV-S{scene:02d}{letter}-{speaker}-{condition}-{order}"
        said[name] = said.get(name, 0) + 1
        turns.append(
            Turn(
                audio=f"{folder}/{name}{said[name]:02d}.wav",
                speaker=speaker,
                text=SHORT[scene - 1] if condition in "TR" else sentence(size, rng),
                emotion=emotion,
                label=label,
            )
        )
    return turns


def _share(counts: dict[str, int]) -> list[float]:
    return [count / sum(counts.values()) for count in counts.values()]


def _heard(size: str, rng: np.random.Generator) -> list[tuple[str, str]]:
    """Each utterance's speaker and label; the speakers share a label evenly."""
    four, others = _COUNTS[size]
    counts = {label: 12 * count for label, count in _EACH.items()} if size == "tiny" else apportion(_FOUR, four)
    labels = [label for label, count in (counts | apportion(_OTHERS, others)).items() for _ in range(count)]
    lines = [(_SPEAKERS[number % len(_SPEAKERS)], label) for number, label in enumerate(labels)]
    return [lines[number] for number in rng.permutation(len(lines)).tolist()]


def _acted(label: str, rng: np.random.Generator) -> str:
    if label not in _MEANING:
        return str(rng.choice(sorted(set(sum(_MISTAKEN_FOR.values(), ())))))
    return listeners.acted(_MEANING[label], _DOUBT, _MISTAKEN_FOR, rng)


def _scene_letter(emotion: str, condition: str, rng: np.random.Generator) -> str:
    """The emotion of the scene, which binds its target sentences, its other turns less, and the talk in between not."""
    bound = rng.random() < {"T": 1.0, "R": 1.0, "S": 0.6, "P": 0.0}[condition]
    return _LETTER[emotion] if bound and emotion in _LETTER else str(rng.choice(sorted(_MEANING)))


def _label_files(
    turns: Sequence[Turn], times: Sequence[tuple[float, float]], rng: np.random.Generator
) -> dict[str, str]:
    """``Evalution.txt``: for each utterance the consensus, then a line for each rater."""
    order = sorted(range(len(turns)), key=lambda number: turns[number].audio.rpartition("/")[2])
    return {"Evalution.txt": "".join(_evaluation(turns[number], rng) for number in order)}


def _evaluation(turn: Turn, rng: np.random.Generator) -> str:
    video = PurePosixPath(turn.audio).stem.replace("MSP-IMPROV", "UTD-IMPROV") + ".avi"
    heard = listeners.votes(_VOTE.get(turn.label or ""), _RATERS, sorted(_VOTE.values()), rng)
    ticked = listeners.ratings(turn.emotion, _RATERS, rng)
    naturalness = np.clip(np.round(3.6 + 0.8 * rng.standard_normal(_RATERS)), 1, 5).astype(int)
    valence, activation, dominance = ticked.mean(axis=0)
    lines = [
        f"{video}; {turn.label}; A:{activation:.6f}; V:{valence:.6f}; D:{dominance:.6f} ; N:{naturalness.mean():.6f};"
    ]
    workers = rng.integers(1, 500, _RATERS)
    for worker, vote, (v, a, d), n in zip(workers, heard, ticked, naturalness, strict=True):
        lines.append(f"WORKER{worker:08d}; {vote}; {vote}; A:{a:.6f}; V:{v:.6f}; D:{d:.6f} ; N:{n:.6f};")
    return "\n".join(lines) + "\n\n"


LAYOUT = Layout(
    folder="MSP-IMPROV",
    language="en-us",
    speakers={speaker: "female" if speaker[0] == "F" else "male" for speaker in _SPEAKERS},
    strength=Delivery(1.3, 1.4, 1.4, 0.5, 0.55, 0.6, 0.6, 1.3),
    channel=Channel(
        band=(70.0, 7600.0), slope=0.6, ripple=2.0, noise=-1.0, hum=60.0, snr=19.0,
        reverberation=0.25, reverberant=-10.0, level=-28.0,
    ),
    script=_script,
    label_files=_label_files,
)  # fmt: skip
