"""EMOVO (Costantini et al., 2014): Italian, six actors, fourteen sentences in seven emotional states.

A name such as ``gio-f1-b1.wav`` is emotion, speaker (f female, m male) and sentence. A wav file with another name is
left out and said, for it may be an utterance misnamed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from data_prep.corpora import Corpus, Expected, LeftOut, Utterance
from data_prep.corpora._files import named_files

_NAME = re.compile(r"(?P<emotion>[a-z]{3})-(?P<speaker>[fm][1-3])-(?P<sentence>[bdln]\d)")


def _read(root: Path) -> Iterator[Utterance | LeftOut]:
    below = "EMOVO" if (root / "EMOVO").is_dir() else ""
    files, misnamed = named_files("emovo", root, _NAME, "f1/gio-f1-b1.wav", CORPUS.layout, below=below)
    yield from misnamed
    for file, name in files:
        yield Utterance(
            utterance_id=file.stem,
            audio=file.relative_to(root).as_posix(),
            speaker=name["speaker"],
            gender="female" if name["speaker"].startswith("f") else "male",
            language="it",
            emotion=name["emotion"],
        )


CORPUS = Corpus(
    title="EMOVO (Costantini et al., 2014)",
    licence="free for research",
    layout="a folder with f1/gio-f1-b1.wav and so on, f1 to f3 and m1 to m3 (or EMOVO/ above them)",
    labels={
        "dis": "disgusted",
        "gio": "happy",
        "neu": "neutral",
        "pau": "fear",
        "rab": "angry",
        "sor": "surprised",
        "tri": "sad",
    },
    read=_read,
    expected=Expected(
        source="six actors with fourteen sentences in seven emotional states",
        utterances=588,
        labels=dict.fromkeys(("dis", "gio", "neu", "pau", "rab", "sor", "tri"), 84),
        speakers=dict.fromkeys(("f1", "f2", "f3", "m1", "m2", "m3"), 98),
    ),
)
