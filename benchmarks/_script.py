"""A plain Optuna and MLflow script, as ``sweep_overhead.py`` runs one per core: it imports what it needs and nothing else.

It loads the data once, then trains trials of a study one after another, and logs parameters, every epoch and the model.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import mlflow
import optuna
import torch

from data_prep.store import open_store
from trainables.config import TrialConfig
from trainables.loading import load_task
from trainables.trainable import prepare_process, train


def main(store: str, storage: str, tracking_uri: str, usual: str, low: float, high: float, count: int) -> None:
    """Trains ``count`` trials: the configuration ``usual``, with a learning rate that the study's sampler draws.

    Args:
        store: of the features.
        storage: where the study is.
        tracking_uri: MLflow's.
        usual: a configuration, as JSON.
        low, high: between which the learning rate is drawn.
        count: of this process.
    """
    prepare_process()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    mlflow.set_tracking_uri(tracking_uri)
    mlflow.set_experiment("benchmark")
    values = json.loads(usual)
    data = load_task(open_store(Path(store)), TrialConfig.from_dict(values).task)

    def log(metrics: Mapping[str, float]) -> None:
        mlflow.log_metrics(dict(metrics), step=int(metrics["epoch"]))

    def objective(trial: optuna.Trial) -> float:
        values["hyperparameters"]["learning_rate"] = trial.suggest_float("learning_rate", low, high, log=True)
        with mlflow.start_run():
            mlflow.log_params(values["hyperparameters"])
            result = train(TrialConfig.from_dict(values), data, log)
            mlflow.log_metrics(dict(result.metrics))
            with tempfile.TemporaryDirectory() as kept:
                torch.save(dict(result.weights), Path(kept) / "model.pt")
                mlflow.log_artifact(f"{kept}/model.pt")
        return -result.metrics["validation_uar"]

    optuna.load_study(study_name="benchmark", storage=storage).optimize(objective, n_trials=count)


if __name__ == "__main__":
    main(*sys.argv[1:5], *map(float, sys.argv[5:7]), int(sys.argv[7]))
