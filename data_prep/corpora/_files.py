"""How readers look through a folder."""

from __future__ import annotations

from pathlib import Path

from data_prep.errors import InputError


def audio_files(folder: Path, *, recursive: bool = True, endings: tuple[str, ...] = (".wav",)) -> list[Path]:
    """The audio files of a folder by path, without what macOS leaves beside them (``._*``).

    Raises:
        InputError: ``folder`` is not a folder.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder")
    found = folder.rglob("*") if recursive else folder.iterdir()
    return sorted(path for path in found if path.suffix.lower() in endings and not path.name.startswith("._"))


def no_such_corpus(name: str, folder: Path, looked_for: str, layout: str) -> InputError:
    """The error for a folder that is not that corpus."""
    return InputError(f"{name}: {folder} holds no {looked_for}; expected {layout}")
