"""Tiny corpora, one for each reader: ``layouts/<name>.py`` lays one out in that corpus's own layout.

A layout module has two functions, which take a :class:`Folder`. ``build`` fills it with real names, real label files
and garbage in place of audio, traps included, and returns the path that the reader is given. ``mislabel`` puts a label
there that the corpus does not have, and returns where, from that folder: the file, with its line in a label file.
"""

from __future__ import annotations

import csv
import ctypes
import importlib.util
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest

from data_prep import corpora
from data_prep.corpora import Utterance

LAYOUTS = Path(__file__).parent / "layouts"
GARBAGE = b"no reader opens audio"


@dataclass(frozen=True)
class Folder:
    """A folder to lay a corpus out in."""

    path: Path

    def audio(self, *names: str) -> None:
        """Makes files that are no audio, whatever they are called."""
        for name in names:
            file = self.path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(GARBAGE)

    def text(self, name: str, *lines: str) -> Path:
        """Writes a text file."""
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return file

    def replace(self, name: str, old: str, new: str) -> None:
        """Changes what stands in a text file."""
        text = (self.path / name).read_text(encoding="utf-8")
        assert old in text
        (self.path / name).write_text(text.replace(old, new), encoding="utf-8")


@dataclass(frozen=True)
class Tiny:
    """A tiny corpus: its reader's name, the folder it lies in and the path that the reader is given."""

    name: str
    folder: Folder
    path: Path
    layout: ModuleType

    def read(self) -> list[Utterance]:
        return corpora.read(self.name, self.path)

    def by_id(self) -> dict[str, Utterance]:
        return {utterance.utterance_id: utterance for utterance in self.read()}

    def left_out(self) -> dict[str, str]:
        """Why each audio path is left out that is; copies are still among them."""
        return {one.audio: one.reason for one in corpora.sift(self.name, self.path)[1]}


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """An empty folder."""
    return Folder(tmp_path)


@pytest.fixture
def lay_out(tmp_path: Path) -> Callable[[str], Tiny]:
    """Lays out the tiny corpus of the reader with that name; a reader without one fails its tests."""

    def make(name: str) -> Tiny:
        file = LAYOUTS / f"{name}.py"
        assert file.is_file(), f"the reader {name} needs a tiny corpus in its layout: layouts/{name}.py"
        spec = importlib.util.spec_from_file_location(f"tiny_{name}", file)
        assert spec is not None and spec.loader is not None
        layout = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(layout)
        folder = Folder(tmp_path / f"a tiny {name}")
        folder.path.mkdir()
        return Tiny(name, folder, layout.build(folder), layout)

    return make


@pytest.fixture
def real_names(real_corpora: Path) -> Callable[[str], list[str]]:
    """The paths of all files of a corpus as it is published, from the list of their checksums beside the corpora."""

    def names(listing: str) -> list[str]:
        file = real_corpora.parent / "layouts" / f"{listing}.sha256.tsv"
        if not file.is_file():
            pytest.skip(f"there is no {file.name} in layouts/ beside the real corpora")
        with file.open(newline="") as lines:
            return [row["path"] for row in csv.DictReader(lines, delimiter="\t")]

    return names


@pytest.fixture
def unprivileged() -> Callable[[], AbstractContextManager[None]]:
    """In its block, files and folders without permission cannot be read, even where the tests run as root."""
    return _no_more_rights_than_others


@contextmanager
def _no_more_rights_than_others() -> Iterator[None]:
    """Takes from this thread, if it is root's, the right to read what it may not (capabilities(7)); gives it back."""
    if os.geteuid() != 0:
        yield
        return
    libc = ctypes.CDLL(None, use_errno=True)
    header, sets = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
    if not hasattr(libc, "capget") or libc.capget(header, sets) != 0:
        pytest.skip("root may read everything here, and has no capabilities to drop")
    before = sets[0]
    sets[0] &= ~0b110  # CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH, of those in effect
    assert libc.capset(header, sets) == 0
    try:
        yield
    finally:
        sets[0] = before
        assert libc.capset(header, sets) == 0
