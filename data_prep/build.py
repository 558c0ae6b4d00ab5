"""The command that makes feature stores: ``python -m data_prep.build --corpus emodb=PATH --store DIR``.

Ray Data spreads shards of utterances over all cores or nodes. Every audio file is read and digested; features are
computed where the old store has none of the same audio and recipe. The new store is written beside the old one and
takes its place when it is whole (:mod:`data_prep.staging`; at an address, :mod:`data_prep.generations`): a build that
is killed, interrupted, or finds its disk full leaves the old store as it was.
"""

from __future__ import annotations

import argparse
import shlex
import shutil
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from rich.console import Console

from data_prep import corpora as readers
from data_prep import datasheet, generations, progress, shards, staging
from data_prep import features as feature_types
from data_prep.cores import connected, on_all_cores
from data_prep.errors import InputError, command
from data_prep.places import Address, Place, Unreachable, place, read_table, write_table
from data_prep.plan import Job, corpus_arguments, fingerprint, jobs
from data_prep.recipes import recipe
from data_prep.shards import Quarantined, Shard, ShardResult
from data_prep.store import (
    MANIFEST,
    QUARANTINE,
    QUARANTINE_SCHEMA,
    ROW_SCHEMA,
    Entry,
    Store,
    folder,
    open_store,
    parts,
    write_manifest,
)
from data_prep.summary import BuildSummary, CorpusSummary

_DESCRIPTION = """\
Compute features of emotional speech corpora into a feature store: plain Parquet, partitioned by corpus.

Each --corpus is NAME=PATH: the name of a corpus that there is a reader for and the folder it lies in, or any name and
a manifest, a CSV file with a line per utterance (its columns: data_prep/corpora/manifest.py). PATH and DIR may be
addresses (data_prep/places.py), whose credentials and endpoint are in the environment. What is already in the store
stays, and what is up to date is not computed again. Files that cannot be used are left out and listed, with the reason,
in quarantine.parquet. DATASHEET.md in the store says what went in.
"""
_EXAMPLES = """\
examples:
  python -m data_prep.build --corpus emodb=/data/emodb --store stores/mine
  python -m data_prep.build --corpus emovo=/data/EMOVO --corpus lab=/data/lab.csv --feature mfb40 --store stores/mine
  python -m data_prep.build --corpus iemocap=/nfs/IEMOCAP_full_release --store /nfs/stores/all --address auto
  python -m data_prep.build --corpus emodb=s3://bucket/emodb --store s3://bucket/stores/mine
"""

_SMALL = 2000  # utterances: seeing that no file of them has changed takes less time than it takes workers to start


class _DiskFull(Exception):
    """No space is left; the argument is how many bytes the features need, or ``None`` where that is not known."""


def build(
    store: Place,
    corpora: Mapping[str, Place],
    features: Sequence[str] = ("mfb40",),
    *,
    quiet: bool = False,
    address: str | None = None,
) -> BuildSummary:
    """Adds corpora to a feature store, or brings them up to date in it; other corpora in it stay.

    Runs on the Ray that this process is connected to; where there is none, one is started and stopped again.

    Args:
        store: its folder or address; made where there is none.
        corpora: each corpus's folder or address by its name: a reader's, or any name with that of a manifest (a CSV file).
        features: the feature types to compute.
        quiet: shows no progress.
        address: a Ray cluster to run on, whose nodes all see the corpora and the store under these paths.

    Raises:
        InputError: a name is unknown, a path is not that corpus, nothing of a corpus can be used, the store cannot be
            written, or its disk is full. The old store, if there is one, is as it was.
    """
    if not corpora:
        raise InputError("no corpus is given; name one with its folder, such as emodb=/data/emodb")
    todo = jobs(corpora, features)
    store = store.resolve()
    where: Any = generations if isinstance(store, Address) else staging
    console = Console(stderr=True, quiet=quiet, highlight=False, soft_wrap=True)
    try:
        with where.locked(store, console.print) as check, where.folder(store) as content, connected(address):
            summary = _build(store, content, todo, console)
            check()
            if summary.changed:
                where.replace(store, content)
            return summary
    except Unreachable as error:
        raise InputError(str(error)) from error
    except OSError as error:
        if error.errno in shards.FULL_DISK and isinstance(store, Path):
            raise _no_space(Path(error.filename or store), None) from error
        raise InputError(f"{error.filename or store} cannot be written: {error.strerror or error}") from error
    except _DiskFull as error:
        assert isinstance(store, Path)  # at an address there is no disk to fill
        raise _no_space(store, error.args[0]) from error


