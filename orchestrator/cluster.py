"""The Ray that a command works on."""

from __future__ import annotations

import os
import warnings

from data_prep import cores
from orchestrator.warm import preload


def connect(address: str | None, *, for_trials: bool = False) -> None:
    """Joins the Ray cluster at ``address``, or starts Ray on this machine; once per process.

    Args:
        address: of the cluster; ``None`` for a Ray of our own.
        for_trials: whether the workers that it starts with are to train trials (:mod:`orchestrator.warm`).
    """
    # Tune's own result files and banners: MLflow and the progress view have all that is in them.
    os.environ.setdefault("TUNE_DISABLE_AUTO_CALLBACK_LOGGERS", "1")
    os.environ.setdefault("RAY_AIR_NEW_OUTPUT", "0")
    os.environ.setdefault("RAY_TRAIN_ENABLE_V2_MIGRATION_WARNINGS", "0")
    os.environ.setdefault("TUNE_GLOBAL_CHECKPOINT_S", "inf")  # nor does anything read Tune's snapshots
    import ray

    if ray.is_initialized():
        return
    warnings.filterwarnings("ignore", category=FutureWarning, module="ray")
    if for_trials and address is None:
        preload()
    cores.join(address)
