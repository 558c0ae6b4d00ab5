"""From typing the command to the first training step: ``python benchmarks/startup.py [--repetitions 5]``.

Runs ``python -m orchestrator.sweep ablation_addi --preset smoke --cells 'full/*'`` in a folder of its own, as a user
does, time after time. The first run, which is not counted, speaks the demo corpora, builds the store and makes MLflow's
database; every other one is warm. The command is the one that users have: its processes are told by ``sitecustomize``
(in the environment of the command and of Ray's workers) to note when some functions begin and end.

A line is a part of the way to the first step, in seconds, median and range; parts follow one another:

- ``command``: Python and what reads the command line;
- ``ray``: Ray imported and started; meanwhile (``mlflow``, within it) all else is imported, the names and games of the
  sweep are checked, and MLflow is asked;
- ``data``: the store seen to be up to date, the plan, the data loaded;
- ``recorder``: journal, MLflow's runs and the Optuna studies opened, until Tune asks for the first trial;
- ``worker``: until the trial begins in its worker: what is left of the imports that Ray's workers begin as they start;
- ``trial``: until its first step has been taken: deterministic algorithms, split, networks, the step.

``first step`` is their sum, ``end`` the whole command, and ``driver CPU`` the CPU time of the command's own process
until it asks for the first trial.
"""

from __future__ import annotations

import argparse
import itertools
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from _table import note

COMMAND = ["-m", "orchestrator.sweep", "ablation_addi", "--preset", "smoke", "--cells", "full/*"]
ROOT = Path(__file__).resolve().parent.parent

# What is noted, by module: it is wrapped as soon as its module has been executed, before others take names from it.
_HOOK = """
import functools, importlib.abc, importlib.machinery, os, sys, time

NOTES = os.environ.get("SER_STARTUP_NOTES")
WATCHED = {
    "orchestrator.cluster": ["connect"],
    "orchestrator.mlflow_client": ["connect"],
    "orchestrator.execute": ["prepare_plan"],
    "orchestrator.searcher": ["SweepSearcher.suggest"],
    "ray": [],
    "trainables.trainable": ["prepare_process"],
    "trainables.loop": ["Training._turn"],
}
seen = set()


def note(name):
    if name not in seen:
        seen.add(name)
        line = f"{time.time()} {time.process_time()} {name}\\n"
        file = os.open(NOTES, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(file, line.encode())
        os.close(file)


def wrap(module, path):
    *owners, last = path.split(".")
    owner = functools.reduce(getattr, owners, module)
    function, name = getattr(owner, last), f"{module.__name__}.{path}"

    @functools.wraps(function)
    def noted(*arguments, **named):
        note(name + "(")
        try:
            return function(*arguments, **named)
        finally:
            note(name + ")")

    setattr(owner, last, noted)


class Loader(importlib.abc.Loader):
    def __init__(self, loader):
        self.loader = loader

    def create_module(self, spec):
        return self.loader.create_module(spec)

    def exec_module(self, module):
        note("import " + module.__name__)
        self.loader.exec_module(module)
        for path in WATCHED[module.__name__]:
            wrap(module, path)


class Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        spec = importlib.machinery.PathFinder.find_spec(name, path) if name in WATCHED else None
        if spec is not None and spec.loader is not None:
            spec.loader = Loader(spec.loader)
        return spec


if NOTES:
    sys.meta_path.insert(0, Finder())
"""


def main() -> None:
    """Prints the parts."""
    this = argparse.ArgumentParser(description="From typing the command to the first training step.")
    this.add_argument("--repetitions", type=int, default=5, help="warm starts (default 5)")
    this.add_argument("--show", action="store_true", help="print each start as it ends, too")
    given = this.parse_args()
    with tempfile.TemporaryDirectory(prefix="ser-startup-") as scratch:
        folder = Path(scratch)
        (folder / "hook").mkdir()
        (folder / "hook" / "sitecustomize.py").write_text(_HOOK)
        starts = []
        for number in range(given.repetitions + 1):
            told = start(folder)
            if given.show:
                print({name: round(value, 2) for name, value in told.items()}, "" if number else "(cold)", flush=True)
            if number:
                starts.append(told)
    for name in starts[0]:
        values = [each[name] for each in starts]
        note(f"warm start: {name}", "", "under 10 s" if name == "first step" else "", values, "s")
        print(f"{name:>12} {statistics.median(values):7.2f} s ({min(values):.2f} to {max(values):.2f})")


def start(folder: Path) -> Mapping[str, float]:
    """Runs the command to its end; seconds by part."""
    notes = folder / "notes"
    notes.unlink(missing_ok=True)
    paths = [str(folder / "hook"), str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "SER_STARTUP_NOTES": str(notes)}
    environment.pop("MLFLOW_TRACKING_URI", None)
    begun = time.time()
    done = subprocess.run([sys.executable, *COMMAND], cwd=folder, env=environment, capture_output=True, text=True)
    ended = time.time()
    assert done.returncode == 0, done.stdout + done.stderr
    first: dict[str, float] = {}
    cpu: dict[str, float] = {}
    for line in notes.read_text().splitlines():
        moment, used, name = line.split(" ", 2)
        if name not in first:  # of all processes: Ray's own import ray too, but later
            first[name], cpu[name] = float(moment), float(used)
    moments = [
        begun,
        first["import ray"],
        first["orchestrator.execute.prepare_plan("],
        first["orchestrator.execute.prepare_plan)"],
        first["orchestrator.searcher.SweepSearcher.suggest("],
        first["trainables.trainable.prepare_process("],
        first["trainables.loop.Training._turn)"],
    ]
    lasted = [later - earlier for earlier, later in itertools.pairwise(moments)]
    parts = dict(zip(("command", "ray", "data", "recorder", "worker", "trial"), lasted, strict=True))
    return {
        **parts,
        "first step": moments[-1] - begun,
        "end": ended - begun,
        "mlflow": first["orchestrator.mlflow_client.connect)"] - first["import ray"],
        "driver CPU": cpu["orchestrator.searcher.SweepSearcher.suggest("],
    }


if __name__ == "__main__":
    main()
