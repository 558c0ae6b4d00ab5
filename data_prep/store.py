"""The feature store: plain Parquet, partitioned by corpus, with a manifest that says what went in.

    STORE/store.json                                     the manifest
    STORE/DATASHEET.md                                   what went in, for people
    STORE/<feature>/corpus=<name>/part-00000.parquet     256 utterances each, by utterance id
    STORE/quarantine.parquet                             what was left out, and why

A row is an utterance: the columns of :class:`data_prep.corpora.Utterance` (times in seconds, ratings on the corpus's own
scale), then

| column | type | what |
|---|---|---|
| `reader` | string | the corpus module that read it |
| `audio_sha256` | string | SHA-256 of the audio file, in hex |
| `seconds` | double | length of the utterance, in seconds |
| `frames` | int32 | frames of the feature, one every `frame_shift` seconds of its recipe |
| `features` | list of float | the frames one after another: `numpy.reshape(features, (frames, -1))`, units by feature |

Labels are the corpus's own; a label scheme is applied when a task is loaded, so one store serves every task.
At an address (``s3://bucket/store``) all this lies one folder further down, which the manifest there names
(:mod:`data_prep.generations`). ``docs/feature_store.md`` documents every column, and how to read them with none of this code.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from itertools import pairwise
from typing import Any, get_type_hints

import pyarrow as pa
import pyarrow.compute as pc

from data_prep import staging
from data_prep.corpora import Utterance
from data_prep.errors import InputError, nearest_first
from data_prep.frames import Frames
from data_prep.places import Address, Place, Unreachable, read_table
from data_prep.recipes import differences, recipe

FORMAT = 1
MANIFEST = "store.json"
QUARANTINE = "quarantine.parquet"

_COUNTED = ("speaker", "language", "emotion")
_TYPES = {str: pa.string(), str | None: pa.string(), float | None: pa.float64()}
ROW_SCHEMA = pa.schema(
    [(field.name, _TYPES[get_type_hints(Utterance)[field.name]]) for field in fields(Utterance)]
    + [("reader", pa.string()), ("audio_sha256", pa.string()), ("seconds", pa.float64()), ("frames", pa.int32())]
)
SCHEMA = pa.schema([*ROW_SCHEMA, ("features", pa.list_(pa.float32()))])
QUARANTINE_SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("corpus", "reader", "feature", "utterance_id", "audio", "reason")]
)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What the manifest says of one corpus under one feature.

    Attributes:
        reader: the corpus module.
        root: the folder (for a manifest, the CSV file) that it was read from.
        demo: whether it is synthetic speech for trying the software.
        recipe: what its features were computed with (:func:`~data_prep.recipes.recipe`).
        fingerprint: hex digest of its rows and its recipe but the versions of libraries.
        utterances, seconds, shards: how many rows, how much speech, how many Parquet files.
        quarantined: how many utterances were left out.
    """

    reader: str
    root: str
    demo: bool
    recipe: Mapping[str, Any]
    fingerprint: str
    utterances: int
    seconds: float
    shards: int
    quarantined: int


