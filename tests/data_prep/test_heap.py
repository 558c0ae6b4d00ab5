"""Memory that a process frees stays with it."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest
import yaml

from data_prep import heap

# How often the kernel gives memory while blocks of 80 MiB come and go, in two threads, as trials have one each.
_FAULTS = """
import resource
import sys
import threading
import numpy as np
from data_prep import heap

def work():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(5):
        np.ones(10 * 2**20)
    faults.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)

faults = []
if "keep" in sys.argv:
    heap.keep()
for _ in range(2):
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    if "give back" in sys.argv:
        heap.give_back()
print(faults[1])
"""


@pytest.fixture
def settings() -> Iterator[dict[str, str]]:
    with patch.dict(os.environ):
        for name in [name for name in os.environ if name.startswith("MALLOC_")]:
            del os.environ[name]
        heap.keep_in_children()
        yield {name: value for name, value in os.environ.items() if name.startswith("MALLOC_")}


def test_who_tunes_glibc_in_its_other_way_is_left_alone(monkeypatch):
    called = []
    monkeypatch.setattr(heap, "_call", lambda *arguments: called.append(arguments))
    monkeypatch.setenv("GLIBC_TUNABLES", "glibc.malloc.arena_max=4")
    with patch.dict(os.environ):
        before = dict(os.environ)
        heap.keep_in_children()
        heap.keep()
        assert dict(os.environ) == before and not called


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the settings are glibc's")
def test_what_is_freed_is_there_for_what_is_allocated_next_unless_it_is_given_back(settings):
    # The threads of NumPy's library would have arenas by the time at which this process is told.
    clean = {name: value for name, value in os.environ.items() if name not in settings} | {"OPENBLAS_NUM_THREADS": "1"}

    def faults(*words: str, **environment: str) -> int:
        command = [sys.executable, "-c", _FAULTS, *words]
        return int(subprocess.run(command, env=clean | environment, capture_output=True, text=True, check=True).stdout)

    # In pages of 2 MiB at the most, a block is 40 of them.
    assert faults() > 150, "each block is fetched anew"
    assert faults("keep") < 30
    assert faults(**settings) < 30
    assert faults("keep", "give back") > 30, "the first one is"
    assert faults("keep", MALLOC_MMAP_MAX_="1000", MALLOC_ARENA_MAX="1") > 150, "what the user has set stays"


def test_what_the_user_has_set_stays(settings):
    os.environ["MALLOC_ARENA_MAX"] = "3"
    heap.keep_in_children()
    assert os.environ["MALLOC_ARENA_MAX"] == "3"


def test_nodes_of_a_cluster_have_the_same_settings(settings):
    cluster = yaml.safe_load((Path(__file__).resolve().parents[2] / "cluster.yaml").read_text())
    (start,) = [line for line in cluster["worker_start_ray_commands"] if "ray start" in line]
    assert all(f"{name}={value}" in start for name, value in settings.items())
