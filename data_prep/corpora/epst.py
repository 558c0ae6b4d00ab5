"""EPST, Emotional Prosody Speech and Transcripts (LDC2002S28): US English, actors saying dates and numbers.

In the release, ``speech/cc_001.sph`` is a whole session of the actor ``cc``: NIST sphere, two microphones. Its
transcript, of the same name below ``transcr/``, says which pieces are utterances: a line is start, end (seconds), ``A:``
and the text, which begins with the category (``120.38 122.20 A: neutral, Two thousand four``). What begins with a
bracket (``[MISC]``), and the announcement ``Emotion category ...``, is none. Recordings that were converted to wav are
read as well, and punctuation after the category may be any: sources disagree on it. So they do on the spelling of the
categories of two words (``hot anger``, ``hot-anger``); here there is a blank between them, and no capital. A recording
without a transcript is left out and said.

The other layout is a teaching copy with a file for each utterance, ``cc_001_cold-anger_120.38_Two-thousand-four.wav``:
speaker, session, category, start and text. It has the 2,324 utterances of seven speakers that are expected here; of the
release so many or more, as its transcripts may hold some that the copy lacks.

Who is male or female is read from ``doc/demographics.html``, from the row that names the speaker; without it, it is
``unknown``: sources disagree on how many of each there are.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from data_prep.corpora import Corpus, Expected, LeftOut, Utterance, unknown_label
from data_prep.corpora._files import audio_files, misnamed, no_such_corpus
from data_prep.corpora._text import first_of_its_id, numbered_lines
from data_prep.errors import InputError

_SESSION = re.compile(r"(?P<speaker>[a-z]{2})_?\d{3}", re.IGNORECASE)
_LINE = re.compile(r"(?P<start>\d+(?:\.\d+)?)\s+(?P<end>\d+(?:\.\d+)?)\s+[AB]\d?\s*:\s*(?P<text>.*)")
_NO_UTTERANCE = re.compile(r"[\[({<]|emotion category\b|$", re.IGNORECASE)
_SEXES = ("f", "female", "m", "male")
_PIECE = re.compile(
    r"(?P<session>(?P<speaker>[a-z]{2})_\d{3})_(?P<emotion>[a-z][a-z -]*)_(?P<start>\d+(\.\d+)?)_.+", re.IGNORECASE
)


def _read(root: Path) -> Iterator[Utterance | LeftOut]:
    audio = {file.stem: file for file in reversed(_labelled(root))}
    recordings = {stem: file for stem, file in audio.items() if _SESSION.fullmatch(stem)}
    transcripts = {file.stem: file for file in audio_files(root, endings=(".txt",)) if _SESSION.fullmatch(file.stem)}
    genders = _genders(root)
    for stem in recordings.keys() - transcripts.keys():
        reason = f"it has no transcript; expected transcr/{stem}.txt"
        yield LeftOut(utterance_id=stem, audio=recordings[stem].relative_to(root).as_posix(), reason=reason)
    for stem, file in transcripts.items():
        recording = recordings.get(stem, root / "speech" / f"{stem}.sph").relative_to(root).as_posix()
        yield from _cut(root, file, recording, genders)
    if transcripts:
        return
    if not any(_PIECE.fullmatch(stem) for stem in audio):
        raise no_such_corpus(
            "epst", root, "transcr/cc_001.txt, and no pieces such as cc_001_panic_9.5_x.wav", CORPUS.layout
        )
    for stem, file in audio.items():
        name = _PIECE.fullmatch(stem)
        if name is not None:
            yield _piece(name, file, file.relative_to(root).as_posix(), genders)
        elif stem not in recordings:
            yield misnamed(root, file, "cc_001_cold-anger_120.38_text.wav")


def _labelled(root: Path) -> list[Path]:
    return audio_files(root, endings=(".sph", ".wav"))


def _cut(root: Path, transcript: Path, recording: str, genders: Mapping[str, str]) -> Iterator[Utterance | LeftOut]:
    """The utterances of a session."""
    speaker, places = transcript.stem[:2].lower(), dict[str, str]()
    for place, line in numbered_lines(transcript):
        if not re.match(r"\d|.*\d\s+[AB]\d?\s*:", line):
            continue
        parsed = _LINE.fullmatch(line)
        if parsed is None:
            raise InputError(
                f"epst: {place} is no line of a transcript: {line[:120]!r}; "
                "expected start, end and text, as in 120.38 122.20 A: neutral, Two thousand four"
            )
        if _NO_UTTERANCE.match(parsed["text"]):
            continue
        start, end = float(parsed["start"]), float(parsed["end"])
        if start >= end:
            raise InputError(f"epst: {place} goes from {start:g} to {end:g} s; expected an end after the start")
        utterance = Utterance(
            utterance_id=f"{transcript.stem}_{parsed['start']}",
            audio=recording,
            speaker=speaker,
            gender=genders.get(speaker, "unknown"),
            language="en-US",
            session=transcript.stem,
            emotion=_category(place, parsed["text"]),
            start=start,
            end=end,
        )
        yield first_of_its_id(root, places, utterance, place)
    if not places:
        raise InputError(f"epst: {transcript} has no utterance; expected 120.38 122.20 A: neutral, Two thousand four")


def _category(place: str, text: str) -> str:
    """The category that a line's text begins with."""
    words = re.sub(r"[\s-]+", " ", text).lower()
    for category in CORPUS.labels:
        if re.match(rf"{category}(?![a-z])", words):
            return category
    raise unknown_label("epst", place, text.split(",")[0][:120], CORPUS.labels)


