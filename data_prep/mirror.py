"""A corpus at an address as readers want it: a folder.

Readers list files and read labels; they open no audio. So for as long as a corpus is being read its label files lie in a
temporary folder, and its audio in there is empty files with the right names: hours of speech are not fetched to be
listed. Whoever computes features reads audio where it is.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from data_prep.errors import InputError
from data_prep.places import Address

# Endings of files that no reader opens: audio, video, pictures and archives. All others may be labels.
_NOT_LABELS = frozenset(
    {
        *(".wav", ".flac", ".mp3", ".ogg", ".opus", ".sph", ".m4a", ".aac", ".wma", ".aif", ".aiff", ".au", ".raw"),
        *(".avi", ".mp4", ".mov", ".mkv", ".mpg", ".mpeg", ".flv", ".webm", ".png", ".jpg", ".jpeg", ".gif"),
        *(".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar", ".parquet", ".npy", ".npz", ".mat"),
    }
)


@contextmanager
def mirrored(name: str, root: Address) -> Iterator[Path]:
    """A folder (for a manifest, a file) with the label files of what is at ``root``, while the block runs.

    Args:
        name: the corpus's reader, for errors.
        root: the corpus's folder, or the CSV file of a manifest.

    Raises:
        InputError: there is nothing, it cannot be read, or it has a file whose name no folder can hold.
    """
    with tempfile.TemporaryDirectory(prefix="corpus-") as place:
        copy = Path(place) / root.name
        try:
            if not root.exists():
                raise InputError(f"{name}: there is nothing at {root}")
            if root.is_dir():
                _fetch_all(name, root, copy)
            else:
                copy.write_bytes(root.read_bytes())
        except OSError as error:
            raise InputError(f"{name}: {root} cannot be read: {str(error).splitlines()[0]}") from error
        yield copy


def _fetch_all(name: str, root: Address, copy: Path) -> None:
    copy.mkdir()
    labels = []
    for file in root.files():
        if any(part in ("", ".", "..") for part in file.split("/")):
            raise InputError(f"{name}: {root} has a file called {file!r}, which no folder can hold")
        (copy / file).parent.mkdir(parents=True, exist_ok=True)
        if PurePosixPath(file).suffix.lower() in _NOT_LABELS:
            (copy / file).touch()
        else:
            labels.append(file)
    with ThreadPoolExecutor(16) as pool:
        for file, content in zip(labels, pool.map(lambda file: (root / file).read_bytes(), labels), strict=True):
            (copy / file).write_bytes(content)
