"""Where stores and corpora lie: a folder of this machine (a :class:`~pathlib.Path`), or an :class:`Address`.

An address is what Arrow or fsspec can open: ``s3://bucket/store`` and ``gs://bucket/store`` with Arrow alone, others
where their fsspec package is installed. Credentials, region and endpoint come from where the service's own programs take
them: for S3 from ``AWS_ACCESS_KEY_ID``, ``AWS_ENDPOINT_URL`` and so on, the files in ``~/.aws``, or the machine's role.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.fs
import pyarrow.parquet as pq

from data_prep.errors import InputError

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")


class Unreachable(OSError):
    """A service that does not answer, or not in its senses: nothing that one file of it is to blame for."""


@dataclass(frozen=True)
class Address:
    """A file or folder of a file system elsewhere, with the methods of a path that this package needs.

    Folders are there as soon as something is in them.

    Attributes:
        text: the whole address, without a slash at its end.
    """

    text: str

    def __str__(self) -> str:
        return self.text

    def __truediv__(self, name: str) -> Address:
        return Address(f"{self.text}/{name}")

    @property
    def path(self) -> str:
        """What its file system calls it."""
        base, rest = self._split()
        return f"{_opened(base)[1].rstrip('/')}/{rest}".rstrip("/")

    @property
    def filesystem(self) -> pyarrow.fs.FileSystem:
        """The file system that it is in.

        Raises:
            InputError: nothing that is installed can open such addresses.
        """
        return _opened(self._split()[0])[0]

    @property
    def name(self) -> str:
        """The last part."""
        return self.text.rpartition("/")[2]

    @property
    def suffix(self) -> str:
        """Its ending, with the dot."""
        return os.path.splitext(self.name)[1]

    @property
    def parent(self) -> Address:
        """The folder it is in; a whole bucket is its own."""
        base, rest = self._split()
        return Address(f"{base}/{rest.rpartition('/')[0]}".rstrip("/")) if rest else self

    def with_name(self, name: str) -> Address:
        """Another one in the same folder."""
        return self.parent / name

    def resolve(self) -> Address:
        """Itself: an address means the same everywhere."""
        return self

    def exists(self) -> bool:
        """Whether a file or folder is there."""
        return self._type() != pyarrow.fs.FileType.NotFound

    def is_dir(self) -> bool:
        """Whether a folder is there."""
        return self._type() == pyarrow.fs.FileType.Directory

    def mkdir(self, *, parents: bool = False) -> None:
        """Nothing: what is written makes its folder."""

    def iterdir(self) -> Iterator[Address]:
        """What is in the folder, by name; nothing where there is none."""
        for info in sorted(self._listed(recursive=False), key=lambda info: info.path):
            yield self / info.base_name

    def glob(self, pattern: str) -> Iterator[Address]:
        """What in the folder has such a name."""
        return (place for place in self.iterdir() if fnmatchcase(place.name, pattern))

    def files(self) -> list[str]:
        """The files in the folder and the folders in it, as paths from it."""
        found = [info.path for info in self._listed(recursive=True) if info.type == pyarrow.fs.FileType.File]
        return sorted(path.removeprefix(f"{self.path}/") for path in found)

    def read_bytes(self) -> bytes:
        """The file's content.

        Raises:
            FileNotFoundError, PermissionError: of this file.
            Unreachable: the service does not answer, or not to this user.
        """
        try:
            with self.filesystem.open_input_file(self.path) as file:
                return file.read()
        except (FileNotFoundError, PermissionError):
            raise
        except OSError as error:
            if "ACCESS_DENIED" in str(error):
                raise PermissionError(errno.EACCES, "access denied", self.text) from error
            raise Unreachable(f"{self.text} cannot be read: {_one_line(error)}") from error

    def read_text(self, encoding: str = "utf-8") -> str:
        """The file's content as text; errors are those of :meth:`read_bytes`.

        Arrow asks for a file's size before it reads it: one that is written anew between the two would come in part.
        """
        content = self.read_bytes()
        while len(content) != self.filesystem.get_file_info(self.path).size:
            content = self.read_bytes()
        return content.decode(encoding)

    def write_text(self, text: str, encoding: str = "utf-8") -> None:
        """Writes the file, which readers find whole, as it was or as it is now."""
        with self.filesystem.open_output_stream(self.path) as file:
            file.write(text.encode(encoding))

    def copy(self, destination: Address) -> None:
        """Copies a file within its file system; on an object store, nothing passes through this machine."""
        parent = destination.parent
        if not isinstance(self.filesystem, pyarrow.fs.S3FileSystem):
            parent.filesystem.create_dir(parent.path)
        self.filesystem.copy_file(self.path, destination.path)

    def remove(self) -> None:
        """Removes the file, or the folder with all that is in it; nothing where there is none."""
        kind = self._type()
        if kind == pyarrow.fs.FileType.Directory:
            self.filesystem.delete_dir(self.path)
        elif kind != pyarrow.fs.FileType.NotFound:
            self.filesystem.delete_file(self.path)

    def _split(self) -> tuple[str, str]:
        """``s3://bucket`` and what follows it: a file's name may hold signs that an address as such may not."""
        scheme, _, rest = self.text.partition("://")
        bucket, _, below = rest.partition("/")
        return f"{scheme}://{bucket}", below

    def _type(self) -> pyarrow.fs.FileType:
        return self.filesystem.get_file_info(self.path).type

    def _listed(self, recursive: bool) -> list[pyarrow.fs.FileInfo]:
        selector = pyarrow.fs.FileSelector(self.path, recursive=recursive, allow_not_found=True)
        return [info for info in self.filesystem.get_file_info(selector) if info.base_name]