def _piece(name: re.Match[str], file: Path, audio: str, genders: Mapping[str, str]) -> Utterance:
    """The utterance that a file of the teaching copy holds."""
    emotion = name["emotion"].replace("-", " ").lower()
    if emotion not in CORPUS.labels:
        raise unknown_label("epst", str(file), name["emotion"], CORPUS.labels)
    speaker = name["speaker"].lower()
    return Utterance(
        utterance_id=file.stem,
        audio=audio,
        speaker=speaker,
        gender=genders.get(speaker, "unknown"),
        language="en-US",
        session=name["session"],
        emotion=emotion,
    )


def _genders(root: Path) -> Mapping[str, str]:
    """The genders that the release's list of actors gives; a row that does not say just one is passed over."""
    genders = {}
    for file in audio_files(root, endings=("demographics.html",)):
        text = "\n".join(line for _, line in numbered_lines(file))
        rows = re.split(
            r"<tr\b[^<>]*>" if re.search(r"<tr\b", text, re.IGNORECASE) else "\n", text, flags=re.IGNORECASE
        )
        for row in rows:
            words = re.findall(r"[a-z]+", html.unescape(re.sub(r"<[^<>]*>", " ", row)).lower())
            said = {"female" if word in ("f", "female") else "male" for word in words if word in _SEXES}
            if len(said) == 1:
                genders.update(dict.fromkeys([word for word in words if len(word) == 2], said.pop()))
    return genders


_PIECES: dict[str, Any] = {
    "utterances": 2324,
    "labels": {
        "anxiety": 170,
        "boredom": 154,
        "cold anger": 154,
        "contempt": 180,
        "despair": 174,
        "disgust": 172,
        "elation": 159,
        "happy": 177,
        "hot anger": 139,
        "interest": 176,
        "neutral": 79,
        "panic": 141,
        "pride": 150,
        "sadness": 151,
        "shame": 148,
    },
    "speakers": {"cc": 265, "cl": 368, "gg": 420, "jg": 273, "mf": 299, "mk": 397, "mm": 302},
}

CORPUS = Corpus(
    title="Emotional Prosody Speech and Transcripts (Liberman et al., 2002; LDC2002S28)",
    licence="of the Linguistic Data Consortium",
    layout="a folder with speech/cc_001.sph and transcr/cc_001.txt and so on (or pieces: cc_001_panic_120.38_text.wav)",
    labels={
        "anxiety": "anxious",
        "boredom": "bored",
        "cold anger": "angry",
        "contempt": "contempt",
        "despair": "despair",
        "disgust": "disgusted",
        "elation": "elated",
        "happy": "happy",
        "hot anger": "angry",
        "interest": "interested",
        "neutral": "neutral",
        "panic": "panic",
        "pride": "pride",
        "sadness": "sad",
        "shame": "shame",
    },
    read=_read,
    labelled=_labelled,
    expected=Expected(
        source="counts of the copy that is cut into utterances, as one of its users published them",
        **_PIECES,
        others=(
            Expected(
                source="counts of the copy that is cut into utterances; the release's transcripts may hold more",
                **_PIECES,
                at_least=True,
                is_read=lambda utterances: any(utterance.start is not None for utterance in utterances),
            ),
        ),
    ),
)