@dataclass(frozen=True)
class Store:
    """A feature store that is there.

    Attributes:
        path: its folder or address.
        entries: its manifest, by feature and corpus.
        content: the folder of its files where that is another, as it is at an address.
    """

    path: Place
    entries: Mapping[str, Mapping[str, Entry]]
    content: Place | None = None

    @property
    def files(self) -> Place:
        """The folder that has its files."""
        return self.path if self.content is None else self.content

    def corpora(self, feature: str) -> list[str]:
        """The corpora that it holds this feature of."""
        return sorted(self.entries.get(feature, {}))

    def entry(self, feature: str, corpus: str) -> Entry:
        """What the manifest says of a corpus.

        Raises:
            InputError: it is not in the store; the message lists what is, nearest first.
        """
        for kind, name, known in (
            ("feature", feature, sorted(self.entries)),
            ("corpus", corpus, self.corpora(feature)),
        ):
            if name not in known:
                listed = ", ".join(nearest_first(name, known)) or "none"
                add = f"--feature {name}" if kind == "feature" else f"--corpus {name}=PATH --feature {feature}"
                raise InputError(
                    f"the store {self.path} holds no {kind} {name!r}; there, nearest first: {listed}; "
                    f"add it with python -m data_prep.build --store {self.path} {add}"
                )
        return self.entries[feature][corpus]

    def is_demo(self, corpora: Iterable[str]) -> bool:
        """Whether any of these corpora is a demo corpus: synthetic speech, for trying the software."""
        names = set(corpora)
        return any(entry.demo for held in self.entries.values() for name, entry in held.items() if name in names)

    def roots(self) -> dict[str, str]:
        """Where each corpus was read from."""
        return {name: entry.root for held in self.entries.values() for name, entry in held.items()}

    def load(self, feature: str, corpora: Sequence[str], *, values: bool = True) -> pa.Table:
        """All rows of some corpora: ``corpus`` and the columns of :data:`SCHEMA`, but for the features without ``values``.

        Rows come in the order of ``corpora``, within a corpus by utterance id.

        Raises:
            InputError: a corpus or feature is not in the store, was computed with other settings than this version's,
                or its files are damaged.
        """
        tables = []
        for corpus in dict.fromkeys(corpora):
            entry = self.entry(feature, corpus)
            self._check_settings(feature, corpus, entry)
            tables.append(self._table(feature, corpus, SCHEMA if values else ROW_SCHEMA))
        return pa.concat_tables(tables)

    def rows(self, *corpora: str, feature: str | None = None) -> pa.Table:
        """The utterances: ``corpus`` and the columns of :data:`ROW_SCHEMA`, without the features.

        Args:
            corpora: their names; all that there are where none is given. Rows come in this order, then by utterance id.
            feature: whose rows; may be left out where the store has one feature.

        Raises:
            InputError: a corpus or feature is not in the store, several features are and none is named, or its files are
                damaged.
        """
        feature = self._feature(feature)
        return pa.concat_tables([self._table(feature, name, ROW_SCHEMA) for name in corpora or self.corpora(feature)])

    def features(self, corpus: str, feature: str | None = None) -> Frames:
        """The features of a corpus by utterance id, as float32 arrays of shape (frames, dimensions).

        They are what the store holds, whatever settings they were computed with: ``entry(feature, corpus).recipe``.

        Raises:
            InputError: as :meth:`rows`.
        """
        feature = self._feature(feature)
        dimensions = self.entry(feature, corpus).recipe["dimensions"]
        return Frames(parts(self.files, feature, corpus), dimensions)

    def summary(self) -> pa.Table:
        """What is in the store: a row per feature and corpus; ``summary().to_pandas()`` shows it as a table.

        Columns: ``feature``, ``corpus``, ``utterances``, ``hours`` of speech, ``speakers``, ``languages`` (BCP 47 tags),
        ``classes`` (raw emotion labels), ``quarantined`` utterances, and ``demo``, whether it is synthetic speech.
        """
        found = []
        for feature, held in sorted(self.entries.items()):
            for corpus, entry in sorted(held.items()):
                rows = self.rows(corpus, feature=feature)
                names = {name: sorted(filter(None, pc.unique(rows[name]).to_pylist())) for name in _COUNTED}
                found.append(
                    {
                        "feature": feature,
                        "corpus": corpus,
                        "utterances": entry.utterances,
                        "hours": entry.seconds / 3600,
                        "speakers": len(names["speaker"]),
                        "languages": names["language"],
                        "classes": names["emotion"],
                        "quarantined": entry.quarantined,
                        "demo": entry.demo,
                    }
                )
        return pa.Table.from_pylist(found)

    def fingerprint(self, feature: str, corpora: Sequence[str]) -> str:
        """Hex digest of the content of some corpora, independent of paths, time, machine and the order of ``corpora``.

        It covers utterance ids and labels, digests of the audio, settings and code versions of feature and decoding; not
        the versions of libraries, so that a run can be reproduced where they are others.

        Raises:
            InputError: a corpus or feature is not in the store.
        """
        held = {corpus: self.entry(feature, corpus).fingerprint for corpus in corpora}
        return hashlib.sha256(json.dumps([feature, held], sort_keys=True).encode()).hexdigest()

    def quarantined(self) -> pa.Table:
        """The utterances that were left out: corpus, reader, feature, utterance_id, audio, reason."""
        return read_table(self.files / QUARANTINE, schema=QUARANTINE_SCHEMA)

    def _feature(self, name: str | None) -> str:
        if name is None and len(self.entries) > 1:
            raise InputError(
                f"the store {self.path} holds several features; say which: {', '.join(sorted(self.entries))}"
            )
        return next(iter(self.entries)) if name is None else name

    def _table(self, feature: str, corpus: str, schema: pa.Schema) -> pa.Table:
        """The columns of ``schema`` of a corpus, all of it, after a column with its name."""
        entry = self.entry(feature, corpus)
        try:
            files = parts(self.files, feature, corpus)
            table = pa.concat_tables([read_table(file, schema=schema, partitioning=None) for file in files])
            _check_rows(table, entry)
        except (OSError, ValueError, pa.ArrowException) as error:
            raise InputError(
                f"the store {self.path} is damaged or was rebuilt just now: {feature} of {corpus}: "
                f"{str(error).splitlines()[0]}; try again, and if that does not help, delete it and build it again"
            ) from error
        return table.add_column(0, "corpus", pa.array([corpus] * len(table), pa.string()))

    def _check_settings(self, feature: str, corpus: str, entry: Entry) -> None:
        for name, made, now in differences(entry.recipe, recipe(feature)):
            raise InputError(
                f"the store {self.path} has {feature} of {corpus} made with {name} = {made!r}, this version makes it "
                f"with {now!r}; rebuild it: python -m data_prep.build --store {self.path} "
                f"--corpus {corpus}={entry.root} --feature {feature}"
            )


