"""A store changes as a whole or not at all, whoever else builds it and whatever kills the process that does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from filelock import FileLock

from data_prep import staging
from data_prep.store import MANIFEST, open_store


@pytest.fixture
def forked(make_lab, tmp_path):
    """Runs ``forked_builds.py`` on a lab of three utterances (``before.csv``: two, one with another label)."""
    lab = make_lab(tmp_path / "lab", 3)
    emotion, lab.rows[0]["emotion"] = lab.rows[0]["emotion"], "fear"
    last = lab.rows.pop()
    lab.list().rename(lab.folder / "before.csv")
    lab.rows[0]["emotion"] = emotion
    lab.rows.append(last)
    lab.list()
    (tmp_path / "stores").mkdir()

    def run(what: str) -> dict:
        root = Path(__file__).parents[2]
        ended = subprocess.run(
            [sys.executable, Path(__file__).with_name("forked_builds.py"), what, lab.folder, tmp_path / "stores"],
            env={**os.environ, "PYTHONPATH": str(root)},
            capture_output=True,
            text=True,
        )
        assert ended.returncode == 0, ended.stderr
        return json.loads(ended.stdout)

    return run


def test_a_build_that_is_killed_at_any_step_leaves_a_whole_store_and_the_next_one_makes_it_the_same(forked):
    """That the stores are the same is asserted there; here, that kills came before the swap as well as after it."""
    found = forked("kill")
    assert found.keys() == {"new", "there"}
    for counted in found.values():
        assert counted["kept"] >= 10 and counted["arrived"] >= 1
        assert counted["kept"] + counted["arrived"] == counted["steps"] - 1  # the last step was never reached


def test_builds_of_one_store_at_once_all_arrive_and_readers_always_find_a_whole_one(forked):
    found = forked("race")
    assert found["corpora"] == ["a", "b", "c", "d", "first"]
    assert found["rows"] == 4 * 2  # the last round of each builds before.csv
    assert found["reads"] > 100


@pytest.fixture
def swap(tmp_path):
    """A store of which only a manifest is there, half way through being replaced by another one."""
    store = tmp_path / "store"
    for place, corpus in ((store, "old"), (tmp_path / "store.building" / "new", "new")):
        place.mkdir(parents=True)
        (place / MANIFEST).write_text(json.dumps({"format": 1, "features": {corpus: {}}}))
    os.rename(store, tmp_path / "store.building" / "replaced")
    return store


def test_a_reader_waits_for_the_swap_and_not_for_the_next_build(swap):
    found = []
    with FileLock(f"{swap}.lock"):
        reader = threading.Thread(target=lambda: found.append(open_store(swap)))
        reader.start()
        time.sleep(0.5)
        assert found == []
        os.rename(swap.parent / "store.building" / "new", swap)
        reader.join(timeout=10)
        assert [list(store.entries) for store in found] == [["new"]]


def test_a_reader_puts_back_what_a_killed_swap_left(swap):
    assert list(open_store(swap).entries) == ["old"]


def test_a_swap_that_begins_while_a_store_is_opened_is_no_missing_store(swap, monkeypatch):
    settle, calls = staging.settle, []

    def late(store):
        calls.append(store)
        if len(calls) > 1:
            settle(store)

    monkeypatch.setattr(staging, "settle", late)
    assert list(open_store(swap).entries) == ["old"]
    assert len(calls) == 2
