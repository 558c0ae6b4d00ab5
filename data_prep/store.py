"""The feature store: plain Parquet, with a manifest that says what went in.

    STORE/store.json                               the manifest
    STORE/<feature>/corpus=<name>/part-00000.parquet
    STORE/quarantine.parquet                       what was left out, and why

A row is an utterance: the columns of :class:`data_prep.corpora.Utterance`, ``reader`` (the corpus module), ``seconds``,
``audio_sha256``, ``frames``, and ``features``, the frames one after another as a flat list of float32
(``np.reshape(features, (frames, -1))``). Labels are the corpus's own; a label scheme is applied when a task is loaded.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from data_prep import audio, features
from data_prep.errors import InputError, nearest_first

FORMAT = 1
MANIFEST = "store.json"
QUARANTINE = "quarantine.parquet"

TEXTS = ("utterance_id", "audio", "speaker", "gender", "language", "session", "emotion", "split")
NUMBERS = ("arousal", "valence", "dominance", "start", "end")
SCHEMA = pa.schema(
    [(name, pa.string()) for name in TEXTS]
    + [(name, pa.float64()) for name in NUMBERS]
    + [
        ("reader", pa.string()),
        ("seconds", pa.float64()),
        ("audio_sha256", pa.string()),
        ("frames", pa.int32()),
        ("features", pa.list_(pa.float32())),
    ]
)
QUARANTINE_SCHEMA = pa.schema([(name, pa.string()) for name in ("corpus", "feature", "utterance_id", "audio", "reason")])


@dataclass(frozen=True)
class Store:
    """A feature store that is there.

    Attributes:
        path: its folder.
        manifest: what ``store.json`` holds.
    """

    path: Path
    manifest: dict[str, Any]

    def features(self) -> list[str]:
        """The feature types in it."""
        return sorted(self.manifest["features"])

    def corpora(self, feature: str) -> list[str]:
        """The corpora that it holds this feature of."""
        return sorted(self.manifest["features"].get(feature, {"corpora": {}})["corpora"])

    def entry(self, feature: str, corpus: str) -> dict[str, Any]:
        """What the manifest says of a feature of a corpus: reader, root, demo, fingerprint, counts.

        Raises:
            InputError: it is not in the store; the message lists what is, nearest first.
        """
        if feature not in self.features():
            raise InputError(_not_there(self.path, "feature", feature, self.features(), f"--feature {feature}"))
        if corpus not in self.corpora(feature):
            raise InputError(
                _not_there(self.path, "corpus", corpus, self.corpora(feature), f"--corpus {corpus}=PATH")
            )
        return self.manifest["features"][feature]["corpora"][corpus]

    def is_demo(self, corpora: Iterable[str]) -> bool:
        """Whether any of these corpora is a demo corpus: synthetic speech, for trying the software."""
        entries = self.manifest["features"].values()
        return any(entry["corpora"][name]["demo"] for entry in entries for name in corpora if name in entry["corpora"])

    def load(self, feature: str, corpora: Sequence[str]) -> pa.Table:
        """The rows of some corpora, in the order given and by utterance id, with a column ``corpus``.

        Raises:
            InputError: something is not in the store, or was made with settings other than this version's.
        """
        tables = []
        for corpus in corpora:
            entry = self.entry(feature, corpus)
            check_settings(self.path, feature, entry)
            table = pq.read_table(self.path / feature / f"corpus={corpus}", schema=SCHEMA, partitioning=None)
            if table.num_rows != entry["utterances"]:
                raise InputError(
                    f"the store {self.path} is damaged: {feature} of {corpus} has {table.num_rows} rows, "
                    f"its manifest says {entry['utterances']}; delete the store and build it again"
                )
            table = table.sort_by("utterance_id")
            tables.append(table.append_column("corpus", pa.array([corpus] * len(table), pa.string())))
        return pa.concat_tables(tables)

    def fingerprint(self, feature: str, corpora: Sequence[str]) -> str:
        """Hex digest of all that the rows of some corpora depend on, whatever the machine, the paths and the time."""
        digests = [f"{corpus} {self.entry(feature, corpus)['fingerprint']}" for corpus in corpora]
        return hashlib.sha256("\n".join(digests).encode()).hexdigest()

    def quarantined(self) -> pa.Table:
        """The utterances that were left out: corpus, feature, utterance_id, audio, reason."""
        return pq.read_table(self.path / QUARANTINE, schema=QUARANTINE_SCHEMA)


def open_store(path: Path) -> Store:
    """The store in the folder ``path``.

    Raises:
        InputError: there is none, or it was made by an incompatible version.
    """
    recover(path)
    try:
        manifest = json.loads((path / MANIFEST).read_text())
    except FileNotFoundError:
        raise InputError(
            f"there is no feature store in {path}; make one: python -m data_prep.build --corpus NAME=PATH --store {path}"
        ) from None
    except (OSError, json.JSONDecodeError) as error:
        raise InputError(f"{path / MANIFEST} cannot be read as a store's manifest: {error}") from error
    if manifest.get("format") != FORMAT:
        raise InputError(f"the store {path} has format {manifest.get('format')}, this version reads {FORMAT}: rebuild it")
    return Store(path, manifest)


def recipe(feature: str) -> dict[str, Any]:
    """All that a feature's values depend on besides the audio, as plain JSON types."""
    kind = features.load(feature)
    settings = {"sample_rate": kind.sample_rate, "dimensions": kind.dimensions, "version": kind.version}
    return json.loads(json.dumps({**settings, **kind.settings, "decoding": audio.decoding()}))


def check_settings(path: Path, feature: str, entry: dict[str, Any]) -> None:
    """Raises an :class:`InputError` where a store's features were made with settings other than this version's."""
    made, now = entry["recipe"], recipe(feature)
    for name in sorted({*made, *now}):
        if made.get(name) != now.get(name):
            raise InputError(
                f"the store {path} was made with {feature} {name} = {made.get(name)!r}, this version has "
                f"{now.get(name)!r}; build it again: python -m data_prep.build --store {path} --corpus NAME=PATH"
            )


def recover(path: Path) -> None:
    """Finishes what a build that was killed between its two renames left: the old store under another name."""
    old = path.with_name(path.name + ".old")
    if not path.exists() and (old / MANIFEST).exists():
        old.rename(path)


def counts_by(table: pa.Table, column: str) -> dict[str, int]:
    """Utterances by the value of a column, most frequent first."""
    counted = sorted(pc.value_counts(table[column]).to_pylist(), key=lambda row: (-row["counts"], str(row["values"])))
    return {row["values"]: row["counts"] for row in counted}


def _not_there(path: Path, what: str, name: str, known: Sequence[str], option: str) -> str:
    listed = ", ".join(nearest_first(name, known)) or "nothing"
    return f"the store {path} holds no {what} {name!r}; it holds, nearest first: {listed}; build it with {option}"
