"""How readers read label files, whatever system and editor wrote them."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

from data_prep.errors import InputError


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


def once(name: str, places: dict[str, str], utterance_id: str, place: str) -> None:
    """Notes that a label file of the corpus ``name`` has an utterance at ``place``.

    Args:
        places: where each utterance so far is; this one is added.

    Raises:
        InputError: it is there already: one of the two is a slip, and nobody knows which.
    """
    first = places.setdefault(utterance_id, place)
    if first != place:
        raise InputError(f"{name}: {place} has the utterance {utterance_id!r} of {first} again; expected each once")


def _decoded(content: bytes) -> str:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")
