"""FAU Aibo (Steidl, 2009) as the INTERSPEECH 2009 Emotion Challenge gives it: German children with a robot dog.

A chunk such as ``Ohm_01_000_00`` is school, child, turn and chunk. Children are numbered anew in each school, so the
speaker is ``Ohm_01``; names do not say their sex. The challenge trains on the school Ohm and tests on Mont: that is the
``split``. ``chunk_labels_5cl_corpus.txt`` has the class of five, ``chunk_labels_2cl_corpus.txt`` that of two: lines of
chunk, class and confidence. They are two labellings, neither of which follows from the other (of Ohm's chunks, 2,974
are A or E and 3,358 are NEG). ``emotion`` is the class of five, and the class of two is the ``valence``: -1 for NEG, 1
for IDL. Where only the file of two is there, ``emotion`` is that class. P is mostly motherese and little joy, so it
means positive and not happy.

The label files may lie anywhere below the folder: in ``labels/IS2009EmotionChallenge/``, in ``labels/`` or beside the
audio. A labelled chunk with no audio is an utterance, so that an incomplete copy shows in the build's quarantine; audio
without a label shows there, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from data_prep.corpora import Corpus, Expected, LeftOut, Utterance, unknown_label
from data_prep.corpora._files import audio_files, no_such_corpus
from data_prep.corpora._text import again, numbered_lines
from data_prep.errors import InputError

_FIVE, _TWO = "chunk_labels_5cl_corpus.txt", "chunk_labels_2cl_corpus.txt"
_CHUNK = re.compile(r"(?P<speaker>(?P<school>Ohm|Mont)_\d\d)_\d{3}_\d\d")
_LINE = re.compile(r"(\S+)\s+(\S+)(?:\s+[\d.]+)?")
_SPLITS = {"Ohm": "train", "Mont": "test"}
_VALENCE = {"NEG": -1.0, "IDL": 1.0}
_CLASSES = {_FIVE: ("A", "E", "N", "P", "R"), _TWO: tuple(_VALENCE)}


def _read(root: Path) -> Iterator[Utterance | LeftOut]:
    texts = {file.name.lower(): file for file in reversed(audio_files(root, endings=(".txt",)))}
    files = {name: texts[name] for name in (_FIVE, _TWO) if name in texts}
    if not files:
        raise no_such_corpus("fau_aibo", root, f"{_FIVE} or {_TWO}", CORPUS.layout)
    places: dict[str, dict[str, str]] = {name: {} for name in files}
    repeated: list[tuple[str, str]] = []
    classes = {name: _classes(root, file, _CLASSES[name], places[name], repeated) for name, file in files.items()}
    if len(classes) == 2 and classes[_FIVE].keys() != classes[_TWO].keys():
        chunk = min(classes[_FIVE].keys() ^ classes[_TWO].keys())
        having, lacking = (_FIVE, _TWO) if chunk in classes[_FIVE] else (_TWO, _FIVE)
        raise InputError(
            f"fau_aibo: {places[having][chunk]} has the chunk {chunk}, which {files[lacking]} lacks; both list all chunks"
        )
    two = classes.get(_TWO, {})
    found = {file.stem: file for file in reversed(audio_files(root))}

    def audio(chunk: str) -> str:
        return found.get(chunk, root / "wav" / f"{chunk}.wav").relative_to(root).as_posix()

    for chunk, reason in repeated:
        yield LeftOut(utterance_id=chunk, audio=audio(chunk), reason=reason)
    for chunk, label in classes.get(_FIVE, two).items():
        name = _CHUNK.fullmatch(chunk)
        assert name is not None
        yield Utterance(
            utterance_id=chunk,
            audio=audio(chunk),
            speaker=name["speaker"],
            gender="unknown",
            language="de",
            emotion=label,
            valence=_VALENCE[two[chunk]] if two else None,
            split=_SPLITS[name["school"]],
        )


def _classes(
    root: Path, file: Path, known: Sequence[str], places: dict[str, str], repeated: list[tuple[str, str]]
) -> Mapping[str, str]:
    """The class, one of ``known``, of each chunk that a label file lists.

    ``places`` is told where, and ``repeated`` the chunks that come again, each with the reason to leave that out.
    """
    classes: dict[str, str] = {}
    for place, line in numbered_lines(file):
        if not line:
            continue
        fields = _LINE.fullmatch(line)
        if fields is None or not _CHUNK.fullmatch(fields[1]):
            raise InputError(
                f"fau_aibo: {place} is no label line: {line[:120]!r}; expected chunk, class and confidence, "
                f"as in Ohm_01_000_00 {known[0]} 0.66"
            )
        if fields[2] not in CORPUS.labels:
            raise unknown_label("fau_aibo", place, fields[2], CORPUS.labels)
        if fields[2] not in known:
            raise InputError(
                f"fau_aibo: {place} has the class {fields[2]}; expected one of {', '.join(known)} in this file"
            )
        reason = again(root, places, fields[1], place)
        if reason is None:
            classes[fields[1]] = fields[2]
        else:
            repeated.append((fields[1], reason))
    return classes


_CHUNKS: dict[str, Any] = {"utterances": 18_216, "speaker_count": 51, "splits": {"train": 9959, "test": 8257}}

CORPUS = Corpus(
    title="FAU Aibo Emotion Corpus (Steidl, 2009; INTERSPEECH 2009 Emotion Challenge)",
    licence="by request, for research",
    layout="a folder with wav/Ohm_01_000_00.wav and labels/IS2009EmotionChallenge/chunk_labels_5cl_corpus.txt and _2cl_",
    labels={
        "A": "angry",
        "E": "emphatic",
        "N": "neutral",
        "P": "positive",
        "R": "rest",
        "NEG": "negative",
        "IDL": "non_negative",
    },
    read=_read,
    labelled=audio_files,
    expected=Expected(
        source="Schuller et al., 2009, table 3 (five classes; 9,959 chunks of Ohm and 8,257 of Mont), and addi.txt, 4.1.5 "
        "(51 children)",
        labels={"A": 1492, "E": 3601, "N": 10_967, "P": 889, "R": 1267},
        **_CHUNKS,
        others=(
            Expected(
                source="Schuller et al., 2009 (two classes; 9,959 chunks of Ohm and 8,257 of Mont), and "
                "addi.txt, 4.1.5 (51 children)",
                labels={"NEG": 5823, "IDL": 12_393},
                **_CHUNKS,
                is_read=lambda utterances: {utterance.emotion for utterance in utterances} <= set(_VALENCE),
            ),
        ),
    ),
)
