"""CaFE (Gournay et al., 2018): Canadian French, twelve actors, six sentences in six emotions of two intensities.

A name such as ``01-C-1-1.wav`` is actor (odd male, even female), emotion (the French word's letter), intensity (1 mild,
2 strong; neutral is always 1) and sentence. P is peur (fear), D is dégoût (disgust). All is read from file names, for
the folders around them have French names that unpacking often garbles (``ColŠre``). The corpus is published at 48 kHz
as wav and, in two archives, at 192 kHz as aiff; where both lie in one folder, the wav files are read.

Papers that give 864 utterances left out neutral: it has 72 more.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from data_prep.corpora import Corpus, Expected, LeftOut, Utterance
from data_prep.corpora._files import named_files

_NAME = re.compile(r"(?P<actor>0[1-9]|1[0-2])-(?P<emotion>[A-Z])-(?P<intensity>[12])-(?P<sentence>[1-6])")
_FORMATS = ((".wav",), (".aiff", ".aif"))


def _read(root: Path) -> Iterator[Utterance | LeftOut]:
    files, misnamed = named_files("cafe", root, _NAME, "Joie/Fort/01-J-2-1.wav", CORPUS.layout, _FORMATS)
    yield from misnamed
    for file, name in files:
        yield Utterance(
            utterance_id=file.stem,
            audio=file.relative_to(root).as_posix(),
            speaker=name["actor"],
            gender="female" if int(name["actor"]) % 2 == 0 else "male",
            language="fr-CA",
            emotion=name["emotion"],
        )


CORPUS = Corpus(
    title="CaFE, the Canadian French emotional speech dataset (Gournay et al., 2018)",
    licence="CC BY-NC-SA 4.0",
    layout="a folder with CaFE_48k/Joie/Fort/01-J-2-1.wav and so on, or .aiff (folders and their names do not matter)",
    labels={
        "C": "angry",
        "D": "disgusted",
        "J": "happy",
        "N": "neutral",
        "P": "fear",
        "S": "surprised",
        "T": "sad",
    },
    read=_read,
    expected=Expected(
        source="twelve actors with six sentences in six emotions of two intensities, and neutral",
        utterances=936,
        labels={"C": 144, "D": 144, "J": 144, "N": 72, "P": 144, "S": 144, "T": 144},
        speakers={f"{actor:02d}": 78 for actor in range(1, 13)},
    ),
)
