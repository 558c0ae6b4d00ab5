"""The data sheet of a store, ``DATASHEET.md``: what went in, for whoever is handed the folder.

It is made of the manifest, the rows and the quarantine alone, so the same store has the same text but for the line that
says when it was built. Times are in seconds, minutes or hours, as its headings say.
"""

from __future__ import annotations

import importlib
import inspect
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any

import numpy as np
import pyarrow as pa

from data_prep import corpora as readers
from data_prep import features as feature_types
from data_prep.corpora import Utterance
from data_prep.recipes import differences, flat_settings, recipe
from data_prep.store import Entry, Store

DATASHEET = "DATASHEET.md"

_UNITS = {"sample_rate": "Hz", "dimensions": "values per frame", "frame_shift": "s"}


def text(store: Store, *, created: str, command: str) -> str:
    """The data sheet.

    Args:
        store: what it is of.
        created: the time of the build.
        command: the command line of the build.
    """
    corpora = sorted(store.roots())
    blocks = [
        "# Data sheet",
        *_demo([name for name in corpora if store.is_demo([name])]),
        f"Built {created} by",
        f"    {command}",
        "Corpora that this command does not name are as an earlier build left them. All of it again:",
        "\n".join(f"    {line}" for line in _commands(store)),
        "Each line of the Parquet files is an utterance; columns and units: docs/feature_store.md of the project.",
        "## Contents",
        _table(("feature", "corpus", "utterances", "hours", "speakers", "languages", "left out"), _contents(store)),
    ]
    for name in corpora:
        blocks += _corpus(store, name)
    blocks += ["## Left out", *_left_out(store)]
    for feature in sorted(store.entries):
        blocks += _feature(feature, store.entries[feature])
    return "\n\n".join(blocks) + "\n"


def _demo(corpora: Sequence[str]) -> Iterator[str]:
    if corpora:
        yield (
            f"> **DEMO: {', '.join(corpora)}.** Synthetic speech for trying the software, in the layout of the corpus it is "
            "named after, of which it holds no recording. No scientific conclusion can be drawn from it."
        )


def _commands(store: Store) -> Iterator[str]:
    for feature, held in sorted(store.entries.items()):
        given = " ".join(f"--corpus {shlex.quote(f'{name}={entry.root}')}" for name, entry in sorted(held.items()))
        yield f"python -m data_prep.build {given} --feature {feature} --store DIR"


def _contents(store: Store) -> Iterator[Sequence[object]]:
    for row in store.summary().to_pylist():
        yield (
            *(row[name] for name in ("feature", "corpus", "utterances")),
            f"{row['hours']:.2f}",
            row["speakers"],
            ", ".join(row["languages"]),
            row["quarantined"],
        )


def _corpus(store: Store, name: str) -> Iterator[str]:
    """What a corpus is; its counts are those of the first feature that there is of it."""
    feature, entry = next((feature, held[name]) for feature, held in sorted(store.entries.items()) if name in held)
    rows = store.rows(name, feature=feature)
    known = readers.load(entry.reader) if entry.reader in readers.known() else None
    yield f"## Corpus {name}"
    if known is not None:
        yield f"{known.title}. Licence: {known.licence}."
    if known is not None and known.expected is not None:
        columns = [item.name for item in fields(Utterance)]
        whole = known.expected.of([Utterance(**row) for row in rows.select(columns).to_pylist()])
        number = f"{whole.utterances} utterances{' or more' if whole.at_least else ''}"
        yield f"The whole corpus has {number}, by {whole.source}."
    if entry.demo:
        yield "The recordings are synthetic: a demo corpus, not what the title names."
    yield f"Read from `{entry.root}` (reader `{entry.reader}`). Counts are of {feature}."
    yield _durations(rows)
    labels = known.labels if known is not None else {}
    counted = _counted(rows, "emotion")
    yield _table(
        ("class", "meaning", "utterances", "minutes"),
        (("unlabelled" if raw is None else raw, labels.get(raw, ""), *counts) for (raw,), counts in counted),
    )
    yield _table(
        ("speaker", "gender", "language", "utterances", "minutes"),
        ((*names, *counts) for names, counts in _counted(rows, "speaker", "gender", "language")),
    )
    for column in ("gender", "language", "session"):
        found = [(*names, *counts) for names, counts in _counted(rows, column) if names != (None,)]
        if found:
            yield _table((column, "utterances", "minutes"), found)


def _durations(rows: pa.Table) -> str:
    seconds = rows["seconds"].to_numpy()
    shortest, median, longest = np.quantile(seconds, (0, 0.5, 1))
    parts = list(zip(*(rows[name].to_pylist() for name in ("audio_sha256", "start", "end")), strict=True))
    line = (
        f"{len(rows)} utterances of {len({part[0] for part in parts})} recordings, {seconds.sum() / 3600:.2f} h; an utterance "
        f"lasts {shortest:.2f} to {longest:.2f} s, median {median:.2f} s, mean {seconds.mean():.2f} s."
    )
    again = len(parts) - len(set(parts))
    return f"{line} {again} of them repeat the audio of another, byte for byte." if again else line


def _counted(rows: pa.Table, *columns: str) -> list[tuple[tuple[Any, ...], tuple[int, str]]]:
    """Values of some columns with utterances and minutes, in the order of the values."""
    grouped = rows.group_by(list(columns), use_threads=False).aggregate([("seconds", "count"), ("seconds", "sum")])
    ordered = grouped.sort_by([(name, "ascending") for name in columns]).to_pylist()
    return [
        (tuple(row[name] for name in columns), (row["seconds_count"], f"{row['seconds_sum'] / 60:.1f}"))
        for row in ordered
    ]


def _left_out(store: Store) -> Iterator[str]:
    rows = store.quarantined().to_pylist()
    columns = ("feature", "corpus", "utterance_id", "audio", "reason")
    yield _table(columns, ([row[name] for name in columns] for row in rows)) if rows else "Nothing."


def _feature(name: str, held: Mapping[str, Entry]) -> Iterator[str]:
    yield f"## Feature {name}"
    now = recipe(name) if name in feature_types.known() else None
    if now is not None and not any(differences(entry.recipe, now) for entry in held.values()):
        yield inspect.getdoc(importlib.import_module(f"{feature_types.__name__}.{name}")) or ""
    entries = sorted(held.items())
    made: list[Mapping[str, Any]] = []
    for _, entry in entries:
        if entry.recipe not in made:
            made.append(entry.recipe)
    for one in made:
        of = ", ".join(corpus for corpus, entry in entries if entry.recipe == one)
        yield f"Settings of {of}; where no unit is given, it is that of the description above:"
        yield _table(
            ("setting", "value", "unit"), ((key, f"`{value}`", _UNITS.get(key, "")) for key, value in _flat(one))
        )
        yield f"Computed with {', '.join(f'{library} {version}' for library, version in sorted(one['libraries'].items()))}."
    yield "A fingerprint is of a corpus's rows, its audio and these settings; not of where it lies, nor of libraries."
    yield _table(("corpus", "fingerprint"), ((corpus, f"`{entry.fingerprint}`") for corpus, entry in entries))


def _flat(made: Mapping[str, Any]) -> list[tuple[str, Any]]:
    settings = flat_settings(made)
    return sorted(settings.items(), key=lambda item: (item[0] not in _UNITS, item[0]))


def _table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(_cell(value) for value in line)} |" for line in lines)


def _cell(value: object) -> str:
    return " ".join(str(value).split()).replace("|", "\\|")