def _build(store: Place, content: Place, todo: Sequence[Job], console: Console) -> BuildSummary:
    old = _old_store(store)
    results = _compute([shard for job in todo for shard in job.shards(old, content)], todo, console)
    entries: dict[str, dict[str, Entry]] = {}
    summaries = []
    for job in todo:
        its_own = [result for result in results if (result.corpus, result.feature) == (job.corpus, job.feature)]
        entry, summary = _outcome(job, content, its_own)
        entries.setdefault(job.feature, {})[job.corpus] = entry
        summaries.append(summary)
    left_out = [asdict(one) for summary in summaries for one in summary.quarantined]
    if old is not None:
        left_out += _keep_the_rest(old, content, entries)
    left_out.sort(key=lambda row: (row["feature"], row["corpus"], row["utterance_id"]))
    same = old is not None and (entries, left_out) == (old.entries, old.quarantined().to_pylist())
    unchanged = all(r.unchanged for r in results)
    changed = old is None or not (same and unchanged and (old.files / datasheet.DATASHEET).exists())
    if changed:
        write_table(pa.Table.from_pylist(left_out, schema=QUARANTINE_SCHEMA), content / QUARANTINE)
        made = {"created": datetime.now(UTC).isoformat(timespec="seconds"), "command": shlex.join(sys.orig_argv)}
        write_manifest(content, entries, **made)
        sheet = datasheet.text(Store(content, entries), **made)
        (content / datasheet.DATASHEET).write_text(sheet, encoding="utf-8")
    return BuildSummary(store=store, corpora=tuple(summaries), changed=changed)


def _old_store(store: Place) -> Store | None:
    if not store.exists():
        return None
    if not store.is_dir() or (not (store / MANIFEST).exists() and any(store.iterdir())):
        raise InputError(f"{store} is there and is no feature store; give a new folder with --store")
    return open_store(store) if (store / MANIFEST).exists() else None


def _compute(todo: Sequence[Shard], of: Sequence[Job], console: Console) -> list[ShardResult]:
    totals = {(job.corpus, job.feature): len(job.utterances) for job in of}
    results: list[ShardResult] = []
    with progress.shown(totals, console) as advance, closing(_written(todo)) as done:
        for result in done:
            results.append(result)
            if result.unreachable is not None:
                raise InputError(f"{result.unreachable} (nothing was changed; build again)")
            if result.disk_full:
                share = sum(r.utterances for r in results) / sum(totals.values())
                raise _DiskFull(round(sum(r.size for r in results) / share))
            advance(result)
    return results


def _written(todo: Sequence[Shard]) -> Generator[ShardResult]:
    """The results of the shards, in any order: of a small store's that are up to date at once, of the rest from all cores."""
    local = not any(isinstance(shard.root, Address) for shard in todo)
    small = local and sum(len(shard.utterances) for shard in todo) <= _SMALL
    rest = []
    for shard in todo:
        if small and shards.up_to_date(shard):
            yield shards.write(shard)
        else:
            rest.append(shard)
    if rest:
        with closing(on_all_cores(rest)) as done:
            yield from done


