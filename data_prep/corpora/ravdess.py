"""RAVDESS speech (Livingstone and Russo, 2018): North American English, 24 actors.

A name such as ``03-01-05-02-01-01-12.wav`` is modality, channel (01 speech, 02 song), emotion, intensity, statement,
repetition and actor (odd male, even female). Songs are not speech and are passed over. A widespread copy holds every
file twice, in ``Actor_NN`` and in another folder above one: each utterance counts once, the first path winning.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from data_prep.corpora import Corpus, Utterance
from data_prep.corpora._files import audio_files, no_such_corpus

_NAME = re.compile(
    r"(?P<modality>\d\d)-(?P<channel>\d\d)-(?P<emotion>\d\d)-(?P<intensity>\d\d)-\d\d-\d\d-(?P<actor>\d\d)"
)
_SPEECH = "01"


def _read(root: Path) -> Iterator[Utterance]:
    # Shallow paths first, so that of two copies the one in Actor_NN at the top is taken.
    files = sorted(audio_files(root), key=lambda file: (len(file.parts), file))
    named = [(file, name) for file in files if (name := _NAME.fullmatch(file.stem)) is not None]
    if not named:
        raise no_such_corpus("ravdess", root, "files such as Actor_01/03-01-01-01-01-01-01.wav", CORPUS.layout)
    seen: set[str] = set()
    for file, name in named:
        if name["channel"] != _SPEECH or file.stem in seen:
            continue
        seen.add(file.stem)
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
    layout="a folder with Actor_01/03-01-01-01-01-01-01.wav and so on (outer folders do not matter)",
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
)
