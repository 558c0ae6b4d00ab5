"""The command that trains a run again: ``python -m orchestrator.reproduce RUN_ID``.

It needs nothing but the run in MLflow and the corpora. It prints each number as it was logged and as it came out, and
exits 0 only if they are the same: bit for bit on the same kind of machine, within a tolerance elsewhere.
"""

from __future__ import annotations

import argparse
import dataclasses
import math
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Table

from data_prep.errors import InputError, command
from data_prep.places import Place, place
from data_prep.plan import corpus_arguments
from data_prep.store import Store
from orchestrator import RUNS
from orchestrator.environment import describe_environment, machine
from orchestrator.memory import MEMORY_HELP, gibibytes, room_for_features
from orchestrator.mlflow_client import default_tracking_uri
from orchestrator.prepare import DataSource, make_ready
from orchestrator.progress import make_console
from orchestrator.records import RunRecord
from orchestrator.runs import find_run, load_run
from trainables.batches import digest
from trainables.config import TrialConfig
from trainables.data import TaskData
from trainables.loading import Room, load_task
from trainables.pretraining import pretrain
from trainables.trainable import prepare_process, train

# On another kind of machine sums are taken in another order; after training that shows in the third decimal of a UAR
# as single utterances that change sides.
TOLERANCE = 0.02

_EXAMPLES = """\
examples:
  python -m orchestrator.reproduce 3f1c9a...                              a run, by its MLflow id
  python -m orchestrator.reproduce ablation_addi/full/iemocap-emodb       a cell: its first replicate in the latest launch
  python -m orchestrator.reproduce 3f1c9a... --corpus iemocap=/data/IEMOCAP_full_release   corpora that have moved
"""


@dataclass(frozen=True)
class Comparison:
    """One number, logged and obtained."""

    name: str
    logged: float
    obtained: float

    @property
    def identical(self) -> bool:
        """Whether they are the same number, bit for bit."""
        return self.logged == self.obtained or (math.isnan(self.logged) and math.isnan(self.obtained))

    @property
    def close(self) -> bool:
        """Whether they are the same within the tolerance."""
        return self.identical or abs(self.logged - self.obtained) <= TOLERANCE


