"""A trial from its configuration to its scores: the split, the firewall, the loop, and the one look at the test set.

:func:`train` runs in the calling process, or on several data-parallel workers under Ray Train; the numbers are the
same, bit for bit on one worker of the same kind of machine, and up to the order of floating-point sums on several. A
trial of several seeds is that many of them, trained in step, and their mean (:mod:`trainables.seeds`).
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from data_prep import heap, splits
from trainables import methods
from trainables.config import TrialConfig
from trainables.data import TaskData, describe, draw
from trainables.estimator import Estimator
from trainables.fitting import Fitting
from trainables.loop import Training
from trainables.metrics import Scores
from trainables.outcome import Outcome, Report, TrialResult
from trainables.recovery import Recovery
from trainables.seeds import mean_result, train_in_step
from trainables.validation import held_out_scores
from trainables.workers import Workers

_RESULT = "result.pt"


def train(
    config: TrialConfig,
    data: TaskData,
    report: Report = lambda metrics: None,
    *,
    workers: int = 1,
    gpu: bool = False,
    callbacks: Sequence[Any] = (),
    start: Mapping[str, Tensor] | None = None,
    recovery: Recovery | None = None,
) -> TrialResult:
    """Trains and tests one trial.

    Args:
        config: the trial, fully resolved.
        data: its task's data.
        report: called after every epoch when the trial runs in this process.
        workers: data-parallel workers; with 1 the trial runs in this process, with more, which a trial of one seed alone
            can have, under Ray Train.
        gpu: whether it (or each worker) trains on a GPU, where the runs of several seeds are one batch if they can be.
        callbacks: Ray Train callbacks, which hear of every epoch when the trial runs on several workers.
        start: the weights of ``config.start`` (:func:`trainables.pretraining.pretrain`).
        recovery: where its runs keep their states, from which they go on if the trial was cut off; what was reported then
            is reported again first. ``None`` to keep none. What has no epochs keeps none.
    """
    assert (start is None) == (config.start is None), "the weights that a configuration starts from come with it"
    if workers == 1 or isinstance(methods.load(config.method), Estimator):
        device = torch.device("cuda" if gpu else "cpu")
        trials = [Trial(run, data, device, Workers(), start, recovery) for run in config.runs]
        train_in_step([trial.run for trial in trials], report, as_batch=gpu)
        return mean_result([trial.conclude(trial.run.outcome()) for trial in trials])
    assert config.seeds == 1, "several seeds on several workers each are not for one trial"
    return _run_on_workers(config, data, workers, gpu, callbacks, start, recovery)


def prepare_process(threads: int = 1) -> None:
    """Makes this process's arithmetic repeatable: deterministic algorithms, a fixed number of threads.

    What it frees it keeps (:mod:`data_prep.heap`): each step of training allocates what the one before it has freed.
    """
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.set_deterministic_debug_mode("error")  # what use_deterministic_algorithms does, without importing a compiler
    # Else each new tensor is filled, so that what reads it too early gets the same; nothing does, and it takes time.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.set_num_threads(threads)
    heap.keep()


class Trial:
    """A trial of one seed that is trained: its split, what trains it, and what it is in the end.

    Attributes:
        run: what trains it.
    """

    def __init__(
        self,
        config: TrialConfig,
        data: TaskData,
        device: torch.device,
        workers: Workers,
        start: Mapping[str, Tensor] | None,
        recovery: Recovery | None = None,
    ) -> None:
        """Draws the split and makes ready; as in :func:`train`.

        Raises:
            InputError: the split cannot be drawn, or what it grants does not do for the method.
        """
        self._data, self._config = data, config
        self._granted, self._evaluator = draw(data, config.task, config.seed)
        self.run: Training | Fitting
        if isinstance(methods.load(config.method), Estimator):
            self.run = Fitting(config, self._granted)
        else:
            self.run = Training(config, self._granted, device, workers, start, recovery)

    def conclude(self, outcome: Outcome) -> TrialResult:
        """Tests what the run has come to, once, and says what else is known of it."""
        from trainables.diagnosis import diagnose  # here, for scikit-learn takes a second to import

        known = held_out_scores(self.run, self._granted)
        if not splits.load(self._config.task.protocol).within:  # there the target is the source
            known |= diagnose(self.run, self._granted, self._config.seed)
        test = self._evaluator.score(outcome.predicted)
        return _result(self._data, outcome, test, known, describe(self._data, self._granted.split))


def _result(
    data: TaskData, outcome: Outcome, test: Scores, known: Mapping[str, float], split: Mapping[str, Any]
) -> TrialResult:
    assert outcome.validation is not None, "what is tested was selected"
    counts = test.confusion.sum(axis=1)
    recalls = {
        f"test_recall/{name}": float(test.confusion[number, number] / counts[number])
        for number, name in enumerate(data.classes)
        if counts[number]
    }
    return TrialResult(
        metrics={
            "validation_uar": outcome.validation.unweighted_average_recall,
            "validation_accuracy": outcome.validation.accuracy,
            "test_uar": test.unweighted_average_recall,
            "test_accuracy": test.accuracy,
            **recalls,
            **known,
            "best_epoch": outcome.best_epoch,
            "epochs_run": len(outcome.history),
            "train_seconds": outcome.seconds,
        },
        confusion=test.confusion,
        history=outcome.history,
        weights=outcome.weights,
        normalisation=outcome.normalisation,
        split=split,
    )


def _run_on_workers(
    config: TrialConfig,
    data: TaskData,
    workers: int,
    gpu: bool,
    callbacks: Sequence[Any],
    start: Mapping[str, Tensor] | None,
    recovery: Recovery | None,
) -> TrialResult:
    import ray
    from ray.train import RunConfig, ScalingConfig
    from ray.train.torch import TorchTrainer

    with tempfile.TemporaryDirectory(prefix="ser-train-") as storage:
        trainer = TorchTrainer(
            _worker,
            train_loop_config={
                "config": config.to_dict(),
                "data": ray.put(data),
                "start": None if start is None else dict(start),
                "recovery": recovery,
            },
            scaling_config=ScalingConfig(num_workers=workers, use_gpu=gpu),
            run_config=RunConfig(name="trial", storage_path=storage, callbacks=list(callbacks)),
        )
        checkpoint = trainer.fit().checkpoint
        assert checkpoint is not None, "the first worker ends with a checkpoint"
        with checkpoint.as_directory() as folder:
            return torch.load(Path(folder) / _RESULT, weights_only=False)


def _worker(settings: Mapping[str, Any]) -> None:
    """One data-parallel worker. All report each epoch, as Ray Train asks; the first one keeps the result."""
    import ray
    import ray.train
    from ray.train.torch import get_device

    context = ray.train.get_context()
    prepare_process()
    trial = Trial(
        TrialConfig.from_dict(settings["config"]),
        ray.get(settings["data"]),
        get_device(),
        Workers(context.get_world_rank(), context.get_world_size()),
        settings["start"],
        settings["recovery"],
    )
    result = trial.conclude(trial.run.run(lambda metrics: ray.train.report(dict(metrics))))
    checkpoint = None
    with tempfile.TemporaryDirectory(prefix="ser-result-") as folder:
        if context.get_world_rank() == 0:
            torch.save(result, Path(folder) / _RESULT)
            checkpoint = ray.train.Checkpoint.from_directory(folder)
        ray.train.report(dict(result.history[-1]), checkpoint=checkpoint)
