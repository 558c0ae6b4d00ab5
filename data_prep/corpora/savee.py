"""SAVEE (Haq and Jackson, 2009): British English, four men, sentences in seven emotional states.

The published archive has ``AudioData/DC/a01.wav``, with the speaker in the folder alone; copies have ``ALL/DC_a01.wav``
or ``DCa01.wav``. Whatever the copy, the utterance is ``DC_a01``. The letters before the number are the emotion, one or
two of them: s alone is none, sa is sadness and su surprise. The corpus's ``Info.txt`` says 15 sentences for each
emotion; of neutral there are 30.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from data_prep.corpora import Corpus, Expected, LeftOut, Utterance
from data_prep.corpora._files import named_files

_SPEAKERS = ("DC", "JE", "JK", "KL")
_NAME = re.compile(rf"((?P<speaker>{'|'.join(_SPEAKERS)})_?)?(?P<sentence>(?P<emotion>[a-z]{{1,2}})\d\d)")


def _read(root: Path) -> Iterator[Utterance | LeftOut]:
    below = "AudioData" if (root / "AudioData").is_dir() else ""
    files, misnamed = named_files("savee", root, _NAME, "DC/a01.wav", CORPUS.layout, below=below)
    yield from misnamed
    for file, name in files:
        audio = file.relative_to(root).as_posix()
        speakers = {name["speaker"], file.parent.name} & set(_SPEAKERS)
        if len(speakers) != 1:
            yield LeftOut(
                utterance_id=file.stem,
                audio=audio,
                reason=f"its path names {'two speakers' if speakers else 'no speaker'}; expected one of "
                f"{', '.join(_SPEAKERS)}, as its folder (DC/a01.wav) or before its name (DC_a01.wav)",
            )
            continue
        speaker = speakers.pop()
        yield Utterance(
            utterance_id=f"{speaker}_{name['sentence']}",
            audio=audio,
            speaker=speaker,
            gender="male",
            language="en-GB",
            emotion=name["emotion"],
        )


CORPUS = Corpus(
    title="SAVEE, Surrey audio-visual expressed emotion (Haq and Jackson, 2009)",
    licence="free for research, on registration",
    layout="a folder with AudioData/DC/a01.wav and so on (or DC/a01.wav, ALL/DC_a01.wav, DCa01.wav)",
    labels={
        "a": "angry",
        "d": "disgusted",
        "f": "fear",
        "h": "happy",
        "n": "neutral",
        "sa": "sad",
        "su": "surprised",
    },
    read=_read,
    expected=Expected(
        source="the released corpus's file list",
        utterances=480,
        labels={"a": 60, "d": 60, "f": 60, "h": 60, "n": 120, "sa": 60, "su": 60},
        speakers=dict.fromkeys(_SPEAKERS, 120),
    ),
)
