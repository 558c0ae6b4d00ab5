"""The process that trains the runs of many trials, in batches of those that are alike.

Each Tune trial hands its run to a :class:`Packer` and passes on what comes back, epoch by epoch
(:func:`orchestrator.trial.run_trial`); so Tune, Optuna and MLflow see every run by itself. The packer trains those of its
runs that are alike in one batch (:mod:`trainables.replicas`), whether they are replicates or configurations that differ in
numbers, and the others one after another. A trial of several seeds has a run for each, and is told of their mean. One that is
stopped early drops its runs, whose places are free at once.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch

from orchestrator.trial import Final, conclude, on_this_machine, start_of
from trainables.config import TaskConfig, TrialConfig
from trainables.data import TaskData
from trainables.loop import Training
from trainables.outcome import TrialResult
from trainables.pretraining import Pretrained
from trainables.recovery import Recovery
from trainables.replicas import Epoch, Pack, alike, can_share
from trainables.resident import RESIDENTS
from trainables.seeds import mean_epochs, mean_result
from trainables.trainable import Trial, prepare_process
from trainables.workers import Workers

# How much more memory than a run has been seen to take must be there for one to join.
_MARGIN = 1.25


class _Dropped(Exception):
    """Nobody waits for a run any more."""


class _Ended(NamedTuple):
    """What a run leaves, and what it started from."""

    result: TrialResult
    start: Pretrained | None


class _Asked(NamedTuple):
    """A run that the trial ``name`` waits for: its epochs, then what it leaves, or why it failed."""

    name: str
    config: TrialConfig
    events: queue.SimpleQueue[dict[str, Any] | _Ended | Exception]

    def epochs(self, ended: dict[int, _Ended]) -> Iterator[dict[str, Any]]:
        """Its epochs as they come, after which what it leaves is in ``ended``, by its seed."""
        while not isinstance(event := self.events.get(), _Ended):
            if isinstance(event, Exception):
                raise event
            yield event
        ended[self.config.seed] = event


class _Begun(NamedTuple):
    """A run in training."""

    asked: _Asked
    trial: Trial
    start: Pretrained | None


class Packer:
    """Trains runs for trials, as many at a time as it may and its memory holds: a Ray actor with threads.

    One thread does all the work; the others wait for it, one for each trial.
    """

    def __init__(
        self, tasks: Mapping[TaskConfig, TaskData], most: int, gpu: bool, pretrained: str, recovery: Recovery
    ) -> None:
        """Begins with no run.

        Args:
            tasks: each task's data.
            most: runs at a time.
            gpu: whether it trains on a GPU; if so, as many at a time as fit into its memory.
            pretrained: folder of the runs that others start from.
            recovery: where runs keep their states, to go on from.
        """
        self._tasks, self._most, self._gpu, self._pretrained = tasks, most, gpu, Path(pretrained)
        self._recovery = on_this_machine(recovery, gpu)
        self._device = torch.device("cuda" if gpu else "cpu")
        self._heard: queue.SimpleQueue[list[_Asked] | str] = queue.SimpleQueue()
        self._waiting: deque[_Asked] = deque()
        self._begun: dict[Training, _Begun] = {}
        self._packs: deque[Pack] = deque()
        self._needed = 0  # bytes of the GPU's memory that a run has been seen to take, besides the features
        threading.Thread(target=self._work, daemon=True).start()

    def train(self, name: str, config: Mapping[str, Any]) -> Iterator[dict[str, Any] | Final]:
        """Trains the runs of a trial called ``name``: their epochs' mean as they come, then what they leave."""
        trial = TrialConfig.from_dict(config)
        asked = [_Asked(name, run, queue.SimpleQueue()) for run in trial.runs]
        self._heard.put(asked)
        ended: dict[int, _Ended] = {}
        try:
            for epoch in mean_epochs([run.epochs(ended) for run in asked]):
                yield dict(epoch)
        except _Dropped:
            return
        each = [ended[run.config.seed] for run in asked]
        result = mean_result([run.result for run in each])
        yield conclude(trial, result, each[0].start, gpu=self._gpu, packed=True)

    def drop(self, name: str) -> None:
        """Trains the runs of a trial no further, if they are still in training."""
        self._heard.put(name)

    def _work(self) -> None:
        prepare_process()
        while True:
            while not self._heard.empty() or not (self._begun or self._waiting):
                self._hear(self._heard.get())
            self._admit()
            self._advance()

    def _hear(self, heard: list[_Asked] | str) -> None:
        """Takes in what a trial asks for."""
        if isinstance(heard, list):
            self._waiting.extend(heard)
        else:
            dropped = [asked for asked in self._waiting if asked.name == heard]
            self._waiting = deque(asked for asked in self._waiting if asked.name != heard)
            gone = [run for run, begun in self._begun.items() if begun.asked.name == heard]
            for asked in (*dropped, *(self._begun[run].asked for run in gone)):
                asked.events.put(_Dropped())  # else its thread would wait for ever
            self._leave(gone)

    def _admit(self) -> None:
        """Begins runs as far as there is room for them."""
        come: list[Training] = []
        while self._waiting and self._has_room():
            asked = self._waiting.popleft()
            try:
                come.append(self._begin(asked))
            except Exception as error:  # of this run alone, whose trial says what it was
                asked.events.put(error)
        while come:
            together = [run for run in come if run is come[0] or _share(run, come[0])]
            come = [run for run in come if run not in together]
            pack = next((pack for pack in self._packs if _share(pack.runs[0], together[0])), Pack())
            if pack not in self._packs:
                self._packs.append(pack)
            self._change(pack, come=together)

    def _has_room(self) -> bool:
        runs = len(self._begun)
        if not (runs and self._gpu):
            return runs < self._most
        free, _ = torch.cuda.mem_get_info()
        there = free + torch.cuda.memory_reserved() - RESIDENTS.bytes
        # What a run takes is known when the first has been trained for an epoch.
        return runs < self._most and self._needed > 0 and (runs + 1) * self._needed * _MARGIN < there

    def _begin(self, asked: _Asked) -> Training:
        start = start_of(asked.config, self._tasks, self._pretrained, self._gpu, self._recovery)
        weights = None if start is None else start.weights
        trial = Trial(asked.config, self._tasks[asked.config.task], self._device, Workers(), weights, self._recovery)
        assert isinstance(trial.run, Training), "what has no game is fitted by its own trial"
        self._begun[trial.run] = _Begun(asked, trial, start)
        for epoch in trial.run.history:  # an earlier attempt's
            asked.events.put(dict(epoch))
        return trial.run

    def _advance(self) -> None:
        """Trains the pack whose turn it is up to the next end of an epoch, and tells the trials."""
        if not self._packs:
            return
        self._packs.rotate(-1)
        pack = self._packs[0]
        if self._gpu:  # what others took, or features that have gone since, is not what these take
            torch.cuda.reset_peak_memory_stats()
        try:
            over = pack.advance()
        except Exception as error:  # it may be of any of them: all fail, and are tried once more
            self._fail(pack, error)
            return
        if self._gpu:
            own = torch.cuda.max_memory_allocated() - RESIDENTS.bytes  # features are there once, for all
            self._needed = max(self._needed, own // len(self._begun))
        for epoch in over:
            self._tell(epoch)
        self._leave([run for run, error in over if error is not None or run.ended])

    def _tell(self, epoch: Epoch) -> None:
        """Tells a trial of its run's epoch and, after the last, of what it leaves."""
        begun, run = self._begun[epoch.run], epoch.run
        if epoch.error is not None:
            begun.asked.events.put(epoch.error)
            return
        begun.asked.events.put(dict(run.history[-1]))
        if run.ended:
            try:
                result = begun.trial.conclude(run.outcome())
            except Exception as error:
                begun.asked.events.put(error)
            else:
                begun.asked.events.put(_Ended(result, begun.start))

    def _change(self, pack: Pack, **runs: Sequence[Training]) -> None:
        try:
            pack.change(**runs)
        except Exception as error:  # there was less memory than was thought
            self._fail(pack, error)
        else:
            if not pack.runs:
                self._packs.remove(pack)

    def _fail(self, pack: Pack, error: Exception) -> None:
        """Gives up a pack, whose runs may be in the midst of a step, and tells their trials why."""
        self._packs.remove(pack)
        for run in pack.runs:
            self._begun.pop(run).asked.events.put(error)

    def _leave(self, runs: Sequence[Training]) -> None:
        """Has runs leave their packs."""
        for pack in list(self._packs):
            if go := [run for run in pack.runs if run in runs]:
                self._change(pack, go=go)
        for run in runs:
            del self._begun[run]


def _share(run: Training, other: Training) -> bool:
    """Whether two runs are trained in one batch."""
    return can_share(run) and can_share(other) and alike(run, other)
