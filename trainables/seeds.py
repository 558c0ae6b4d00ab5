"""A configuration under several seeds: its runs trained in step, told and left as their mean.

One run says little of a configuration: another split and other weights to begin with, and a good one may look bad. So a
search trial may be several runs, and what judges it, epoch by epoch and in the end, sees their mean alone.
"""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import torch

from trainables.fitting import Fitting
from trainables.loop import Training
from trainables.outcome import Report, TrialResult
from trainables.replicas import Pack, alike, can_share

Numbers = Mapping[str, float]

# What is no mean: runs that have ended stay at their last epoch, and seconds add up.
_TOGETHER: Mapping[str, Callable[[Iterable[float]], float]] = {"epoch": max, "epochs_run": max, "train_seconds": sum}
# What has its sample standard deviation beside it, called ``<name>_sd``.
_SPREAD = ("validation_uar", "test_uar")


def train_in_step(runs: Sequence[Training | Fitting], report: Report, *, as_batch: bool) -> None:
    """Trains several runs to their ends, each epoch in all of them before the next, and tells of their mean.

    One after another in each epoch, a run has the numbers that it has by itself, bit for bit; as one batch, up to the
    order of floating-point sums. Of runs that go on from an earlier state, what is over is told of first.

    Args:
        runs: of one configuration, on one device; of a single one, what is told is its own.
        report: called after each epoch with :func:`mean_epochs`.
        as_batch: whether they are to be one batch (:class:`~trainables.replicas.Pack`), where they can be.

    Raises:
        TrainingDiverged: a loss of one of them is no longer finite.
    """
    devices = {run.device for run in runs if isinstance(run, Training) and run.device.type == "cuda"}
    with torch.random.fork_rng(devices=devices):
        for epoch in mean_epochs(_streams(runs, as_batch)):
            report(epoch)


def mean_epochs(streams: Sequence[Iterator[Numbers]]) -> Iterator[Numbers]:
    """The mean of what several runs report, after each epoch, until all have ended.

    Of each stream one epoch is taken at a time. A run that has ended counts with its last epoch: that is how good it has
    become, and leaving it out would let the mean jump for no other reason.

    Args:
        streams: each run's epochs.

    Returns:
        For each epoch, the mean of each number over the runs that have it. ``epoch`` is the epoch's number,
        ``train_seconds`` the seconds of all together, and beside ``validation_uar`` is the sample standard deviation
        ``validation_uar_sd``. Of a single run, what it reports.
    """
    latest: dict[int, Numbers] = {}
    live = dict(enumerate(streams))
    while live:
        for number, stream in list(live.items()):
            epoch = next(stream, None)
            if epoch is None:
                del live[number]
            else:
                latest[number] = epoch
        if live:
            yield _mean([latest[number] for number in range(len(streams))])


def mean_result(results: Sequence[TrialResult]) -> TrialResult:
    """What a trial of several seeds leaves; of a single one, what its run leaves.

    Metrics are means as in :func:`mean_epochs`, with ``test_uar_sd`` too; ``epochs_run`` is of the longest run. The
    confusion matrix is the sum of all; the split has the sizes of the first seed's parts, and the digests of all, in
    their order, with commas between. The model and what standardised its features are the first seed's.
    """
    first = results[0]
    if len(results) == 1:
        return first
    digests = {
        name: ",".join(result.split[name] for result in results) for name in first.split if name.endswith("digest")
    }
    return TrialResult(
        metrics=_mean([result.metrics for result in results]),
        confusion=sum((result.confusion for result in results[1:]), first.confusion),
        history=tuple(mean_epochs([iter(result.history) for result in results])),
        weights=first.weights,
        normalisation=first.normalisation,
        split={**first.split, **digests},
    )


def _mean(each: Sequence[Numbers]) -> Numbers:
    if len(each) == 1:
        return each[0]
    values = {
        name: [numbers[name] for numbers in each if name in numbers]
        for name in dict.fromkeys(itertools.chain.from_iterable(each))
    }
    spread = {f"{name}_sd": statistics.stdev(values[name]) for name in _SPREAD if len(values.get(name, ())) > 1}
    return {**{name: _TOGETHER.get(name, statistics.fmean)(there) for name, there in values.items()}, **spread}


def _streams(runs: Sequence[Training | Fitting], as_batch: bool) -> list[Iterator[Numbers]]:
    games = [run for run in runs if isinstance(run, Training)]
    if as_batch and len(runs) > 1 and len(games) == len(runs):
        first = games[0]
        if can_share(first) and all(can_share(run) and alike(run, first) for run in games[1:]):
            pack = Pack(games)
            return [_of_a_batch(run, pack) for run in games]
    return [run.epochs() for run in runs]


def _of_a_batch(run: Training, pack: Pack) -> Iterator[Numbers]:
    """A run's epochs. All runs of the batch are trained until this one has its next; others may come ahead of it."""
    for told in itertools.count():
        while len(run.history) == told and not run.ended:
            over = pack.advance()
            for epoch in over:
                if epoch.error is not None:
                    raise epoch.error
            pack.change(go=[epoch.run for epoch in over if epoch.run.ended])
        if len(run.history) == told:
            return
        yield run.history[told]
