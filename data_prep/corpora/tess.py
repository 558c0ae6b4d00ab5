"""TESS, the Toronto emotional speech set (Pichora-Fuller and Dupuis, 2020): Canadian English, two women.

A name such as ``OAF_back_angry.wav`` is speaker (older or younger adult female), word and emotion; ps is pleasant
surprise. The files lie flat, or in a folder for each speaker and emotion, whose names are spelt in several ways: only
file names are read. The foldered copy calls one file ``OA_bite_neutral.wav``; it is ``OAF_bite_neutral``, as the flat
copy has it, and no third speaker. A widespread copy holds all folders twice, the second time within another folder of
the same name: each utterance counts once, the shallower path winning, and a deeper one that is no copy is left out and
said.

Two speakers, so leaving one out leaves one to train on; both are women; and every word is said in every emotion.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from data_prep.corpora import Corpus, Expected, LeftOut, Utterance
from data_prep.corpora._files import named_files

_NAME = re.compile(r"(?P<speaker>OA|YA)F?_(?P<word>[a-z]+)_(?P<emotion>[a-z]+)")


def _read(root: Path) -> Iterator[Utterance | LeftOut]:
    files, misnamed = named_files("tess", root, _NAME, "OAF_angry/OAF_back_angry.wav", CORPUS.layout)
    yield from misnamed
    for file, name in files:
        yield Utterance(
            utterance_id=f"{name['speaker']}F_{name['word']}_{name['emotion']}",
            audio=file.relative_to(root).as_posix(),
            speaker=f"{name['speaker']}F",
            gender="female",
            language="en-CA",
            emotion=name["emotion"],
        )


CORPUS = Corpus(
    title="TESS, the Toronto emotional speech set (Pichora-Fuller and Dupuis, 2020)",
    licence="CC BY-NC-ND 4.0",
    layout="a folder with OAF_back_angry.wav and so on (folders around the files and their names do not matter)",
    labels={
        "angry": "angry",
        "disgust": "disgusted",
        "fear": "fear",
        "happy": "happy",
        "neutral": "neutral",
        "ps": "surprised",
        "sad": "sad",
    },
    read=_read,
    expected=Expected(
        source="the released corpus's file list",
        utterances=2800,
        labels=dict.fromkeys(("angry", "disgust", "fear", "happy", "neutral", "ps", "sad"), 400),
        speakers={"OAF": 1400, "YAF": 1400},
    ),
)
