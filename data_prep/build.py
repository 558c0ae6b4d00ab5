"""The command that makes feature stores: ``python -m data_prep.build --corpus emodb=PATH --store DIR``.

Ray Data spreads shards of utterances over all cores or nodes. The new store is written beside the old one and renamed
when it is whole, so that a build that is killed, or finds its disk full, leaves the old one as it was. What is up to
date, by digest of the audio and settings of the feature, is not computed again.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import logging
import os
import re
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock, Timeout
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from data_prep import corpora as readers
from data_prep import features as feature_types
from data_prep.corpora import Utterance
from data_prep.demo import is_demo
from data_prep.errors import InputError, command, unknown
from data_prep.shards import SHARD, digest_files, write_shard
from data_prep.store import FORMAT, MANIFEST, QUARANTINE, QUARANTINE_SCHEMA, Store, open_store, recipe, recover

_EXAMPLES = """\
examples:
  python -m data_prep.build --corpus emodb=/data/emodb --store stores/mine
  python -m data_prep.build --corpus emodb=/data/emodb --corpus tibetan=/data/tibetan.csv --store stores/mine

A store keeps what is in it: building adds corpora, or brings them up to date, computing only what has changed.
"""


@dataclass
class Built:
    """What became of one feature of one corpus."""

    feature: str
    corpus: str
    utterances: int = 0
    seconds: float = 0.0
    computed: int = 0
    reused: int = 0
    quarantined: list[tuple[str, str, str]] = field(default_factory=list)  # utterance id, audio, reason

    def __str__(self) -> str:
        counts = f"{self.utterances} utterances, {self.seconds / 3600:.2f} h, {self.computed} computed, {self.reused} reused"
        return f"{self.corpus}: {self.feature} of {counts}, {len(self.quarantined)} in quarantine"


def build(
    store: Path, corpora: Mapping[str, Path], features: Sequence[str] = ("mfb40",), *, quiet: bool = False
) -> list[Built]:
    """Adds corpora to a feature store, or brings them up to date in it.

    Args:
        store: its folder; made where there is none.
        corpora: each corpus's folder by its name: a reader's, or any name with the path of a manifest (a CSV file).
        features: the feature types to compute.
        quiet: prints nothing.

    Returns:
        What became of each feature of each corpus.

    Raises:
        InputError: a name is unknown, a folder is not that corpus, nothing of a corpus can be read, or the store
            cannot be written. The old store, if there is one, is as it was.
    """
    kinds = {name: reader_of(name, path) for name, path in corpora.items()}
    for feature in features:
        feature_types.load(feature)
    rows = {name: readers.read(kinds[name], path) for name, path in corpora.items()}
    console = Console(quiet=quiet, highlight=False)
    start_ray()
    with _locked(store, console), _staged(store) as staging:
        old = open_store(store) if store.exists() else None
        manifest = _empty_manifest(old)
        done = []
        for feature in features:
            for name, path in corpora.items():
                task = _Task(feature, name, kinds[name], path.resolve(), rows[name], old, staging, console)
                entry, built = task.run()
                manifest["features"].setdefault(feature, {"corpora": {}})["corpora"][name] = entry
                done.append(built)
                console.print(str(built))
        _keep_the_rest(old, manifest, staging, {(built.feature, built.corpus) for built in done})
        _write_quarantine(old, staging, done)
        (staging / MANIFEST).write_text(json.dumps(manifest, indent=1, sort_keys=True))
    return done


def reader_of(name: str, path: Path) -> str:
    """The reader of a corpus called ``name`` at ``path``: the one of that name, or ``manifest`` for a CSV file.

    Raises:
        InputError: there is none, or the name is no folder name.
    """
    if not re.fullmatch(r"[A-Za-z0-9][\w.-]*", name):
        raise InputError(f"corpus name {name!r} must be letters, digits, '_', '-' and '.'")
    if path.suffix.lower() == ".csv":
        return "manifest"
    if name not in readers.known():
        raise unknown("corpus", name, readers.known())
    return name


def corpus_argument(text: str) -> tuple[str, Path]:
    """Name and path of ``NAME=PATH``."""
    name, equals, path = text.partition("=")
    if not (name and equals and path):
        raise InputError(f"--corpus {text!r} must be NAME=PATH, such as emodb=/data/emodb")
    reader_of(name, Path(path))
    return name, Path(path).expanduser()


def start_ray(address: str | None = None) -> None:
    """Joins the Ray cluster at ``address``, or starts Ray on this machine, unless this process has one already."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    import ray

    if not ray.is_initialized():
        options: dict[str, Any] = {"address": address} if address else {"include_dashboard": False}
        ray.init(log_to_driver=False, logging_level=logging.ERROR, **options)


