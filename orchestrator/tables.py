"""The table as numbers: pure functions from records to rows. A row is one cell of the sweep."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.records import RunRecord
from orchestrator.selection import choose, select
from orchestrator.study import Study
from search_spaces import Published


@dataclass(frozen=True, kw_only=True)
class Difference:
    """How far a cell is from the reference variant on the same task, over replicates with equal seeds.

    Attributes:
        mean: of the paired differences in test UAR.
        pairs: how many there are.
        t, p: of the two-sided paired t-test with ``pairs`` - 1 degrees of freedom; ``None`` where there is no such test
            (fewer than two pairs, or all differences equal).
        low, high: the 95 % confidence interval of the mean difference; ``None`` likewise.
    """

    mean: float
    pairs: int
    t: float | None = None
    p: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, kw_only=True)
class Row:
    """One cell of a sweep: all that its table says.

    Attributes:
        cell, variant, title, task: its name, its two parts, and the variant's title.
        replicates: test UAR of each finished replicate, in [0, 1], by number.
        planned: how many replicates there are to be.
        mean, std: of ``replicates``; sample standard deviation (ddof 1), ``None`` below two.
        pooled: UAR of the replicates' predictions together, where replicates take turns at what is tested.
        validation_mean: mean validation UAR of the finished replicates; what ranks cells.
        published: the paper's figure, in per cent.
        difference: to the reference variant; ``None`` for itself, and where no replicates pair.
        search, failures: search trials by status; failed replicates.
        best_validation_uar, selected, selected_number: the selected search trial: its score, what was searched, its
            number.
        domain_accuracy: how well source and target can be told apart, in [0, 1], in the features themselves and in the
            method's representation: means over the finished replicates that say so; ``None`` where none does.
        chance: 1 over the number of classes.
        selection: what selected the checkpoint and the configuration.
    """

    cell: str
    variant: str
    title: str
    task: str
    replicates: tuple[float, ...]
    planned: int
    mean: float | None
    std: float | None
    pooled: float | None
    validation_mean: float | None
    published: Published | None
    difference: Difference | None
    search: Mapping[str, int]
    failures: int
    best_validation_uar: float | None
    selected: Mapping[str, Any] | None
    selected_number: int | None
    domain_accuracy: tuple[float | None, float | None]
    chance: float
    selection: str

    @property
    def complete(self) -> bool:
        """Whether every planned replicate has finished."""
        return len(self.replicates) == self.planned


def summary(records: Iterable[RunRecord], study: Study) -> list[Row]:
    """The table's rows, task by task in the sweep's order; a cell without records is a row too."""
    by_cell: dict[str, list[RunRecord]] = {name: [] for name in study.cells}
    for record in records:
        by_cell[record.key.cell].append(record)
    cells = [f"{variant}/{task.name}" for task in study.tasks for variant in study.variants]
    return [_row(cell, by_cell, study) for cell in cells if cell in study.cells]


def best_row(rows: Iterable[Row]) -> Row | None:
    """The row with the highest mean validation UAR over its replicates (never the test's); the first of equals."""
    finished = [row for row in rows if row.validation_mean is not None]
    return max(finished, key=lambda row: row.validation_mean or 0.0, default=None)


def paired_difference(records: Sequence[RunRecord], reference: Sequence[RunRecord]) -> Difference | None:
    """The difference in test UAR between finished replicates of two cells that share a seed and what they are tested on.

    ``None`` where there are none.
    """
    ours, theirs = _scores_by_test(records), _scores_by_test(reference)
    seeds = sorted(ours.keys() & theirs.keys())
    if not seeds:
        return None
    differences = [ours[seed] - theirs[seed] for seed in seeds]
    mean = statistics.fmean(differences)
    # Scores are ratios of counts: differences closer than this are the same one, and have no variance to test against.
    if len(seeds) < 2 or max(differences) - min(differences) < 1e-12:
        return Difference(mean=mean, pairs=len(seeds))
    from scipy import stats  # here, for there are no replicates before a search is over

    test = stats.ttest_rel([ours[seed] for seed in seeds], [theirs[seed] for seed in seeds])
    interval = test.confidence_interval(0.95)
    return Difference(
        mean=mean,
        pairs=len(seeds),
        t=float(test.statistic),
        p=float(test.pvalue),
        low=float(interval.low),
        high=float(interval.high),
    )


def pooled_recall(replicates: Iterable[RunRecord]) -> float | None:
    """UAR of the predictions of several runs together: of the sum of their confusion matrices; ``None`` of none."""
    matrices = [record.confusion for record in replicates if record.confusion is not None]
    if not matrices:
        return None
    total = [[sum(counts) for counts in zip(*lines, strict=True)] for lines in zip(*matrices, strict=True)]
    return statistics.fmean(line[number] / max(sum(line), 1) for number, line in enumerate(total))


def cell_metrics(records: Iterable[RunRecord]) -> dict[str, float]:
    """What is known of a cell so far, as metrics of its MLflow run."""
    records = list(records)
    best, scores = select(records), [record.metrics["test_uar"] for record in finished_replicates(records)]
    metrics = {"runs_ended": float(len(records)), "replicates_finished": float(len(scores))}
    if best is not None:
        metrics["best_validation_uar"] = best.metrics["validation_uar"]
    if scores:
        metrics["test_uar_mean"] = statistics.fmean(scores)
    if len(scores) > 1:
        metrics["test_uar_std"] = statistics.stdev(scores)
    return metrics


def _row(cell: str, by_cell: Mapping[str, Sequence[RunRecord]], study: Study) -> Row:
    records = by_cell[cell]
    variant, _, task_name = cell.partition("/")
    task, best = study.task_of(cell), choose(records, study.criterion)
    reference = by_cell.get(f"{study.reference}/{task_name}", ())
    replicates = finished_replicates(records)
    scores = tuple(record.metrics["test_uar"] for record in replicates)
    validation = [record.metrics["validation_uar"] for record in replicates]
    return Row(
        cell=cell,
        variant=variant,
        title=study.variants[variant],
        task=task_name,
        replicates=scores,
        planned=study.replicates,
        mean=statistics.fmean(scores) if scores else None,
        std=statistics.stdev(scores) if len(scores) > 1 else None,
        pooled=pooled_recall(replicates) if task.in_turn else None,
        validation_mean=statistics.fmean(validation) if validation else None,
        published=study.published.get(cell),
        difference=None if variant == study.reference else paired_difference(records, reference),
        search=dict(Counter(record.status for record in records if record.key.kind == "search")),
        failures=sum(record.key.kind == "replicate" and record.status == "failed" for record in records),
        best_validation_uar=None if best is None else best.metrics["validation_uar"],
        selected=None if best is None else study.searched(cell, best.config.values),
        selected_number=None if best is None else best.key.number,
        domain_accuracy=(
            _mean_of("domain_accuracy/raw", replicates),
            _mean_of("domain_accuracy/representation", replicates),
        ),
        chance=task.chance,
        selection=task.selection,
    )


def finished_replicates(records: Iterable[RunRecord]) -> list[RunRecord]:
    """Finished replicates by number."""
    finished = [record for record in records if record.key.kind == "replicate" and record.status == "finished"]
    return sorted(finished, key=lambda record: record.key.number)


def _mean_of(metric: str, records: Iterable[RunRecord]) -> float | None:
    values = [record.metrics[metric] for record in records if metric in record.metrics]
    return statistics.fmean(values) if values else None


def _scores_by_test(records: Iterable[RunRecord]) -> dict[tuple[int, str], float]:
    """The test UAR of each finished replicate, by its seed and what it was tested on."""
    scores = {
        (record.config.seed, record.origin.get("split", {}).get("test_digest", "")): record.metrics["test_uar"]
        for record in finished_replicates(records)
    }
    return {tested: score for tested, score in scores.items() if math.isfinite(score)}
