"""LibriSpeech (Panayotov et al., 2015): English, read from audiobooks; unlabelled speech for pre-training.

``<subset>/<speaker>/<chapter>/<speaker>-<chapter>-<utterance>.flac``; the subset (``train-clean-100`` …) is the
official partition, the chapter the session, and ``SPEAKERS.TXT`` at the root says the speakers' genders (``unknown``
where it is missing or does not list the speaker: some copies hold one subset and nothing else). The lines of a chapter's
``<speaker>-<chapter>.trans.txt`` are its utterances, too: one that has no audio shows in the build's quarantine. Audio
with another name is left out and said, for it may be an utterance misnamed. ``addi.txt`` trains on ``train-clean-100`` alone
(4.1.6): that is expected of a copy that does not say which subsets it holds, and of any other those that it has.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from data_prep.corpora import Corpus, Expected, LeftOut, Utterance
from data_prep.corpora._files import audio_files, misnamed, no_such_corpus
from data_prep.corpora._text import again, numbered_lines
from data_prep.errors import InputError

_NAME = re.compile(r"(?P<speaker>\d+)-(?P<chapter>\d+)-\d{4}")
_CHAPTER = re.compile(r"\d+-\d+\.trans\.txt", re.IGNORECASE)
_SUBSETS = re.compile(r"(train|dev|test)-(clean|other)(-\d+)?")
_GENDERS = {"F": "female", "M": "male"}
# Utterances of each subset, by the dataset card of Hugging Face's librispeech_asr, and speakers, by Panayotov et al. (2015),
# Table 1. No speaker is in two.
_PUBLISHED = {
    "train-clean-100": (28_539, 251),
    "train-clean-360": (104_014, 921),
    "train-other-500": (148_688, 1_166),
    "dev-clean": (2_703, 40),
    "dev-other": (2_864, 33),
    "test-clean": (2_620, 40),
    "test-other": (2_939, 33),
}


def _read(root: Path) -> Iterator[Utterance | LeftOut]:
    files = audio_files(root, endings=(".flac", ".wav"))
    found = {file.stem for file in files}
    if not any(_NAME.fullmatch(stem) for stem in found):
        raise no_such_corpus("librispeech", root, "files such as 19/198/19-198-0000.flac", CORPUS.layout)
    transcribed, repeated = _transcribed(root)
    yield from repeated
    genders = _genders(root)
    for file in [*files, *(file for stem, file in transcribed.items() if stem not in found)]:
        name = _NAME.fullmatch(file.stem)
        if name is None:
            yield misnamed(root, file, "19-198-0000.flac")
            continue
        above = [part for part in file.absolute().parts[:-1] if _SUBSETS.fullmatch(part)]
        yield Utterance(
            utterance_id=file.stem,
            audio=file.relative_to(root).as_posix(),
            speaker=name["speaker"],
            gender=genders.get(name["speaker"], "unknown"),
            language="en",
            session=name["chapter"],
            split=above[-1] if above else None,
        )


def _transcribed(root: Path) -> tuple[dict[str, Path], list[LeftOut]]:
    """Where the audio of each utterance that the transcripts list belongs, and the lines that list one again."""
    belongs: dict[str, Path] = {}
    repeated = []
    for file in audio_files(root, endings=(".trans.txt",)):
        if not _CHAPTER.fullmatch(file.name):
            raise InputError(
                f"librispeech: {file} is not named as this corpus names its transcripts (19-198.trans.txt)"
            )
        places: dict[str, str] = {}
        for place, line in numbered_lines(file):
            stem = line.split(" ", 1)[0]
            if line and not (_NAME.fullmatch(stem) and stem.startswith(f"{file.name.split('.')[0]}-")):
                raise InputError(
                    f"librispeech: {place} is no line of this chapter's transcript: {line[:120]!r}; "
                    "expected an utterance such as 19-198-0000 and what is said"
                )
            if not line:
                continue
            audio = file.with_name(f"{stem}.flac")
            reason = again(root, places, stem, place)
            if reason is None:
                belongs.setdefault(stem, audio)
            else:
                repeated.append(LeftOut(utterance_id=stem, audio=audio.relative_to(root).as_posix(), reason=reason))
    return belongs, repeated


def _genders(root: Path) -> Mapping[str, str]:
    """Each speaker's gender, from the list beside the subsets; none where there is no such list."""
    places = (root, root / "LibriSpeech", root.absolute().parent)
    file = next((place / "SPEAKERS.TXT" for place in places if (place / "SPEAKERS.TXT").is_file()), None)
    genders = {}
    for place, line in numbered_lines(file) if file else ():
        if not line or line.startswith(";"):
            continue
        fields = [field.strip() for field in line.split("|")]  # a name may hold a bar, too
        if len(fields) < 5 or not fields[0].isdecimal() or fields[1] not in _GENDERS:
            raise InputError(
                f"librispeech: {place} is no line of a speaker: {line[:120]!r}; "
                "expected 19 | F | train-clean-100 | 25.19 | name, with F or M"
            )
        genders[fields[0]] = _GENDERS[fields[1]]
    return genders


def _whole(*subsets: str) -> Expected:
    """What a copy holds that has these subsets and no other."""
    utterances, speakers = zip(*(_PUBLISHED[name] for name in subsets), strict=True)
    return Expected(
        source=f"{', '.join(subsets)}, as published",
        utterances=sum(utterances),
        speaker_count=sum(speakers),
        splits=dict(zip(subsets, utterances, strict=True)),
        is_read=lambda found: (
            all(each.split in subsets for each in found) and len({each.split for each in found}) == len(subsets)
        ),
    )


CORPUS = Corpus(
    title="LibriSpeech (Panayotov et al., 2015)",
    licence="CC BY 4.0",
    layout="LibriSpeech with SPEAKERS.TXT and train-clean-100/19/198/19-198-0000.flac and so on (or one of its subsets)",
    labels={},
    read=_read,
    expected=Expected(
        source="the subset train-clean-100 (addi.txt, 4.1.6), as it is published",
        utterances=28_539,
        speaker_count=251,
        others=tuple(
            _whole(*subsets)
            for count in range(1, len(_PUBLISHED) + 1)
            for subsets in itertools.combinations(_PUBLISHED, count)
        ),
    ),
)