def parser() -> argparse.ArgumentParser:
    """The command's arguments."""
    this = argparse.ArgumentParser(
        prog="python -m orchestrator.reproduce",
        description="Train a run again from what MLflow holds of it, and compare every number.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    this.add_argument("run", metavar="RUN", help="a run id, or SWEEP/VARIANT/TASK for a cell's first replicate")
    this.add_argument("--tracking-uri", help="MLflow; default: MLFLOW_TRACKING_URI, else sqlite:///mlflow.db here")
    this.add_argument("--store", type=place, help="feature store to use; default: the one that the run used")
    this.add_argument("--corpus", action="append", default=[], metavar="NAME=PATH", help="where a corpus lies now")
    this.add_argument("--memory", type=gibibytes, metavar="GIB", help=MEMORY_HELP)
    return this


@command
def main(arguments: Sequence[str] | None = None) -> int:
    """Reproduces a run; returns 0 if the numbers are the same, 1 if they are not."""
    given = parser().parse_args(arguments)
    console = make_console()
    uri = given.tracking_uri or default_tracking_uri()
    record, context = load_run(uri, find_run(uri, given.run))
    if record.status != "finished":
        raise InputError(f"run {given.run} is {record.status}; only a finished run can be reproduced")
    if not record.origin:
        raise InputError(f"run {given.run} does not say on what device it was trained; it cannot be compared with")
    store = _store(record, context, given.store, corpus_arguments(given.corpus), console)
    seeds = ", ".join(str(run.seed) for run in record.config.runs)
    console.print(f"{record.key}: training again, {record.metrics['epochs_run']:.0f} epochs, seed {seeds}")
    prepare_process()
    there = room_for_features(given.memory, RUNS, console)
    gpu = record.origin["device"] == "cuda" and torch.cuda.is_available()
    result = train(
        record.config,
        _data(store, record.config, there),
        _follow(console),
        gpu=gpu,
        start=_start(store, record, there, console),
    )
    compared = compare(record, result.metrics, result.history)
    differences = [
        f"{what} was {before}, here it is {here}"
        for what, before, here in _conditions(record, context, machine(gpu))
        if before != here
    ]
    status = _conclude(console, compared, differences)
    if not differences and digest(result.normalisation) != record.origin["normalisation"]:
        console.print("NOT reproduced: the features were standardised by other statistics")
        return 1
    if result.split["digest"] != record.origin["split"]["digest"]:
        console.print("NOT reproduced: this version of the code draws another split for the same seed")
        return 1
    return status


def _conditions(record: RunRecord, context: Mapping[str, Any], trained_on: str) -> Iterator[tuple[str, Any, Any]]:
    """What the numbers may depend on besides the run's configuration: what it is, in the run, and here."""
    then, now = context["environment"], describe_environment()
    yield "the machine", record.origin["machine"], trained_on
    if "start" in record.origin:
        start = record.origin["start"]
        here = machine(start["device"] == "cuda" and torch.cuda.is_available())
        yield "the machine of what it starts from", start["machine"], here
        yield "the code of what it starts from", start["code"], now["code"]
    yield "the number of data-parallel workers", context["workers"], 1
    yield "being trained in one batch with other runs", record.origin.get("packed", False), False
    yield "Python", then["python"], now["python"]
    for name, version in now["packages"].items():
        yield name, then["packages"].get(name), version
    yield "this project's code", then["code"], now["code"]


def compare(
    record: RunRecord, metrics: Mapping[str, float], history: Sequence[Mapping[str, float]]
) -> list[Comparison]:
    """Final metrics and every epoch's, logged against obtained; what measures time is left out."""
    logged = _numbers(record.metrics, record.history)
    obtained = _numbers(metrics, history)
    return [
        Comparison(name, logged.get(name, math.nan), obtained.get(name, math.inf))
        for name in sorted(logged.keys() | obtained.keys(), key=_order)
    ]


def _numbers(metrics: Mapping[str, float], history: Sequence[Mapping[str, float]]) -> dict[str, float]:
    numbers = dict(metrics)
    for epoch in history:
        for name, value in epoch.items():
            numbers[f"epoch {epoch['epoch']:.0f} {name}"] = value
    return {name: float(value) for name, value in numbers.items() if not name.endswith("seconds")}


def _order(name: str) -> tuple[int, int, str]:
    words = name.split()
    return (1, int(words[1]), words[2]) if words[0] == "epoch" else (0, 0, name)


def _store(
    record: RunRecord, context: Mapping[str, Any], store: Place | None, corpora: Mapping[str, Place], console: Console
) -> Store:
    source = DataSource(**context["data"])
    if store is not None or corpora:
        moved = {name: str(path.resolve()) for name, path in corpora.items()}
        source = dataclasses.replace(
            source,
            store=str((store or place(source.store)).resolve()),
            corpora={**source.corpora, **moved} if store is None else moved,
            demo=None if store is not None else source.demo,
        )
    needed: dict[str, list[str]] = {}
    for config in (record.config, record.config.start):
        if config is not None:
            needed[config.task.feature] = sorted({*needed.get(config.task.feature, ()), *config.task.corpora})
    return make_ready(source, needed, console)


def _data(store: Store, config: TrialConfig, room: Room) -> TaskData:
    fingerprint = store.fingerprint(config.task.feature, config.task.corpora)
    if fingerprint != config.data:
        raise InputError(
            f"the data in {store.path} is not what the run was trained on: fingerprint {fingerprint[:12]} here, "
            f"{config.data[:12]} in the run; audio, labels, or feature settings differ"
        )
    return load_task(store, config.task, room)


def _start(store: Store, record: RunRecord, room: Room, console: Console) -> Mapping[str, torch.Tensor] | None:
    """The weights that a run starts from, trained again too, on the device that it was trained on."""
    config = record.config.start
    if config is None:
        return None
    console.print(f"first what it starts from, {config.method} on {config.task.title}, {config.epochs} epochs")
    gpu = record.origin["start"]["device"] == "cuda" and torch.cuda.is_available()
    device = torch.device("cuda" if gpu else "cpu")
    with tempfile.TemporaryDirectory(prefix="ser-start-") as folder:
        return pretrain(config, _data(store, config, room), Path(folder), device, _follow(console)).weights


def _follow(console: Console) -> Any:
    def report(metrics: Mapping[str, float]) -> None:
        if "validation_uar" not in metrics:
            losses = "  ".join(f"{name} {value:.4f}" for name, value in metrics.items() if name.startswith("loss/"))
            console.print(f"  epoch {metrics['epoch']:3.0f}  {losses}")
            return
        uar, best = 100 * metrics["validation_uar"], 100 * metrics["best_validation_uar"]
        console.print(f"  epoch {metrics['epoch']:3.0f}  validation UAR {uar:5.1f} %  best {best:5.1f} %")

    return report


def _conclude(console: Console, compared: Sequence[Comparison], differences: Sequence[str]) -> int:
    table = Table("number", "logged", "obtained", "same", box=None, header_style="bold")
    for row in compared:
        final, right = not row.name.startswith("epoch "), row.close if differences else row.identical
        if final or not right:
            verdict = "yes" if row.identical else "within tolerance" if row.close else "NO"
            table.add_row(row.name, repr(row.logged), repr(row.obtained), verdict)
    console.print(table)
    epochs = [row for row in compared if row.name.startswith("epoch ")]
    identical = sum(row.identical for row in compared)
    console.print(f"{identical} of {len(compared)} numbers are identical ({len(epochs)} of them are single epochs')")
    for difference in differences:
        console.print(f"note: {difference}")
    if identical == len(compared):
        console.print("reproduced bit for bit")
        return 0
    if not differences:
        console.print("NOT reproduced: on the same kind of machine, with the same code, it must be identical")
        return 1
    # Losses drift where sums are taken in another order; what is claimed, and so what is held, are the final scores.
    right = all(row.close for row in compared if not row.name.startswith("epoch ") and "uar" in row.name)
    console.print(
        f"{'reproduced' if right else 'NOT reproduced'} within {TOLERANCE} in UAR (with the differences above, equality "
        "bit for bit is not to be had)"
    )
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
