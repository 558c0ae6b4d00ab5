"""The table that ``make bench`` ends with: each benchmark notes its rows, and this prints all of them as one.

Rows are noted in the file that ``SER_BENCHMARK_ROWS`` names; where it names none, a benchmark prints its own lines alone.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

_FILE = "SER_BENCHMARK_ROWS"


def note(what: str, against: str, to_reach: str, values: Sequence[float], unit: str = "") -> None:
    """Notes a row.

    Args:
        what: is measured.
        against: what it is compared with; empty for nothing.
        to_reach: the aim in words; empty where there is none.
        values: of all repetitions: ratios, or numbers of a ``unit``.
        unit: of the values.
    """
    if file := os.environ.get(_FILE):
        with Path(file).open("a") as rows:
            rows.write(json.dumps([what, against, to_reach, list(values), unit]) + "\n")


def main(file: str) -> None:
    """Prints the rows of a file as a table."""
    table = Table("what", "against", "to reach", "median", "range", "n", box=box.MARKDOWN)
    for line in Path(file).read_text().splitlines():
        what, against, to_reach, values, unit = json.loads(line)
        middle, low, high = (f"{value:.3g}" for value in (statistics.median(values), min(values), max(values)))
        table.add_row(
            what, against or "–", to_reach or "–", f"{middle} {unit}".strip(), f"{low} to {high}", str(len(values))
        )
    Console(width=180).print(table)


if __name__ == "__main__":
    main(sys.argv[1])