Place = Path | Address


def place(text: str | os.PathLike[str] | Address) -> Place:
    """What a person means by a path or an address.

    Raises:
        InputError: it is an address without a bucket, or with options in it.
    """
    if isinstance(text, Address):
        return text
    given = os.fspath(text)
    if not _ADDRESS.match(given):
        return Path(given).expanduser()
    scheme, _, rest = given.partition("://")
    if not rest.strip("/") or "?" in given:
        raise InputError(
            f"{given!r} is no address that can be used; expected one such as s3://bucket/folder, its endpoint and "
            "credentials in the environment (AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY)"
        )
    return Path(f"/{rest.lstrip('/')}") if scheme == "file" else Address(f"{scheme.lower()}://{rest.strip('/')}")


def within(root: Place, path: str) -> Place:
    """Where a path leads that starts from ``root``, if it is not a whole path or address itself."""
    if _ADDRESS.match(path) or os.path.isabs(path):
        return place(path)
    return root / path


def read_table(part: Place, **options: Any) -> pa.Table:
    """A Parquet file, as :func:`pyarrow.parquet.read_table` reads it."""
    if isinstance(part, Address):
        return pq.read_table(part.path, filesystem=part.filesystem, **options)
    return pq.read_table(part, **options)


def row_groups(part: Place, columns: Sequence[str]) -> Iterator[tuple[range, Callable[[], pa.Table]]]:
    """The row groups of a Parquet file: the numbers of its rows that one holds, and what reads that one."""
    where = {"source": part.path, "filesystem": part.filesystem} if isinstance(part, Address) else {"source": part}
    with pq.ParquetFile(**where) as file:
        first = 0
        for number in range(file.num_row_groups):
            numbers = range(first, first + file.metadata.row_group(number).num_rows)
            yield numbers, partial(file.read_row_group, number, columns=list(columns))
            first = numbers.stop


def write_table(table: pa.Table, part: Place) -> None:
    """Writes a Parquet file."""
    write_tables([table], table.schema, part)


def write_tables(tables: Iterable[pa.Table], schema: pa.Schema, part: Place, **options: Any) -> None:
    """Writes a Parquet file, a row group for each table."""
    where = {"where": part.path, "filesystem": part.filesystem} if isinstance(part, Address) else {"where": part}
    with pq.ParquetWriter(**where, schema=schema, **options) as writer:
        for table in tables:
            writer.write_table(table)


@lru_cache
def _opened(base: str) -> tuple[pyarrow.fs.FileSystem, str]:
    """A file system and what it calls the place ``base``, such as ``s3://bucket``."""
    try:
        return pyarrow.fs.FileSystem.from_uri(base)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):  # what Arrow has no file system for, fsspec may have
        return _opened_by_fsspec(base)


def _opened_by_fsspec(base: str) -> tuple[pyarrow.fs.FileSystem, str]:
    try:
        other, path = fsspec.url_to_fs(base)
    except (ImportError, ValueError) as error:
        raise InputError(f"{base} cannot be opened: {_one_line(error)}") from error
    return pyarrow.fs.PyFileSystem(pyarrow.fs.FSSpecHandler(other)), path


def _one_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]
