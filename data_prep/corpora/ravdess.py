"""RAVDESS speech (Livingstone and Russo, 2018): North American English, 24 actors.

A name such as ``03-01-05-02-01-01-12.wav`` is modality (01 audio and video, 02 video, 03 audio), channel (01 speech,
02 song), emotion, intensity, statement, repetition and actor (odd male, even female). Read is speech recorded as
audio: songs are not speech, and the sound of a video is the same recording again. A widespread copy holds every file
twice, in ``Actor_NN`` and in another folder above one: each utterance counts once, the shallower path winning, and a
deeper one that is no copy is left out and said. So is a wav file with another name, of which that copy carries one, for
it may be an utterance misnamed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from data_prep.corpora import Corpus, Expected, LeftOut, Utterance
from data_prep.corpora._files import named_files

_NAME = re.compile(
    r"(?P<modality>0[1-3])-(?P<channel>0[12])-(?P<emotion>\d\d)-(?P<intensity>0[12])-(?P<statement>0[12])"
    r"-(?P<repetition>0[12])-(?P<actor>0[1-9]|1\d|2[0-4])"
)
_AUDIO, _SPEECH = "03", "01"


def _read(root: Path) -> Iterator[Utterance | LeftOut]:
    files, misnamed = named_files("ravdess", root, _NAME, "Actor_01/03-01-01-01-01-01-01.wav", CORPUS.layout)
    yield from misnamed
    for file, name in files:
        if (name["modality"], name["channel"]) != (_AUDIO, _SPEECH):
            continue
        yield Utterance(
            utterance_id=file.stem,
            audio=file.relative_to(root).as_posix(),
            speaker=name["actor"],
            gender="female" if int(name["actor"]) % 2 == 0 else "male",
            language="en-US",
            emotion=name["emotion"],
        )


CORPUS = Corpus(
    title="RAVDESS speech (Livingstone and Russo, 2018)",
    licence="CC BY-NC-SA 4.0",
    layout="a folder with speech as Actor_01/03-01-01-01-01-01-01.wav and so on (outer folders do not matter)",
    labels={
        "01": "neutral",
        "02": "calm",
        "03": "happy",
        "04": "sad",
        "05": "angry",
        "06": "fear",
        "07": "disgusted",
        "08": "surprised",
    },
    read=_read,
    expected=Expected(
        source="the released corpus's file list, speech only",
        utterances=1440,
        labels={"01": 96} | {f"{emotion:02d}": 192 for emotion in range(2, 9)},
        speakers={f"{actor:02d}": 60 for actor in range(1, 25)},
    ),
)