def _outcome(job: Job, content: Place, results: Sequence[ShardResult]) -> tuple[Entry, CorpusSummary]:
    """What the manifest and the summary say of a corpus whose shards are written."""
    quarantined = sorted((one for r in results for one in r.quarantined), key=lambda one: one.utterance_id)
    if len(quarantined) == len(job.utterances):
        raise InputError(
            f"{job.corpus}: none of its {len(job.utterances)} utterances in {job.root} can be used; the first: "
            f"{quarantined[0].audio}: {quarantined[0].reason}"
        )
    written = parts(content, job.feature, job.corpus)
    rows = pa.concat_tables([read_table(part, columns=ROW_SCHEMA.names, partitioning=None) for part in written])
    left_out = {one.utterance_id for one in quarantined}
    expected = [one.utterance_id for one in job.utterances if one.utterance_id not in left_out]
    assert rows["utterance_id"].to_pylist() == expected, f"{job.corpus}: other rows were written than were to be"
    names = {"corpus": job.corpus, "reader": job.reader, "feature": job.feature}
    quarantined += [
        Quarantined(**names, utterance_id=one.utterance_id, audio=one.audio, reason=one.reason) for one in job.left_out
    ]
    made_with, seconds = recipe(job.feature), pc.sum(rows["seconds"]).as_py()
    entry = Entry(
        reader=job.reader,
        root=str(job.root),
        demo=job.demo,
        recipe=made_with,
        fingerprint=fingerprint(rows, made_with),
        utterances=len(rows),
        seconds=seconds,
        shards=len(written),
        quarantined=len(quarantined),
    )
    summary = CorpusSummary(
        corpus=job.corpus,
        feature=job.feature,
        utterances=len(rows),
        seconds=seconds,
        computed=sum(r.computed for r in results),
        reused=sum(r.reused for r in results),
        quarantined=tuple(quarantined),
    )
    return entry, summary


def _keep_the_rest(old: Store, content: Place, entries: dict[str, dict[str, Entry]]) -> list[dict[str, Any]]:
    """Takes over what the old store has of corpora that are not built; returns its quarantine of them."""
    kept = set()
    for feature, held in old.entries.items():
        for corpus in held.keys() - entries.get(feature, {}).keys():
            old.rows(corpus, feature=feature)  # what is damaged is not handed on in silence
            folder(content, feature, corpus).mkdir(parents=True)
            for part in parts(old.files, feature, corpus):
                staging.link(part, folder(content, feature, corpus) / part.name)
            kept.add((feature, corpus))
    for feature, corpus in kept:
        entries.setdefault(feature, {})[corpus] = old.entries[feature][corpus]
    return [row for row in old.quarantined().to_pylist() if (row["feature"], row["corpus"]) in kept]


def _no_space(path: Path, needed: int | None) -> InputError:
    amount = "" if needed is None else f"about {needed / 1e6:,.0f} MB are needed, "
    free = shutil.disk_usage(next(place for place in path.parents if place.exists())).free
    return InputError(
        f"no space left on the disk of {path}: {amount}{free / 1e6:,.0f} MB are free; "
        f"make room or give --store on another disk (nothing was changed)"
    )


@command
def main(arguments: list[str] | None = None) -> int:
    """Builds a store; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m data_prep.build",
        description=_DESCRIPTION,
        epilog=f"{_EXAMPLES}\ncorpora: {', '.join(readers.known())}\nfeatures: {', '.join(feature_types.known())}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--corpus", action="append", required=True, metavar="NAME=PATH", help="may be given again")
    parser.add_argument("--feature", action="append", metavar="NAME", help="default mfb40; may be given again")
    parser.add_argument("--store", type=place, required=True, metavar="DIR", help="made where there is none")
    parser.add_argument("--address", help="a Ray cluster that sees these paths; default: this machine")
    given = parser.parse_args(arguments)
    try:
        print(build(given.store, corpus_arguments(given.corpus), given.feature or ["mfb40"], address=given.address))
    except KeyboardInterrupt:
        print(f"interrupted: nothing was changed in {given.store}; the same command starts again", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(None))