@dataclass
class _Task:
    """One feature of one corpus on its way into the new store."""

    feature: str
    corpus: str
    reader: str
    root: Path
    rows: list[Utterance]
    old: Store | None
    staging: Path
    console: Console

    def run(self) -> tuple[dict[str, Any], Built]:
        """Computes what is not up to date; returns the manifest's entry and what became of it."""
        digests = self._digests()
        fingerprint = self._fingerprint(digests)
        before = self._old_entry()
        if self.old is not None and before is not None and before["fingerprint"] == fingerprint:
            return {**before, "root": str(self.root)}, self._unchanged(self.old, before)
        built = self._compute(digests)
        if not built.utterances:
            first = built.quarantined[0]
            raise InputError(f"{self.corpus}: not one utterance of {self.root} can be read; {first[1]}: {first[2]}")
        entry = {
            "reader": self.reader,
            "root": str(self.root),
            "demo": any(is_demo(folder) for folder in (self.root, self.root.parent)),
            "recipe": recipe(self.feature),
            "fingerprint": fingerprint,
            "utterances": built.utterances,
            "seconds": built.seconds,
            "quarantined": len(built.quarantined),
        }
        return entry, built

    @property
    def _audio_root(self) -> Path:
        return self.root if self.root.is_dir() else self.root.parent

    def _digests(self) -> dict[str, str | None]:
        files = sorted({row.audio for row in self.rows})
        parts = [files[first : first + SHARD] for first in range(0, len(files), SHARD)]
        items = [{"root": str(self._audio_root), "files": json.dumps(part)} for part in parts]
        digests: dict[str, str | None] = {}
        for answer in _on_all_cores(digest_files, items):
            digests.update(json.loads(answer["digests"]))
        return digests

    def _fingerprint(self, digests: Mapping[str, str | None]) -> str:
        digest = hashlib.sha256(json.dumps([self.reader, recipe(self.feature)], sort_keys=True).encode())
        for row in self.rows:
            values = {**dataclasses.asdict(row), "audio": digests[row.audio]}
            digest.update(json.dumps(values, sort_keys=True).encode() + b"\n")
        return digest.hexdigest()

    def _old_entry(self) -> dict[str, Any] | None:
        if self.old is None or self.corpus not in self.old.corpora(self.feature):
            return None
        return self.old.entry(self.feature, self.corpus)

    def _unchanged(self, old: Store, entry: Mapping[str, Any]) -> Built:
        _link_tree(self._folder(old.path), self._folder(self.staging))
        left_out = [
            (row["utterance_id"], row["audio"], row["reason"])
            for row in old.quarantined().to_pylist()
            if (row["corpus"], row["feature"]) == (self.corpus, self.feature)
        ]
        count = entry["utterances"]
        return Built(self.feature, self.corpus, count, entry["seconds"], reused=count, quarantined=left_out)

    def _compute(self, digests: Mapping[str, str | None]) -> Built:
        reusable = self._reusable()
        built = Built(self.feature, self.corpus)
        with _progress(self.console) as bar:
            task = bar.add_task(f"{self.corpus} {self.feature}", total=len(self.rows))
            for answer in _on_all_cores(write_shard, list(self._shards(digests, reusable))):
                if answer["failure"]:
                    raise InputError(f"{answer['failure']}; nothing was changed: free some space and build again")
                outcomes = json.loads(answer["outcomes"])
                for outcome in outcomes:
                    _count(built, outcome)
                bar.advance(task, len(outcomes))
        built.quarantined.sort()
        return built

    def _shards(
        self, digests: Mapping[str, str | None], reusable: Mapping[tuple[Any, ...], tuple[str, int]]
    ) -> Iterator[dict[str, str]]:
        for number, first in enumerate(range(0, len(self.rows), SHARD)):
            rows = []
            for row in self.rows[first : first + SHARD]:
                digest = digests[row.audio]
                reuse = reusable.get((digest, row.start, row.end))
                rows.append({**dataclasses.asdict(row), "reader": self.reader, "audio_sha256": digest, "reuse": reuse})
            yield {
                "feature": self.feature,
                "root": str(self._audio_root),
                "file": str(self._folder(self.staging) / f"part-{number:05d}.parquet"),
                "rows": json.dumps(rows),
            }

    def _reusable(self) -> dict[tuple[Any, ...], tuple[str, int]]:
        """Where the old store has features by this very recipe: (digest, start, end) to (file, row)."""
        entry = self._old_entry()
        if self.old is None or entry is None or entry["recipe"] != recipe(self.feature):
            return {}
        found = {}
        for file in sorted(self._folder(self.old.path).glob("*.parquet")):
            columns = pq.read_table(file, columns=["audio_sha256", "start", "end"], partitioning=None).to_pylist()
            for number, row in enumerate(columns):
                found[row["audio_sha256"], row["start"], row["end"]] = (str(file), number)
        return found

    def _folder(self, store: Path) -> Path:
        return store.absolute() / self.feature / f"corpus={self.corpus}"


