"""CREMA-D: US English, 91 actors, acted, in an office.

``AudioWAV/1001_DFA_ANG_XX.wav``: actor, sentence, emotion, level. One sentence is acted in three levels (neutral in
none). ``VideoDemographics.csv`` says who is female, ``processedResults/summaryTable.csv`` what listeners heard by voice,
by face and by both: often something else, sometimes two emotions alike. Twenty recordings lack, as in the real corpus.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

import numpy as np

from data_prep.demo.channel import Channel
from data_prep.demo.layouts import Layout, Turn
from data_prep.demo.layouts._selection import acted_with, chosen

_EMOTIONS = {"ANG": "angry", "DIS": "disgusted", "FEA": "fear", "HAP": "happy", "NEU": "neutral", "SAD": "sad"}
_FEMALE = frozenset(
    """
    1002 1003 1004 1006 1007 1008 1009 1010 1012 1013 1018 1020 1021 1024 1025 1028 1029 1030 1037 1043 1046 1047 1049
    1052 1053 1054 1055 1056 1058 1060 1061 1063 1072 1073 1074 1075 1076 1078 1079 1082 1084 1089 1091
    """.split()
)
_SPEAKERS = {f"{actor}": "female" if f"{actor}" in _FEMALE else "male" for actor in range(1001, 1092)}
_SENTENCES = {
    "DFA": "Keep the change for now.",
    "IEO": "The shop is closed.",
    "IOM": "We are nearly there now.",
    "ITH": "I will bring the other chair.",
    "ITS": "It goes on until Monday.",
    "IWL": "I might look for a lighter coat.",
    "IWW": "I would ask somebody else.",
    "MTI": "Perhaps next week is better.",
    "TAI": "The kitchen is on the left.",
    "TIE": "They know each other from school.",
    "TSI": "The street is wet again.",
    "WSI": "We sat in the second row.",
}
_LEVELS = {"LO": 0.6, "MD": 1.0, "HI": 1.5, "XX": 1.0}
_LEVELLED = "IEO"
_LACKING = ("1002_TIE_NEU", "1008_WSI_", "1009_MTI_", "1019_ITH_", "1076_ITS_NEU")
_DOUBT = 0.35


def _script(size: str, rng: np.random.Generator) -> list[Turn]:
    turns = []
    for speaker in _SPEAKERS:
        for sentence, text in _SENTENCES.items():
            for code, emotion in _EMOTIONS.items():
                for level in ("LO", "MD", "HI") if sentence == _LEVELLED and code != "NEU" else ("XX",):
                    name = f"{speaker}_{sentence}_{code}_{level}"
                    if not name.startswith(_LACKING):
                        turns.append(
                            Turn(
                                audio=f"AudioWAV/{name}.wav",
                                speaker=speaker,
                                text=text,
                                emotion=emotion,
                                label=code,
                                intensity=_LEVELS[level],
                            )
                        )
    return chosen(turns, _SPEAKERS, size, rng)


def _label_files(
    turns: Sequence[Turn], times: Sequence[tuple[float, float]], rng: np.random.Generator
) -> dict[str, str]:
    actors = ['"ActorID","Age","Sex","Race","Ethnicity"']
    for speaker in sorted({turn.speaker for turn in turns}):
        actors.append(f'{speaker},{rng.integers(20, 75)},"{_SPEAKERS[speaker].title()}","Unknown","Not Hispanic"')
    columns = ["", "FileName", "VoiceVote", "VoiceLevel", "FaceVote", "FaceLevel", "MultiModalVote", "MultiModalLevel"]
    votes = [columns]
    for number, turn in enumerate(turns, start=1):
        row = [f"{number}", PurePosixPath(turn.audio).stem]
        for _ in range(3):
            row += [_vote(turn, rng), f"{rng.uniform(40, 90):.4g}"]
        votes.append(row)
    table = [",".join(f'"{field}"' for field in row) for row in votes]
    return {
        "VideoDemographics.csv": "\n".join(actors) + "\n",
        "processedResults/summaryTable.csv": "\n".join(table) + "\n",
    }


def _vote(turn: Turn, rng: np.random.Generator) -> str:
    """The letter of what most listeners heard, or of two emotions that as many heard."""
    meant = (turn.label or "")[0]
    others = [code[0] for code in _EMOTIONS if code[0] != meant]
    if rng.random() >= _DOUBT:
        return meant
    heard = str(rng.choice(others))
    return ":".join(sorted((heard, meant))) if rng.random() < 0.25 else heard


LAYOUT = Layout(
    folder="CREMA-D",
    language="en-us",
    speakers=_SPEAKERS,
    strength=acted_with(0.9),
    channel=Channel(
        band=(80.0, 7000.0), slope=-0.4, ripple=2.0, noise=-2.0, snr=28.0,
        reverberation=0.3, reverberant=-13.0, level=-30.0,
    ),
    script=_script,
    label_files=_label_files,
)  # fmt: skip
