"""EMO-DB, the Berlin database of emotional speech (Burkhardt et al., 2005): German, ten actors.

A name such as ``03a01Fa.wav`` is speaker (2), sentence (3), emotion (the German word's letter) and version. A is Angst
(fear), not anger; F is Freude (happiness), not fear; E is Ekel (disgust). Each of the ten sentences is said in every
emotion. A wav file with another name is left out and said, for it may be an utterance misnamed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from data_prep.corpora import Corpus, Expected, LeftOut, Utterance
from data_prep.corpora._files import audio_files, misnamed, no_such_corpus

_FEMALE = ("08", "09", "13", "14", "16")
_MALE = ("03", "10", "11", "12", "15")
_SPEAKER = "|".join(_FEMALE + _MALE)
_NAME = re.compile(rf"(?P<speaker>{_SPEAKER})(?P<sentence>[ab]\d\d)(?P<emotion>[A-Z])(?P<version>[a-z])")


def _read(root: Path) -> Iterator[Utterance | LeftOut]:
    folder = next((root / name for name in ("wav", "wav_corpus") if (root / name).is_dir()), root)
    files = audio_files(folder, recursive=False)
    if not any(_NAME.fullmatch(file.stem) for file in files):
        raise no_such_corpus("emodb", folder, "files such as 03a01Fa.wav", CORPUS.layout)
    for file in files:
        name = _NAME.fullmatch(file.stem)
        if name is None:
            yield misnamed(root, file, "03a01Fa.wav")
            continue
        yield Utterance(
            utterance_id=file.stem,
            audio=file.relative_to(root).as_posix(),
            speaker=name["speaker"],
            gender="female" if name["speaker"] in _FEMALE else "male",
            language="de",
            emotion=name["emotion"],
        )


CORPUS = Corpus(
    title="EMO-DB (Burkhardt et al., 2005)",
    licence="free to use",
    layout="a folder with wav/03a01Fa.wav and so on (or wav_corpus/, or the files themselves)",
    labels={
        "W": "angry",
        "L": "bored",
        "E": "disgusted",
        "A": "fear",
        "F": "happy",
        "T": "sad",
        "N": "neutral",
    },
    read=_read,
    expected=Expected(
        source="the released corpus's file list",
        utterances=535,
        labels={"W": 127, "L": 81, "E": 46, "A": 69, "F": 71, "T": 62, "N": 79},
        speakers=dict(zip(sorted(_FEMALE + _MALE), (49, 58, 43, 38, 55, 35, 61, 69, 56, 71), strict=True)),
    ),
)
