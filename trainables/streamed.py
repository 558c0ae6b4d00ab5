"""Features that do not fit into memory: in a file of the disk, which they are streamed into from the store.

Where utterances lie in it is what it would be in memory, so batches are gathered from it as from there, number for number:
the operating system reads what a batch needs, and keeps what it has room for.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from filelock import FileLock

from data_prep.errors import InputError
from data_prep.features import Length
from data_prep.places import Place, row_groups
from data_prep.store import Store, open_store, parts
from trainables.ragged import of_length, starts_of, values_of

# Each reads a row group at a time, a quarter of a gigabyte at the most, and makes two copies of it; a disk has enough to do
# with as many.
_WRITERS = 4


@dataclass(frozen=True, eq=False)
class Streamed:
    """What stands for the array :attr:`trainables.data.Domain.values`, and is pickled without its numbers.

    The file is written by whoever needs it first; a process on another node, which does not see it, writes its own. One
    that is there is used by all launches: its name says what is in it.

    Attributes:
        folder: of such files.
        store: where they come from.
        feature, corpora: what of it.
        length: what utterances are cut and padded to.
        utterances: ``corpus/utterance id`` of each.
        starts: as in :class:`~trainables.data.Domain`.
    """

    folder: Path
    store: Store
    feature: str
    corpora: tuple[str, ...]
    length: Length | None
    utterances: tuple[str, ...]
    starts: np.ndarray

    @property
    def shape(self) -> tuple[int, int]:
        """Frames of all utterances, and dimensions."""
        return int(self.starts[-1]), self.store.entry(self.feature, self.corpora[0]).recipe["dimensions"]

    @property
    def nbytes(self) -> int:
        """Of the file."""
        frames, dimensions = self.shape
        return frames * dimensions * np.dtype(np.float32).itemsize

    @cached_property
    def path(self) -> Path:
        """The file: float32, as this machine has them, with nothing before or after."""
        recipes = [self.store.entry(self.feature, corpus).recipe for corpus in self.corpora]  # with libraries' versions
        content = [self.store.fingerprint(self.feature, self.corpora), self.corpora, recipes]
        chosen = [self.length and asdict(self.length), self.utterances]
        digest = hashlib.sha256(json.dumps([content, chosen], sort_keys=True).encode()).hexdigest()[:16]
        return self.folder / f"{self.feature}-{'+'.join(self.corpora)[:80]}-{digest}.f32"

    def __getitem__(self, frames: slice) -> np.ndarray:
        """Float32 of shape (frames, dimensions)."""
        return self._mapped[frames]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        """All of it, mapped into memory and read only where it is used."""
        return self._mapped if dtype is None and not copy else np.array(self._mapped, dtype)

    def __getstate__(self) -> Mapping[str, Any]:
        """All but the file's content and what is made of the rest."""
        return {name: value for name, value in vars(self).items() if name not in ("_mapped", "_numbers")}

    def write(self) -> None:
        """Streams the file from the store, if it is not there; others wait meanwhile.

        It is written beside its name and renamed when it is whole: one that was killed at it leaves nothing that is used.

        Raises:
            InputError: the disk has no room, the folder cannot be written, or the store is damaged or was rebuilt meanwhile.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with FileLock(f"{self.path}.lock"):
                if self._is_whole():
                    return
                self._beside.unlink(missing_ok=True)
                self._check_room()
                try:
                    self._fill()
                    self._beside.replace(self.path)
                finally:
                    self._beside.unlink(missing_ok=True)
        except OSError as error:
            raise InputError(f"{self.path} cannot be written: {error.strerror or error}") from error

    def write_part(self, corpus: str, file: Place) -> int:
        """Writes the utterances of one Parquet file of the store where they belong.

        Returns:
            How many those are.
        """
        count = 0
        with open(self._beside, "r+b") as there:
            for first, chosen in self._chosen(corpus, file):
                values, starts = values_of(chosen), starts_of(chosen["frames"].to_numpy(), None)
                if self.length is not None:
                    values, starts = of_length(values, starts, self.length)
                if not np.array_equal(starts + self.starts[first], self.starts[first : first + len(starts)]):
                    raise OSError(f"{file} holds other utterances than it did")
                there.seek(int(self.starts[first]) * values.itemsize * values.shape[1])
                there.write(np.ascontiguousarray(values).data)
                count += len(chosen)
            there.flush()
            os.fsync(there.fileno())
        return count

    def _chosen(self, corpus: str, file: Place) -> Iterator[tuple[int, pa.Table]]:
        """Of each row group the rows that are wanted, which follow one another, and the number of the first."""
        for _, read in row_groups(file, ["utterance_id", "frames", "features"]):
            table = read()
            numbers = [self._numbers.get(f"{corpus}/{id}", -1) for id in table["utterance_id"].to_pylist()]
            chosen = table.filter(pa.array(np.array(numbers) >= 0))
            if len(chosen):
                yield max(numbers) + 1 - len(chosen), chosen

    def _fill(self) -> None:
        """Has all Parquet files written where they belong."""
        from data_prep import cores  # here, for it knows all of a build

        self._check_store()
        with open(self._beside, "wb") as file:
            file.truncate(self.nbytes)
        todo = [(corpus, file) for corpus in self.corpora for file in parts(self.store.files, self.feature, corpus)]
        written = 0
        for result in cores.on_this_node(_Writer, self, todo, _WRITERS):
            if isinstance(result, InputError):
                raise result
            written += result
        self._check_store(len(self.utterances) - written)

    def _check_store(self, lacking: int = 0) -> None:
        """Refuses a store that lacks utterances, or is not, or no longer, the one that this was made for."""
        now = open_store(self.store.path)
        changed = [one for one in self.corpora if now.entry(self.feature, one) != self.store.entry(self.feature, one)]
        if lacking or changed:
            raise InputError(f"the store {self.store.path} is damaged or was rebuilt just now; try again")

    def _check_room(self) -> None:
        free = shutil.disk_usage(self.folder).free
        if self.nbytes > free:
            raise InputError(
                f"{self.feature} of {'+'.join(self.corpora)} needs {self.nbytes} bytes in {self.folder}, where {free} are "
                "free; make room there, or hold it in memory with a larger --memory"
            )

    def _is_whole(self) -> bool:
        return self.path.exists() and self.path.stat().st_size == self.nbytes

    @property
    def _beside(self) -> Path:
        return self.path.with_suffix(".part")

    @cached_property
    def _mapped(self) -> np.ndarray:
        if not self._is_whole():
            self.write()
        return np.asarray(np.memmap(self.path, np.float32, mode="r", shape=self.shape))

    @cached_property
    def _numbers(self) -> dict[str, int]:
        """The number of each utterance."""
        return {utterance: number for number, utterance in enumerate(self.utterances)}


class _Writer:
    """A worker that writes the utterances of one Parquet file after another."""

    def __init__(self, streamed: Streamed) -> None:
        self._streamed = streamed

    def __call__(self, row: Mapping[str, tuple[str, Place]]) -> dict[str, int | InputError]:
        corpus, file = row["todo"]
        try:
            return {"result": self._streamed.write_part(corpus, file)}
        # As a result: of what a worker raises Ray makes pages.
        except (OSError, ValueError, pa.ArrowException) as error:
            return {"result": InputError(f"{file} cannot be streamed to {self._streamed.folder}: {error}")}
