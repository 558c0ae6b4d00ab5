"""How readers read label files, whatever system and editor wrote them."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

from data_prep.corpora import LeftOut, Utterance


def numbered_lines(file: Path) -> list[tuple[str, str]]:
    """The lines of a text file without the blanks around them, each after its place (``file:line``).

    UTF-8 with or without a byte order mark, UTF-16 with one, and Latin-1 where it is neither; lines end as on any
    system.

    Raises:
        OSError: the file cannot be read.
    """
    content = file.read_bytes()
    lines = re.split("\r\n|\r|\n", _decoded(content))
    return [(f"{file}:{number}", line.strip()) for number, line in enumerate(lines, start=1)]


def first_of_its_id(root: Path, places: dict[str, str], utterance: Utterance, place: str) -> Utterance | LeftOut:
    """The utterance that a label file has at ``place``, unless there was one with its id before; see :func:`again`."""
    reason = again(root, places, utterance.utterance_id, place)
    if reason is None:
        return utterance
    return LeftOut(utterance_id=utterance.utterance_id, audio=utterance.audio, reason=reason)


def again(root: Path, places: dict[str, str], utterance_id: str, place: str) -> str | None:
    """Notes that a label file has an utterance at ``place``.

    Args:
        root: the corpus's folder, from which the reason gives its files.
        places: where each utterance so far is; this one is added.

    Returns:
        ``None`` if it is there for the first time, which is the one that is taken; else why this one is left out.
    """
    first = places.setdefault(utterance_id, place)
    if first == place:
        return None
    here, there = (where.removeprefix(f"{root}/") for where in (place, first))
    return f"{here} has {utterance_id!r} again, which {there} has; the first was taken"


def _decoded(content: bytes) -> str:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")
