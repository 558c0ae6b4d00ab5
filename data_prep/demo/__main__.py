"""``python -m data_prep.demo --out DIR``: makes the demo corpora and says what to do with them."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path

from rich.console import Console

from data_prep import demo
from data_prep.demo import layouts, stage
from data_prep.errors import command
from data_prep.progress import counted


@command
def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns its exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m data_prep.demo",
        description="Speaks synthetic demo corpora in the layouts of real ones, for trying the software.",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to make or to add to")
    parser.add_argument(
        "--size", default="small", help="small (default), full (as many utterances as the real ones), tiny (for tests)"
    )
    parser.add_argument(
        "--corpus",
        action="append",
        metavar="NAME",
        help=f"may be given again: {', '.join(layouts.known())} (default {', '.join(demo.USUAL)})",
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="other seed, other voices (default 0)")
    options = parser.parse_args(arguments)
    wanted = options.corpus or demo.USUAL
    with counted("speaking", Console(stderr=True)) as show:
        corpora = demo.speak(options.out, size=options.size, seed=options.seed, corpora=wanted, progress=show)
    for name, folder in corpora.items():
        turns = stage.script(name, options.size, options.seed)
        voices = len({turn.speaker for turn in turns})
        print(f"{name}: {len(turns)} utterances by {voices} synthetic voices in {folder}")
    print("These are demo corpora: no scientific conclusion can be drawn from them.")
    given = " ".join(f"--corpus {shlex.quote(f'{name}={folder}')}" for name, folder in corpora.items())
    print(f"Next: python -m data_prep.build {given} --feature mfb40 --store {shlex.quote(f'{options.out}-store')}")
    return 0


if __name__ == "__main__":
    sys.exit(main(None))
