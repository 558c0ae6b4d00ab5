"""How MLflow bears a large sweep: ``python benchmarks/mlflow_runs.py [--runs 500 1000 5000] [--epochs 10]``.

A made-up sweep, 50 runs to a cell, is recorded and delivered to MLflow's default store, an SQLite file, as real ones are
(:class:`orchestrator.tracking.Tracker`), nothing trained. Whenever there are as many runs as ``--runs`` says, MLflow's
server is started as ``make ui`` does and asked for what its pages show, as they ask for it. The most that a page took to
come is what grows with a sweep; drawing it is the browser's.

A line is a number of runs: milliseconds of the driver's work for each of them (journal and delivery, one thread), and
seconds for each page, the median of ``--repetitions`` and their range: ``runs`` the newest 100 of the experiment, ``cell``
those of one cell, ``run`` a single run with all its metrics, ``metric`` one metric's course.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

from _table import note

from orchestrator.records import RunKey, RunRecord
from orchestrator.tracking import Tracker
from trainables.config import TaskConfig, TrialConfig

EXPERIMENT, PER_CELL = "benchmark", 50
PAGES = ("runs", "cell", "run", "metric")
CONFIG = {"learning_rate": 1e-3, "batch_size": 32, "adversarial_weight": 1.0, "adversarial_ramp": "constant"}
ORIGIN = {
    "device": "cpu",
    "machine": "made up",
    "packed": False,
    "split": {"digest": "made up"},
    "normalisation": "made up",
}
FINAL = ("validation_uar", "validation_accuracy", "test_uar", "test_accuracy", "best_epoch", "train_seconds")


def main() -> None:
    """Prints a line for each number of runs."""
    this = argparse.ArgumentParser(description="MLflow's pages and its share of a sweep, by the number of runs.")
    this.add_argument("--runs", nargs="+", type=int, default=[500, 1000, 5000], help="default: 500 1000 5000")
    this.add_argument("--epochs", type=int, default=10, help="of each run (default 10)")
    this.add_argument("--repetitions", type=int, default=5, help="of each page (default 5)")
    given = this.parse_args()
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    os.environ["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] = "false"
    print(f"{'runs':>7} {'ms a run':>10}" + "".join(f"{name + ', s':>24}" for name in PAGES))
    with tempfile.TemporaryDirectory() as folder:
        address = f"sqlite:///{folder}/mlflow.db"
        before = 0
        for runs in sorted(given.runs):
            spent = record(Path(folder) / f"until-{runs}", address, range(before, runs), given.epochs)
            before, each = runs, 1000 * spent / (runs - before)
            with serving(address, Path(folder)) as server:
                seconds = timed_pages(server, given.repetitions)
            note(f"MLflow's page of {runs} runs", "", "2 s" if runs == 5000 else "", seconds["runs"], "s")
            note("MLflow's share: the driver's CPU for a run", "", "", [each], "ms")
            print(f"{runs:>7} {each:>10.1f}" + "".join(f"{_spread(seconds[name]):>24}" for name in PAGES), flush=True)


def record(folder: Path, address: str, numbers: range, epochs: int) -> float:
    """Records and delivers runs of a launch; CPU seconds of this process."""
    folder.mkdir()
    begun = time.process_time()
    tracker = Tracker(folder, address, EXPERIMENT, context={"launch": {}}, tags={"ser.sweep": EXPERIMENT})
    task = TaskConfig(sources=("iemocap",), targets=("emodb",))
    for number in numbers:
        key = RunKey(cell=f"row{number // PER_CELL}/{task.name}", kind="search", number=number % PER_CELL)
        config = TrialConfig(method="addi", task=task, hyperparameters=CONFIG, epochs=epochs, seed=number, data="noise")
        tracker.started(key, config)
        history = tuple(_epoch(epoch) for epoch in range(1, epochs + 1))
        for epoch in history:
            tracker.reported(key, epoch)
        tracker.ended(
            RunRecord(
                key=key,
                config=config,
                status="finished",
                metrics={**dict.fromkeys(FINAL, 0.5), "epochs_run": epochs},
                history=history,
                confusion=[[5, 1], [2, 4]],
                origin=ORIGIN,
            )
        )
    assert tracker.close(patience=3600) == 0, "all is delivered"
    return time.process_time() - begun


def _epoch(epoch: int) -> dict[str, float]:
    losses = {f"loss/{name}": 1 / epoch for name in ("autoencoder", "generator", "discriminators", "classifier")}
    scores = dict.fromkeys(("validation_uar", "validation_accuracy", "best_validation_uar"), 0.5)
    return {"epoch": epoch, "learning_rate": 1e-3, **scores, **losses, "train_seconds": float(epoch)}


@contextlib.contextmanager
def serving(address: str, folder: Path) -> Iterator[str]:
    """MLflow's server over a store, as ``make ui`` starts it; its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    command = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", address, "--workers", "1"]
    with (folder / "server.log").open("w") as log:
        process = subprocess.Popen(
            [*command, "--host", "127.0.0.1", "--port", port], stdout=log, stderr=log, start_new_session=True
        )
        try:
            server = f"http://127.0.0.1:{port}"
            deadline = time.monotonic() + 120
            while not _up(server):
                assert process.poll() is None and time.monotonic() < deadline, (folder / "server.log").read_text()
                time.sleep(0.2)
            yield server
        finally:
            os.killpg(process.pid, 9)
            process.wait()


def _up(server: str) -> bool:
    try:
        return bool(urlopen(f"{server}/health", timeout=5).read())
    except (URLError, OSError):
        return False


def timed_pages(server: str, repetitions: int) -> dict[str, list[float]]:
    """Seconds that the pages' questions took."""
    experiment = ask(server, f"experiments/get-by-name?experiment_name={EXPERIMENT}")["experiment"]["experiment_id"]

    def search(**more: Any) -> list[Any]:
        newest = {"experiment_ids": [experiment], "order_by": ["attributes.start_time DESC"], "max_results": 100}
        return ask(server, "runs/search", {**newest, **more}).get("runs", [])

    run = search(filter="tags.`ser.kind` = 'search'")[0]["info"]["run_id"]
    pages: dict[str, Callable[[], Any]] = {
        "runs": search,
        "cell": lambda: search(filter="tags.`ser.key` LIKE 'row0/%'"),
        "run": lambda: ask(server, f"runs/get?run_id={run}"),
        "metric": lambda: ask(server, f"metrics/get-history?run_id={run}&metric_key=epoch/validation_uar"),
    }
    seconds: dict[str, list[float]] = {name: [] for name in PAGES}
    for number in range(-1, repetitions):
        for name in PAGES:
            begun = time.perf_counter()
            answer = pages[name]()
            assert answer
            if number >= 0:  # the first of each warms up
                seconds[name].append(time.perf_counter() - begun)
    return seconds


def ask(server: str, question: str, body: Mapping[str, Any] | None = None) -> Any:
    """An answer of the interface that MLflow's pages use."""
    data = None if body is None else json.dumps(body).encode()
    request = Request(f"{server}/ajax-api/2.0/mlflow/{question}", data, {"Content-Type": "application/json"})
    return json.load(urlopen(request, timeout=120))


def _spread(values: list[float]) -> str:
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


if __name__ == "__main__":
    main()
