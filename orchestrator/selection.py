"""Which configuration of a cell is its best: a pure function over records, which never looks at a test score."""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.records import RunRecord


def select(records: Iterable[RunRecord]) -> RunRecord | None:
    """The finished search run with the highest validation UAR; of equals, the one with the lowest number.

    Failed runs and runs that were stopped early never win: they were not trained as the replicates will be. ``None``
    where no search run has finished.
    """
    finished = [record for record in records if record.key.kind == "search" and record.status == "finished"]
    return max(finished, key=lambda record: (record.metrics["validation_uar"], -record.key.number), default=None)
