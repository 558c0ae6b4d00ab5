"""The command that runs a study: ``python -m orchestrator.sweep ablation_addi``.

It makes the data ready, searches every cell of the table, replicates the best configuration of each, and ends with the
table, its report and the command that reproduces the best cell. See ``--help``.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from data_prep import labels, registry, splits
from data_prep.errors import InputError, command
from data_prep.places import place
from orchestrator import RUNS, cluster
from orchestrator.memory import MEMORY_HELP, gibibytes
from orchestrator.progress import make_console
from orchestrator.selection import CHOOSERS, VALIDATION

if TYPE_CHECKING:
    from orchestrator.launches import Launch

_EXAMPLES = """\
examples:
  python -m orchestrator.sweep ablation_addi                      demo corpora, minutes on a laptop
  python -m orchestrator.sweep ablation_addi --dry-run            what would run, and how long it should take
  python -m orchestrator.sweep ablation_addi --preset paper \\
      --corpus iemocap=/data/IEMOCAP_full_release --corpus msp_improv=/data/MSP-IMPROV --corpus emodb=/data/emodb
  python -m orchestrator.sweep ablation_addi --source ravdess --target emodb \\
      --corpus ravdess=/data/RAVDESS --corpus emodb=/data/emodb   the same table on other corpora
  python -m orchestrator.sweep ablation_addi --cells 'full/*' --paper-values
  python -m orchestrator.sweep ablation_addi --resume             goes on with the latest launch that did not end
