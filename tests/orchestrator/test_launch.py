"""What ends a running sweep, and what its processes share."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import numpy as np
import pytest
import ray
from ray import tune

from orchestrator.launch import _terminated_like_interrupted
from orchestrator.trial import _fetched
from orchestrator.warm import _MOST_CORES, no_environment_for_trials


@pytest.fixture(autouse=True)
def interruptible():
    """SIGINT as a terminal's process has it: a process started in the background may ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_sigterm_ends_a_sweep_as_ctrl_c_does_and_only_while_it_runs():
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt), _terminated_like_interrupted():
        signal.raise_signal(signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is before


def test_ctrl_c_works_again_after_a_sweep_that_put_its_own_handler_there():
    with _terminated_like_interrupted():
        signal.signal(signal.SIGINT, lambda number, frame: None)  # as Tune does, and leaves it
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_a_process_fetches_the_data_once_for_all_its_trials(ray_session):
    @ray.remote(num_cpus=0)
    class Process:
        def __init__(self):
            self.before = None

        def trial(self, tasks):
            """Whether it has the very array that the trial before had."""
            there = _fetched(*tasks)["task"]
            same, self.before = there is self.before, there
            return same

    tasks = (ray.put({"task": np.zeros(1000)}),)
    process = Process.remote()
    assert [ray.get(process.trial.remote(tasks)) for _ in range(3)] == [False, True, True]


def test_trials_ask_for_no_environment_and_so_run_in_workers_that_are_there_already(ray_session, tmp_path):
    def trainable(config):
        tune.report({"environment": ray.get_runtime_context().get_runtime_env_string()})

    def run():
        settings = tune.RunConfig(storage_path=str(tmp_path), verbose=0)
        (result,) = tune.Tuner(trainable, run_config=settings).fit()
        return result.metrics["environment"]

    with no_environment_for_trials():
        assert run() == "{}"
    assert "PL_DISABLE_FORK" in run(), "afterwards, and for others, Tune is as it was"


_ASK_A_WORKER = """
import sys
import time

import ray
from ray.util import placement_group
from threadpoolctl import threadpool_info

from orchestrator import cluster


@ray.remote
def imported():
    there = "orchestrator.trial" in sys.modules
    import numpy, psutil  # Ray's own
    begun = psutil.Process().create_time()
    return begun, there, max(library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas")


cluster.connect(None, for_trials=True)
promised = placement_group([{"CPU": 1}] * int(ray.cluster_resources()["CPU"]))
time.sleep(3)
asked = time.time()
begun, there, threads = ray.get(imported.options(placement_group=promised).remote())
print(begun < asked - 2, there, threads)
"""


def test_workers_that_ray_starts_with_wait_for_trials_with_their_imports_and_one_thread_for_linear_algebra():
    environment = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    done = subprocess.run([sys.executable, "-c", _ASK_A_WORKER], env=environment, capture_output=True, text=True)
    stays, there, threads = done.stdout.split()
    assert (there, threads) == (str((os.cpu_count() or 1) <= _MOST_CORES), "1"), done.stderr
    assert stays == "True" or there == "False", "another was started for it"
