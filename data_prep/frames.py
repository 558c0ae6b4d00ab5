"""The features of a corpus in a store, one array per utterance, read when they are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

import numpy as np
import pyarrow as pa

from data_prep.errors import InputError
from data_prep.places import Place, read_table


class Frames(Mapping[str, np.ndarray]):
    """Features by utterance id: float32 of shape (frames, dimensions), read-only.

    Utterances come in the order of their ids. The Parquet file that holds an utterance is read when it is asked for, and
    one is held at a time: going through hours of them takes the memory of 256 utterances.

    Args:
        files: the Parquet files of one feature of one corpus.
        dimensions: values per frame.
    """

    def __init__(self, files: Sequence[Place], dimensions: int) -> None:
        self._dimensions = dimensions
        self._places: dict[str, tuple[Place, int]] = {}
        for file in files:
            ids = _read(file, "utterance_id").to_pylist()
            self._places |= {utterance_id: (file, number) for number, utterance_id in enumerate(ids)}
        self._features = lru_cache(maxsize=1)(lambda file: _read(file, "features"))

    def __getitem__(self, utterance_id: str) -> np.ndarray:
        file, number = self._places[utterance_id]
        return self._features(file)[number].values.to_numpy().reshape(-1, self._dimensions)

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def __repr__(self) -> str:
        return f"<features of {len(self)} utterances, {self._dimensions} values a frame>"


def _read(file: Place, column: str) -> pa.ChunkedArray:
    try:
        return read_table(file, columns=[column], partitioning=None)[column]
    except (OSError, pa.ArrowException) as error:
        raise InputError(
            f"{file} is damaged or was rebuilt just now: {str(error).splitlines()[0]}; open the store again, and if that "
            "does not help, delete it and build it again"
        ) from error
