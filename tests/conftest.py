"""What all tests share: one Ray for the whole session, and the real corpora where they are at hand."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
# As `make ui` starts MLflow's server: its job runners would be a dozen processes that take their time to start.
os.environ.setdefault("MLFLOW_SERVER_ENABLE_JOB_EXECUTION", "false")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")


@pytest.fixture(scope="session")
def ray_session() -> Iterator[None]:
    """Ray on two cores, started once."""
    import ray

    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    yield
    ray.shutdown()


@pytest.fixture(scope="session")
def real_corpora() -> Path:
    """The folder of real corpora; a test that asks for it skips where there is none."""
    root = os.environ.get("SER_CORPORA_ROOT")
    if not root or not Path(root).is_dir():
        pytest.skip("SER_CORPORA_ROOT is not set to a folder of real corpora")
    return Path(root).resolve()
