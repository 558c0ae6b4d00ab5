"""Which configuration of a cell is its best, and what each way to choose it is worth: pure functions over records.

A criterion is a name for the metric that chooses: ``validation``, what the protocol selects by; ``source_val`` and
``target_dev``, the parts of it that are of the source and of the target, where the protocol grants them; a label-free one
(``entropy``, ...; :mod:`trainables.criteria`), the metric ``criterion/<name>``; and ``oracle``, which alone looks at the
test score, and is there to compare with: it is no result.
"""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from data_prep.errors import unknown
from orchestrator.records import RunRecord
from trainables.criteria import CRITERIA as LABEL_FREE
from trainables.criteria import HELD_OUT

ORACLE = "oracle"
VALIDATION = "validation"
_METRICS = {
    VALIDATION: "validation_uar",
    **{name: f"criterion/{name}" for name in (*HELD_OUT, *LABEL_FREE)},
    ORACLE: "test_uar",
}
CRITERIA = tuple(_METRICS)
# What may choose the configuration that is replicated: anything but the score that is reported.
CHOOSERS = tuple(name for name in CRITERIA if name != ORACLE)


def select(records: Iterable[RunRecord], criterion: str = VALIDATION) -> RunRecord | None:
    """The finished search run that ``criterion`` scores highest; of equals, the one with the lowest number.

    Failed runs and runs that were stopped early never win: they were not trained as the replicates will be. ``None``
    where no search run has finished, or none has a finite score.

    Args:
        records: of one cell.
        criterion: one of :data:`CRITERIA`.

    Raises:
        InputError: there is no such criterion.
    """
    metric = _metric(criterion)
    scored = [record for record in _searched(records) if _scored(record, metric)]
    return max(scored, key=lambda record: (record.metrics[metric], -record.key.number), default=None)


def choose(records: Iterable[RunRecord], criterion: str = VALIDATION) -> RunRecord | None:
    """What :func:`select` chooses; by validation in a cell of which the criterion says nothing.

    A label-free criterion needs a target to look at, which a row that is trained and tested within one corpus has not.
    """
    records = list(records)
    return select(records, criterion) or select(records)


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What a criterion chooses, beside the best and the average trial. All are test UARs.

    Attributes:
        criterion: which.
        chosen: of the trial that it chooses.
        random: mean over the trials: what choosing at random comes to.
        oracle: of the best trial.
    """

    criterion: str
    chosen: float
    random: float
    oracle: float

    @property
    def regret(self) -> float:
        """What the choice loses to the oracle's, 0 or more."""
        return self.oracle - self.chosen

    @property
    def kept(self) -> float | None:
        """The share of the oracle's gain over a random choice that is kept: 1 is all; below 0, worse than random.

        ``None`` where there was nothing to gain, all trials being equal.
        """
        gain = self.oracle - self.random
        # Scores are ratios of counts: a gain below this is a rounding error of their mean.
        return (self.chosen - self.random) / gain if gain > 1e-12 else None


@dataclass(frozen=True, kw_only=True)
class Choice(Comparison):
    """What a criterion chooses in one cell.

    Attributes:
        cell: which.
        number: of the search trial that is chosen.
    """

    cell: str
    number: int


@dataclass(frozen=True, kw_only=True)
class Worth(Comparison):
    """What a criterion is worth over cells: means of what it comes to in each.

    What is kept is a share of the mean gain. So a cell counts by what there was to gain in it, and one whose trials
    hardly differ does not decide.

    Attributes:
        choices: cell by cell, in the order of the records; at least one.
    """

    choices: tuple[Choice, ...]


def worth(
    records: Iterable[RunRecord], criteria: Sequence[str] = (VALIDATION, *HELD_OUT, *LABEL_FREE, ORACLE)
) -> list[Worth]:
    """What each criterion would have chosen in each cell, and how much of the oracle's gain that keeps.

    All criteria choose among the same trials and are compared over the same cells: finished search trials with a test
    score and a score of every criterion, and cells that have two or more such trials, since of one there is no choice.
    A criterion that scored no trial of a cell with a choice is left out before that, and so is a held-out part that is
    all of the validation.

    The oracle's choice is the best of many noisy scores, so even the best criterion cannot be expected to keep all.

    Args:
        records: of any number of cells.
        criteria: of :data:`CRITERIA`, in the order of the rows.

    Raises:
        InputError: there is no such criterion.
    """
    metrics = {criterion: _metric(criterion) for criterion in criteria}
    tested = _with_a_choice(record for record in _searched(records) if _scored(record, _metric(ORACLE)))
    present = {name: metric for name, metric in metrics.items() if _tells(name, tested)}
    cells: dict[str, list[RunRecord]] = {}
    for record in _with_a_choice(each for each in tested if all(_scored(each, name) for name in present.values())):
        cells.setdefault(record.key.cell, []).append(record)
    return [_worth(criterion, cells) for criterion in present if cells]


def _with_a_choice(trials: Iterable[RunRecord]) -> list[RunRecord]:
    """The trials of those cells that have two or more of them."""
    trials = list(trials)
    count = Counter(record.key.cell for record in trials)
    return [record for record in trials if count[record.key.cell] > 1]


def _tells(criterion: str, trials: Sequence[RunRecord]) -> bool:
    """Whether a criterion scored any trial, and, if it is a held-out part, otherwise than the whole validation."""
    metric, usual = _metric(criterion), _metric(VALIDATION)
    scored = [record.metrics for record in trials if _scored(record, metric)]
    return bool(scored) and (
        criterion not in HELD_OUT or any(metrics[metric] != metrics.get(usual) for metrics in scored)
    )


def _worth(criterion: str, cells: Mapping[str, Sequence[RunRecord]]) -> Worth:
    choices = tuple(_choice(criterion, cell, trials) for cell, trials in cells.items())
    return Worth(
        criterion=criterion,
        choices=choices,
        chosen=statistics.fmean(choice.chosen for choice in choices),
        random=statistics.fmean(choice.random for choice in choices),
        oracle=statistics.fmean(choice.oracle for choice in choices),
    )


def _choice(criterion: str, cell: str, trials: Sequence[RunRecord]) -> Choice:
    best, tests = select(trials, criterion), [record.metrics[_metric(ORACLE)] for record in trials]
    assert best is not None, "every trial has a score"
    return Choice(
        criterion=criterion,
        cell=cell,
        number=best.key.number,
        chosen=best.metrics[_metric(ORACLE)],
        random=statistics.fmean(tests),
        oracle=max(tests),
    )


def _searched(records: Iterable[RunRecord]) -> list[RunRecord]:
    return [record for record in records if record.key.kind == "search" and record.status == "finished"]


def _scored(record: RunRecord, metric: str) -> bool:
    return math.isfinite(record.metrics.get(metric, math.nan))


def _metric(criterion: str) -> str:
    if criterion not in _METRICS:
        raise unknown("criterion", criterion, CRITERIA)
    return _METRICS[criterion]
