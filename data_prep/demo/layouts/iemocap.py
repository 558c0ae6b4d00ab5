"""IEMOCAP: English, two actors at a time in a studio, improvised and scripted dialogues, labelled by listeners.

``Session1..5/sentences/wav/<dialogue>/<turn>.wav`` with ``dialog/EmoEvaluation/<dialogue>.txt`` and
``dialog/transcriptions/<dialogue>.txt``. The classes are spread over the sessions as in the real corpus.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

import numpy as np

from data_prep.demo import listeners
from data_prep.demo.channel import Channel
from data_prep.demo.layouts import Layout, Turn, apportion
from data_prep.demo.layouts._english import sentence
from data_prep.demo.prosody import Delivery

# How many utterances of each session the real corpus's listeners agreed on: 5,531 in all, addi.txt 4.1.1.
_FOUR = {
    "ang": (229, 137, 240, 327, 170),
    "hap": (135, 117, 135, 65, 143),
    "exc": (143, 210, 151, 238, 299),
    "neu": (384, 362, 320, 258, 384),
    "sad": (194, 197, 305, 143, 245),
}
_OTHERS = {"fru": 1849, "sur": 107, "fea": 40, "dis": 2, "oth": 3, "xxx": 2507}
_COUNTS = {
    "tiny": (60, 10),
    "small": (400, 40),
    "full": (5531, sum(_OTHERS.values())),
}  # four classes, others; and fear
_EACH = {"ang": 1, "hap": 1, "exc": 1, "neu": 2, "sad": 1}  # of each speaker of the tiny corpus

_MEANING = {
    "ang": "angry", "hap": "happy", "exc": "excited", "neu": "neutral", "sad": "sad", "fru": "frustrated",
    "sur": "surprised", "fea": "fear", "dis": "disgusted",
}  # fmt: skip
_VOTE = {
    "ang": "Anger", "hap": "Happiness", "exc": "Excited", "neu": "Neutral", "sad": "Sadness", "fru": "Frustration",
    "sur": "Surprise", "fea": "Fear", "dis": "Disgust", "oth": "Other",
}  # fmt: skip
_OWN_WORD = {emotion: _VOTE[label] for label, emotion in _MEANING.items()} | {"bored": "Other"}
_DOUBT = 0.12
_MISTAKEN_FOR = {
    "neutral": ("frustrated", "sad", "happy", "bored"),
    "angry": ("frustrated", "frustrated", "neutral"),
    "happy": ("excited", "neutral"),
    "excited": ("happy", "surprised"),
    "sad": ("neutral", "frustrated", "bored"),
    "frustrated": ("angry", "neutral", "sad"),
    "surprised": ("excited", "neutral"),
    "fear": ("sad", "surprised"),
    "disgusted": ("frustrated", "angry"),
}
_PARTS = [f"impro{number:02d}" for number in range(1, 9)] + [
    f"script{part}" for part in ("01_1", "01_2", "01_3", "02_1", "02_2", "03_1", "03_2")
]
_DIALOGUES = {"tiny": 2, "small": 6, "full": 28}  # of each session, of the 30 that there could be


def _script(size: str, rng: np.random.Generator) -> list[Turn]:
    turns: list[Turn] = []
    for session, lines in _heard(size, rng).items():
        possible = sorted(f"Ses{session:02d}{wearer}_{part}" for wearer in "FM" for part in _PARTS)
        dialogues = sorted(rng.choice(possible, _DIALOGUES[size], replace=False).tolist())
        said: dict[tuple[str, str], int] = {}
        for number, line in enumerate(rng.permutation(len(lines)).tolist()):
            gender, label = lines[line]
            dialogue = dialogues[number * len(dialogues) // len(lines)]
            said[dialogue, gender] = said.get((dialogue, gender), -1) + 1
            name = f"{dialogue}_{gender}{said[dialogue, gender]:03d}"
            turns.append(
                Turn(
                    audio=f"Session{session}/sentences/wav/{dialogue}/{name}.wav",
                    speaker=f"Ses{session:02d}{gender}",
                    text=sentence(size, rng),
                    emotion=_acted(label, rng),
                    label=label,
                )
            )
    return turns


def _heard(size: str, rng: np.random.Generator) -> dict[int, list[tuple[str, str]]]:
    """By session, each utterance's speaker (``F`` or ``M``) and label; the two speakers share a label evenly."""
    four, others = _COUNTS[size]
    if size == "tiny":
        cells = {(label, session): 2 * count for label, count in _EACH.items() for session in range(1, 6)}
    else:
        shares = {(label, session): n for label, row in _FOUR.items() for session, n in enumerate(row, 1)}
        cells = apportion(shares, four)
    heard: dict[int, list[tuple[str, str]]] = {session: [] for session in range(1, 6)}
    for (label, session), count in cells.items():
        heard[session] += [("FM"[(number + session) % 2], label) for number in range(count)]
    rest = [label for label, count in apportion(_OTHERS, others).items() for _ in range(count)]
    for number, label in enumerate(rng.permutation(rest).tolist()):
        heard[number % 5 + 1].append(("FM"[number // 5 % 2], label))
    if size != "full":  # in proportion nobody would be afraid, and a task of five emotions could not be tried
        for session in heard:
            heard[session] += [(gender, "fea") for gender in "FM"]
    return heard


def _acted(label: str, rng: np.random.Generator) -> str:
    if label not in _MEANING:  # "xxx" and "oth": nobody could tell
        return str(rng.choice(sorted(set(_MEANING.values()))))
    return listeners.acted(_MEANING[label], _DOUBT, _MISTAKEN_FOR, rng)


def _label_files(
    turns: Sequence[Turn], times: Sequence[tuple[float, float]], rng: np.random.Generator
) -> dict[str, str]:
    """``EmoEvaluation`` and ``transcriptions`` of each dialogue: one clock per dialogue, a breath between two turns."""
    files: dict[str, str] = {}
    clock: dict[str, float] = {}
    for turn, (begin, stop) in zip(turns, times, strict=True):
        path = PurePosixPath(turn.audio)
        folder, dialogue = f"{path.parts[0]}/dialog", path.parent.name
        start = clock.get(dialogue, 5.0) + rng.uniform(0.2, 1.5)
        clock[dialogue] = end = start + (stop - begin)
        evaluation, transcription = (f"{folder}/{kind}/{dialogue}.txt" for kind in ("EmoEvaluation", "transcriptions"))
        files.setdefault(evaluation, "% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]\n\n")
        files[evaluation] += _evaluation(turn, path.stem, start, end, rng)
        files.setdefault(transcription, "")
        files[transcription] += f"{path.stem} [{start:08.4f}-{end:08.4f}]: {turn.text}\n"
    return files


def _evaluation(turn: Turn, name: str, start: float, end: float, rng: np.random.Generator) -> str:
    """One block: the summary; labels by three listeners and the speaker; ratings by two of them and the speaker."""
    heard = listeners.votes(_VOTE.get(turn.label or ""), 3, sorted(_VOTE.values()), rng)
    ticked = listeners.ratings(turn.emotion, 3, rng)
    valence, activation, dominance = ticked[:2].mean(axis=0)
    own = f"{turn.speaker[-1]}{turn.audio[len('Session')]}"
    lines = [
        f"[{start:.4f} - {end:.4f}]\t{name}\t{turn.label}\t[{valence:.4f}, {activation:.4f}, {dominance:.4f}]",
        *(f"C-{rater}:\t{vote};\t()" for rater, vote in zip(("E2", "E3", "E4"), heard, strict=True)),
        f"C-{own}:\t{_OWN_WORD[turn.emotion]};\t()",
    ]
    for rater, (v, a, d) in zip(("E3", "E4", own), ticked, strict=True):
        lines.append(f"A-{rater}:\tval {v}; act {a}; dom  {d};\t()")
    return "\n".join(lines) + "\n\n"


LAYOUT = Layout(
    folder="IEMOCAP_full_release",
    language="en-us",
    speakers={f"Ses{n:02d}{g}": name for n in range(1, 6) for g, name in (("F", "female"), ("M", "male"))},
    strength=Delivery(0.8, 0.8, 0.8, 1.0, 1.0, 0.8, 0.8, 0.8),
    channel=Channel(
        band=(100.0, 7000.0), slope=-0.5, ripple=1.5, noise=-3.0, snr=30.0,
        reverberation=0.35, reverberant=-12.0, level=-29.0,
    ),
    script=_script,
    label_files=_label_files,
)  # fmt: skip
