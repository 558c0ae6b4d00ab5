"""Every sweep of the project with its smallest preset, one run of either kind in a cell, by the command that a user types."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import search_spaces
from orchestrator.sweep import main

# These two have tests of their own, which drive them further.
OTHERS = [name for name in search_spaces.known() if name not in ("ablation_addi", "saddi_cross_corpus")]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all of them, so that corpora are spoken and features computed once."""
    return tmp_path_factory.mktemp("home")


@pytest.mark.parametrize("name", OTHERS)
def test_a_sweep_runs_to_a_whole_table(name, home, ray_session, monkeypatch, capsys, user_in):
    monkeypatch.chdir(home)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    sweep = search_spaces.load(name)
    status = main([name, "--preset=smoke", "--trials=1", "--replicates=1"])
    printed = capsys.readouterr().out
    assert status == 0, printed
    assert "DEMO CORPORA" in printed and "INCOMPLETE" not in printed and "problem:" not in printed
    launch = next(home.glob(f"runs/{name}/*/launch.json"))
    cells = set(json.loads(launch.read_text())["cells"])
    ended = user_in(home).ended(name)
    for cell in cells:
        kinds = [run.rpartition("/")[2].partition("-")[0] for run in ended if run.rpartition("/")[0] == cell]
        assert sorted(kinds) == ["replicate", "search"], cell
    # The shallow baselines, which are the same in every table, run in another test.
    shallow = {variant.name for variant in search_spaces.BASELINES}
    rows = [variant for variant in sweep.variants if variant.name not in shallow]
    ran = {row.method for row in rows if any(cell.startswith(f"{row.name}/") for cell in cells)}
    assert ran == {row.method for row in rows}, "the smallest preset still runs every method"