"""


def parser() -> argparse.ArgumentParser:
    """The command's arguments."""
    this = argparse.ArgumentParser(
        prog="python -m orchestrator.sweep",
        description="Run a study: search every cell of an ablation table, replicate the best of each, print the table.",
        epilog=_EXAMPLES + f"\nsweeps: {', '.join(registry.names('search_spaces'))}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    this.add_argument("name", metavar="NAME", help="a sweep of search_spaces/, or the path of a Python file with SWEEP")
    budget = this.add_argument_group("how much")
    budget.add_argument(
        "--preset",
        default="demo",
        help="smoke, demo (default) or paper: epochs, trials, replicates, and whether longer utterances "
        "are cut to save time (paper: never)",
    )
    budget.add_argument("--epochs", type=_positive, help="epochs of a run at the most")
    budget.add_argument("--trials", type=_positive, help="configurations searched in each cell, the paper's included")
    budget.add_argument("--replicates", type=_positive, help="seeds under which each cell's best is trained again")
    budget.add_argument(
        "--search-seeds",
        type=_positive,
        default=1,
        metavar="N",
        help="seeds under which each configuration is trained in the search (default 1): their mean is what it is judged "
        "by, while it trains (early stopping) and in the end, so that bad luck under one does not cost a good one. A "
        "search takes N times as long. None of them is a replicate's",
    )
    budget.add_argument(
        "--max-frames", type=_count, metavar="N", help="cut longer utterances to their middle N frames; 0 cuts nothing"
    )
    budget.add_argument("--paper-values", action="store_true", help="no search: only the paper's own configuration")
    budget.add_argument(
        "--time-budget",
        type=_duration,
        metavar="TIME",
        help="stop searching after 90s, 10m or 2h; every cell still gets its replicates",
    )
    budget.add_argument("--no-early-stopping", action="store_true", help="let hopeless search trials run to their end")
    what = this.add_argument_group("what")
    what.add_argument(
        "--cells",
        action="append",
        metavar="PATTERN",
        help="only cells like this: 'full/*', '*/iemocap-emodb'; may be given more than once (default: the preset's, "
        "which is all of them but where the sweep says otherwise)",
    )
    what.add_argument("--source", metavar="NAME[+NAME]", help="source corpora in place of the sweep's own")
    what.add_argument("--target", metavar="NAME[+NAME]", help="target corpora in place of the sweep's own")
    what.add_argument("--protocol", help=f"who may see what: {', '.join(splits.known())}")
    what.add_argument("--scheme", help=f"the classes, and whose labels are which: {', '.join(labels.SCHEMES)}")
    what.add_argument("--seed", type=_count, default=0, help="of splits, weights, order, noise, search (default 0)")
    what.add_argument(
        "--sampler",
        default="tpe",
        choices=("tpe", "random"),
        help="tpe (default) learns from trials as "
        "they end; random draws every configuration beforehand, whatever the order in which trials end",
    )
    what.add_argument(
        "--select-by",
        default=VALIDATION,
        choices=CHOOSERS,
        metavar="CRITERION",
        help="what chooses the searched configuration that is replicated: validation (default), what the protocol "
        f"selects by; or {', '.join(name for name in CHOOSERS if name != VALIDATION)}. The search itself, and each run's "
        "choice of its checkpoint, go by validation",
    )
    data = this.add_argument_group("data (with neither, demo corpora are spoken and used)")
    data.add_argument("--store", type=place, help="feature store to use, or to build into")
    data.add_argument(
        "--corpus",
        action="append",
        default=[],
        metavar="NAME=PATH",
        help="a corpus to build from; what is up to date is not built again",
    )
    where = this.add_argument_group("where")
    where.add_argument(
        "--address", help="a Ray cluster ('auto' on its head node); default: RAY_ADDRESS, else this machine"
    )
    where.add_argument("--workers", type=_positive, default=1, help="data-parallel workers of each trial (default 1)")
    where.add_argument("--trials-per-gpu", type=_positive, default=4, help="trials that share a GPU (default 4)")
    where.add_argument(
        "--pack",
        type=_positive,
        default=1,
        metavar="N",
        help="runs that one process trains as a batch, where they are alike and memory holds them (default 1: each by "
        "itself). It is for GPUs; on a CPU it saves little or loses. Numbers are those of runs by themselves, but for rounding",
    )
    where.add_argument("--memory", type=gibibytes, metavar="GIB", help=MEMORY_HELP)
    where.add_argument("--tracking-uri", help="MLflow; default: MLFLOW_TRACKING_URI, else sqlite:///mlflow.db here")
    where.add_argument("--runs", type=Path, default=RUNS, help="folder of the launches' own state (default runs)")
    how = this.add_argument_group("how")
    how.add_argument("--dry-run", action="store_true", help="print the plan and the time it should take; train nothing")
    how.add_argument(
        "--resume", action="store_true", help="go on with the latest launch of this sweep that did not end"
    )
    return this


@command
def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a sweep; returns the exit status."""
    given = parser().parse_args(arguments)
    if not given.name.endswith(".py"):
        registry.check("search_spaces", "SWEEP", given.name)  # the rest is checked while Ray starts
    console = make_console()
    launch = _set_out(given)
    from orchestrator.execute import dry_run, execute

    return dry_run(launch, given.runs, console) if given.dry_run else execute(launch, given.runs, console)


def _set_out(given: argparse.Namespace) -> Launch:
    """The launch that the command line asks for, with Ray there, and MLflow if it is to be written to.

    Ray's start is waiting for other processes. Importing what checks a command line takes as long, and is done meanwhile;
    therefore this module itself imports none of that.
    """
    import ray

    there = ray.is_initialized()
    with ThreadPoolExecutor(max_workers=1) as beside:
        launch = beside.submit(_asked_for, given)
        answer = beside.submit(lambda: _reach_mlflow(launch.result(), track=not given.dry_run))
        try:
            # What is gone on with may have an address of its own.
            address = launch.result().address if given.resume else given.address
            cluster.connect(address, for_trials=not given.dry_run and given.pack == given.workers == 1)
            answer.result()
        except InputError:
            if not there:
                ray.shutdown()
            raise
        return launch.result()


def _asked_for(given: argparse.Namespace) -> Launch:
    from orchestrator.request import asked_for

    return asked_for(given, usual=parser().parse_args([given.name]))


def _reach_mlflow(launch: Launch, *, track: bool) -> None:
    from orchestrator import execute  # noqa: F401  (with all that it imports)
    from orchestrator.mlflow_client import connect, default_tracking_uri

    if track:
        connect(launch.tracking_uri or default_tracking_uri())


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number, 0 or more")
    return int(text)


def _positive(text: str) -> int:
    if not (text.isdecimal() and int(text)):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number, 1 or more")
    return int(text)


def _duration(text: str) -> float:
    unit = {"s": 1, "m": 60, "h": 3600}.get(text[-1:])
    number = text[:-1] if unit else text
    if not re.fullmatch(r"\d+(\.\d+)?", number):
        raise argparse.ArgumentTypeError(f"{text!r} is no time; give 90s, 10m or 2h")
    return float(number) * (unit or 1)


if __name__ == "__main__":
    sys.exit(main())
