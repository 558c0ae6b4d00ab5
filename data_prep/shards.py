"""What the build's workers do: digest audio files, and write one shard of features each.

A shard is described by JSON and answered by JSON, so that what crosses between processes stays small and plain. Audio
and features exist only in the worker that computes a shard, one shard at a time, and in the file that it writes.
"""

from __future__ import annotations

import errno
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from data_prep import audio, features
from data_prep.store import SCHEMA

SHARD = 256  # utterances


def digest_files(item: Mapping[str, str]) -> dict[str, str]:
    """SHA-256 of each file of ``item["files"]`` by its path; ``None`` for one that cannot be read."""
    paths = json.loads(item["files"])
    return {"digests": json.dumps({path: _digest(Path(item["root"]) / path) for path in paths})}


def _digest(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def write_shard(item: Mapping[str, str]) -> dict[str, str]:
    """Computes and writes one shard.

    Args:
        item: ``feature``; ``root`` of the corpus; ``file`` to write; ``rows``, JSON of the utterances, each with
            ``reader``, ``audio_sha256`` and, where an old store has its features, ``reuse`` as (file, row).

    Returns:
        ``outcomes``, JSON of one mapping per utterance (``utterance_id``, ``audio``, ``seconds``, ``reused``,
        ``reason`` where it was left out), and ``failure``, a reason why the shard could not be written, or "".
    """
    import torch

    torch.set_num_threads(1)
    rows = json.loads(item["rows"])
    old = _Old()
    outcomes, kept = [], []
    for row in rows:
        reuse = row.pop("reuse")
        try:
            values = old.features(*reuse) if reuse else _compute(item["feature"], Path(item["root"]), row)
        except audio.UnreadableAudio as reason:
            outcomes.append({"utterance_id": row["utterance_id"], "audio": row["audio"], "reason": str(reason)})
            continue
        kept.append({**row, **values})
        outcomes.append({"utterance_id": row["utterance_id"], "seconds": values["seconds"], "reused": bool(reuse)})
    return {"outcomes": json.dumps(outcomes), "failure": _write(Path(item["file"]), kept)}


def _compute(feature: str, root: Path, row: Mapping[str, Any]) -> dict[str, Any]:
    kind = features.load(feature)
    waveform = audio.read(root / row["audio"], kind.sample_rate, row["start"], row["end"])
    seconds = len(waveform) / kind.sample_rate
    values = kind.compute(waveform)
    if len(values) == 0:
        raise audio.UnreadableAudio(f"{seconds:.3f} s is too short for one frame of {feature}")
    if values.shape[1] != kind.dimensions or not np.isfinite(values).all():
        raise audio.UnreadableAudio(f"{feature} of it is not {kind.dimensions} finite numbers a frame")
    return {"seconds": seconds, "frames": len(values), "features": values.astype(np.float32).reshape(-1)}


class _Old:
    """Rows of an old store's shards, each file read once."""

    def __init__(self) -> None:
        self._tables: dict[str, pa.Table] = {}

    def features(self, file: str, row: int) -> dict[str, Any]:
        if file not in self._tables:
            self._tables[file] = pq.read_table(file, columns=["seconds", "frames", "features"], partitioning=None)
        held = self._tables[file].slice(row, 1)
        values = held["features"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
        return {"seconds": held["seconds"][0].as_py(), "frames": held["frames"][0].as_py(), "features": values}


def _write(file: Path, rows: list[dict[str, Any]]) -> str:
    if not rows:
        return ""
    columns = {name: [row[name] for row in rows] for name in SCHEMA.names if name != "features"}
    arrays = [pa.array(values, SCHEMA.field(name).type) for name, values in columns.items()]
    offsets = np.concatenate([[0], np.cumsum([len(row["features"]) for row in rows])]).astype(np.int32)
    lists = pa.ListArray.from_arrays(offsets, np.concatenate([row["features"] for row in rows]))
    table = pa.Table.from_arrays([*arrays, lists.cast(SCHEMA.field("features").type)], schema=SCHEMA)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, file)
    except OSError as error:
        full = error.errno == errno.ENOSPC or "No space left" in str(error)
        return f"the disk of {file.parent} is full" if full else f"{file} cannot be written: {error}"
    return ""
