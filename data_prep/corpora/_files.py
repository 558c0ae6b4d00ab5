"""How readers look through a folder."""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path

from data_prep.corpora import LeftOut
from data_prep.errors import InputError


def audio_files(folder: Path, *, recursive: bool = True, endings: tuple[str, ...] = (".wav",)) -> list[Path]:
    """The audio files of a folder, shallow paths first, then by name; none where there is no such folder.

    Endings count in either case, links to folders are followed (once each), and what macOS leaves beside files
    (``._*``) is no audio.

    Raises:
        OSError: a folder cannot be listed; it must not make a corpus smaller in silence.
    """
    found: list[Path] = []
    seen: set[str] = set()
    folders = [folder] if folder.is_dir() else []
    for place in folders:  # which grows meanwhile, level by level
        real = os.path.realpath(place)
        if real in seen:
            continue
        seen.add(real)
        for entry in sorted(os.scandir(place), key=lambda entry: entry.name):
            if _is_folder(entry):
                folders += [Path(entry.path)] if recursive else []
            elif entry.name.lower().endswith(endings) and not entry.name.startswith("._"):
                found.append(Path(entry.path))
    return found


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        return False  # like a link to nowhere: if it is to be audio, reading it says so


def named_files(
    name: str,
    root: Path,
    pattern: re.Pattern[str],
    example: str,
    layout: str,
    formats: tuple[tuple[str, ...], ...] = ((".wav",),),
    *,
    below: str = "",
) -> tuple[list[tuple[Path, re.Match[str]]], list[LeftOut]]:
    """The audio files of a corpus that says everything in its file names, each with what its name says.

    Args:
        root: the corpus's folder.
        pattern: what the whole name must match, but for its ending.
        formats: endings of the formats that the corpus comes in. The first that is there is read, and no other: the
            same recordings in two formats are one corpus, and a mixture would tell speakers or classes by their codec.
        below: the folder in ``root`` that they are in.

    Returns:
        These files, shallow paths first, and those with another name, for each may be an utterance misnamed.

    Raises:
        InputError: there is no such file.
    """
    folder = root / below
    for endings in formats:
        files = audio_files(folder, endings=endings)
        names = [pattern.fullmatch(file.stem) for file in files]
        if any(names):
            break
    else:
        raise no_such_corpus(name, folder, f"files such as {example}", layout)
    said = list(zip(files, names, strict=True))
    named = [(file, words) for file, words in said if words is not None]
    return named, [misnamed(root, file, example) for file, words in said if words is None]


def misnamed(root: Path, file: Path, example: str) -> LeftOut:
    """A file among a corpus's own whose name says nothing that this corpus says in names."""
    return LeftOut(
        utterance_id=file.stem,
        audio=file.relative_to(root).as_posix(),
        reason=f"its name is not one of this corpus's, which are such as {Path(example).name}",
    )


def no_such_corpus(name: str, folder: Path, looked_for: str, layout: str) -> InputError:
    """The error for a folder that is not that corpus."""
    wrong = f"holds no {looked_for}" if folder.is_dir() else "is not a folder"
    return InputError(f"{name}: {folder} {wrong}; expected {layout}")
