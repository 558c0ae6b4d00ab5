"""The label firewall, from the corpus's own label file to the weights in MLflow."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import torch
from mlflow.tracking import MlflowClient

LABEL = re.compile(r"^(\S+\.avi; )([AHNS]);", re.MULTILINE)


def test_other_labels_in_the_targets_label_file_change_not_one_weight(here, speech):
    as_it_is = swept(here, "as_it_is", speech["iemocap"], speech["msp_improv"])
    relabelled = Path(shutil.copytree(speech["msp_improv"], here.home / "relabelled"))
    shuffle_labels(relabelled / "Evalution.txt")
    shuffled = swept(here, "shuffled", speech["iemocap"], relabelled)
    assert as_it_is["weights"].keys() == shuffled["weights"].keys()
    assert all(torch.equal(weight, shuffled["weights"][name]) for name, weight in as_it_is["weights"].items())
    assert as_it_is["validation_uar"] == shuffled["validation_uar"]
    assert as_it_is["data"] != shuffled["data"], "the labels were read"


def shuffle_labels(path: Path) -> None:
    text = path.read_text()
    labels = iter(np.random.default_rng(0).permutation([found[2] for found in LABEL.finditer(text)]))
    path.write_text(LABEL.sub(lambda found: f"{found[1]}{next(labels)};", text))


def swept(user, name: str, source: Path, target: Path) -> dict:
    """What MLflow holds of the one replicate of a small sweep: weights, validation UAR, fingerprint of the data."""
    user.types(
        *("orchestrator.sweep", "ablation_addi", "--preset=smoke", "--cells=full/iemocap-msp_improv"),
        *("--paper-values", "--replicates=1", f"--store={name}", f"--runs=runs_{name}"),
        *(f"--corpus=iemocap={source}", f"--corpus=msp_improv={target}", f"--tracking-uri=sqlite:///{name}.db"),
    )
    client = MlflowClient(tracking_uri=f"sqlite:///{user.home / name}.db")
    experiment = client.get_experiment_by_name("ablation_addi").experiment_id
    (run,) = client.search_runs([experiment], "tags.`ser.kind` = 'replicate'")
    model = client.download_artifacts(run.info.run_id, "model/model.pt")
    return {
        "weights": torch.load(model, weights_only=True)["weights"],
        "validation_uar": run.data.metrics["validation_uar"],
        "data": run.data.tags["ser.data"],
    }