def open_store(path: Place) -> Store:
    """The feature store in the folder, or at the address, ``path``.

    Raises:
        InputError: there is none, or it was made by an incompatible version.
    """
    path = path.resolve()
    try:
        manifest = json.loads(_manifest(path))
        if manifest["format"] != FORMAT:
            raise InputError(
                f"the store {path} has format {manifest['format']}, this version reads {FORMAT}: "
                f"delete it and build it again"
            )
        features = manifest["features"].items()
        entries = {feature: {name: Entry(**entry) for name, entry in held.items()} for feature, held in features}
        content = path / manifest["content"] if "content" in manifest else None
    except FileNotFoundError:
        raise InputError(
            f"there is no feature store at {path}; make one: "
            f"python -m data_prep.build --store {path} --corpus NAME=PATH"
        ) from None
    except Unreachable as error:
        raise InputError(str(error)) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{path / MANIFEST} is not a store's manifest ({error}); delete the store and build it again"
        ) from error
    return Store(path, entries, content)


def _manifest(path: Place) -> str:
    """The manifest's text; a store that is just being swapped for a new one is looked for once more."""
    if isinstance(path, Address):
        return (path / MANIFEST).read_text(encoding="utf-8")
    staging.settle(path)
    try:
        return (path / MANIFEST).read_text(encoding="utf-8")
    except FileNotFoundError:
        staging.settle(path)
        return (path / MANIFEST).read_text(encoding="utf-8")


def write_manifest(path: Place, entries: Mapping[str, Mapping[str, Entry]], created: str, command: str) -> None:
    """Writes the manifest of a store in the folder ``path``: ``entries`` by feature and corpus."""
    held = {feature: {name: asdict(entry) for name, entry in corpora.items()} for feature, corpora in entries.items()}
    manifest = {"format": FORMAT, "created": created, "command": command, "features": held}
    (path / MANIFEST).write_text(json.dumps(manifest, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def folder(path: Place, feature: str, corpus: str) -> Place:
    """Where a store keeps the Parquet files of a corpus."""
    return path / feature / f"corpus={corpus}"


def parts(path: Place, feature: str, corpus: str) -> list[Place]:
    """A corpus's Parquet files in a store, in order."""
    return sorted(folder(path, feature, corpus).glob("part-*.parquet"), key=lambda part: part.name)


def _check_rows(table: pa.Table, entry: Entry) -> None:
    if len(table) != entry.utterances:
        raise ValueError(f"{len(table)} rows where the manifest says {entry.utterances}")
    ids = table["utterance_id"].to_pylist()
    if any(first >= second for first, second in pairwise(ids)):
        raise ValueError("utterance ids are not ascending")
    if "features" not in table.column_names:
        return
    values = pc.multiply(table["frames"], entry.recipe["dimensions"])
    if not pc.all(pc.equal(pc.list_value_length(table["features"]), values)).as_py():
        raise ValueError("features are not frames times dimensions")