def _count(built: Built, outcome: Mapping[str, Any]) -> None:
    if "reason" in outcome:
        built.quarantined.append((outcome["utterance_id"], outcome["audio"], outcome["reason"]))
        return
    built.utterances += 1
    built.seconds += outcome["seconds"]
    built.computed += not outcome["reused"]
    built.reused += outcome["reused"]


def _on_all_cores(work: Any, items: list[dict[str, str]]) -> Iterator[dict[str, str]]:
    """The answers of ``work`` to each item, in order, as they are computed by Ray Data."""
    import ray.data

    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.execution_options.preserve_order = True
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    if items:
        yield from ray.data.from_items(items, override_num_blocks=len(items)).map(work).iter_rows()


@contextmanager
def _locked(store: Path, console: Console) -> Iterator[None]:
    """Lets one build at a time at a store."""
    try:
        store.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(f"{store}.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            console.print(f"another build is at work on {store}; waiting for it")
            lock.acquire()
    except OSError as error:
        raise InputError(f"{store} cannot be written: {error.strerror}; give another folder with --store") from error
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _staged(store: Path) -> Iterator[Path]:
    """A folder beside the store that takes its place if all goes well, and is removed if not."""
    recover(store)
    if store.exists() and not (store / MANIFEST).exists() and any(store.iterdir()):
        raise InputError(f"{store} is a folder with other things in it, not a feature store; give another with --store")
    staging, old = (store.with_name(store.name + ending) for ending in (".building", ".old"))
    try:
        shutil.rmtree(staging, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)
        staging.mkdir()
        yield staging
        if store.exists():
            store.rename(old)
        staging.rename(store)
        shutil.rmtree(old, ignore_errors=True)
    except OSError as error:
        raise InputError(f"{store} cannot be written: {error.strerror or error}; nothing was changed") from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _empty_manifest(old: Store | None) -> dict[str, Any]:
    return {"format": FORMAT, "features": {}, "built_by": [*(old.manifest["built_by"] if old else []), " ".join(sys.argv)]}


def _keep_the_rest(old: Store | None, manifest: dict[str, Any], staging: Path, done: set[tuple[str, str]]) -> None:
    for feature in old.features() if old else []:
        assert old is not None
        for corpus in old.corpora(feature):
            if (feature, corpus) not in done:
                entries = manifest["features"].setdefault(feature, {"corpora": {}})["corpora"]
                entries[corpus] = old.entry(feature, corpus)
                _link_tree(old.path / feature / f"corpus={corpus}", staging / feature / f"corpus={corpus}")


def _write_quarantine(old: Store | None, staging: Path, done: Sequence[Built]) -> None:
    named = {(built.feature, built.corpus) for built in done}
    kept = [row for row in (old.quarantined().to_pylist() if old else []) if (row["feature"], row["corpus"]) not in named]
    for built in done:
        for utterance, audio, reason in built.quarantined:
            row = {"corpus": built.corpus, "feature": built.feature, "utterance_id": utterance, "audio": audio}
            kept.append({**row, "reason": reason})
    pq.write_table(pa.Table.from_pylist(kept, schema=QUARANTINE_SCHEMA), staging / QUARANTINE)


def _link_tree(source: Path, destination: Path) -> None:
    def link(first: str, second: str) -> None:
        try:
            os.link(first, second)
        except OSError:
            shutil.copy2(first, second)

    shutil.copytree(source, destination, copy_function=link)


def _progress(console: Console) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, TimeRemainingColumn(), console=console, transient=True)


@command
def main(arguments: list[str] | None = None) -> int:
    """Builds a store; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m data_prep.build",
        description="Compute features of corpora into a Parquet feature store.",
        epilog=_EXAMPLES + f"\ncorpora: {', '.join(readers.known())}\nfeatures: {', '.join(feature_types.known())}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--corpus", action="append", required=True, metavar="NAME=PATH", help="a corpus and its folder, "
                        "or any name and a manifest (a CSV file); may be given again")
    parser.add_argument("--feature", action="append", metavar="NAME", help="default mfb40; may be given again")
    parser.add_argument("--store", type=Path, required=True, help="folder of the store, made or added to")
    parser.add_argument("--address", help="a Ray cluster; default: this machine")
    given = parser.parse_args(arguments)
    corpora = dict(corpus_argument(text) for text in given.corpus)
    start_ray(given.address)
    done = build(given.store, corpora, given.feature or ["mfb40"])
    for built in done:
        for utterance, audio, reason in built.quarantined[:5]:
            print(f"  quarantined {built.corpus} {utterance} ({audio}): {reason}")
        if len(built.quarantined) > 5:
            print(f"  and {len(built.quarantined) - 5} more of {built.corpus}; all are in {given.store / QUARANTINE}")
    print(f"store {given.store}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
