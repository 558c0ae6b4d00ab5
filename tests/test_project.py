"""What holds the project together: imports run one way, and every package that is imported is declared."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LAYERS = ("data_prep", "trainables", "search_spaces", "orchestrator")  # each may import those before it
FORBIDDEN = {
    "data_prep": {"mlflow", "optuna", "torch.nn", "ray.tune", "ray.train"},
    "trainables": {"mlflow", "optuna", "ray.tune"},
    "search_spaces": {"mlflow", "ray", "torch"},
}


def imports(path: Path) -> set[str]:
    """Every module that a file imports, at the top or inside a function; names from a package count as modules too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def modules(layer: str) -> list[Path]:
    return sorted((ROOT / layer).rglob("*.py"))


@pytest.mark.parametrize("layer", LAYERS)
def test_imports_run_one_way(layer):
    above = LAYERS[LAYERS.index(layer) + 1 :]
    assert modules(layer)
    for path in modules(layer):
        upwards = {name for name in imports(path) if name.split(".")[0] in above}
        assert not upwards, f"{path.relative_to(ROOT)} imports upwards: {sorted(upwards)}"


@pytest.mark.parametrize("layer", FORBIDDEN)
def test_each_layer_knows_only_what_it_should(layer):
    for path in modules(layer):
        known = {name for name in imports(path) for no in FORBIDDEN[layer] if name == no or name.startswith(no + ".")}
        assert not known, f"{path.relative_to(ROOT)} knows {sorted(known)}"


def test_every_package_that_is_imported_is_declared():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = {_normal(re.split(r"[<>=\[]", text)[0]) for text in project["dependencies"]}
    where = packages_distributions()
    for path in (path for layer in LAYERS for path in modules(layer)):
        for name in {name.split(".")[0] for name in imports(path)} - set(LAYERS) - sys.stdlib_module_names:
            distributions = {_normal(distribution) for distribution in where[name]}
            assert distributions & declared, f"{path.relative_to(ROOT)} imports {name}, which pyproject.toml lacks"


def test_the_tested_versions_hold_every_dependency_and_no_address():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    pins = (ROOT / "constraints.txt").read_text()
    pinned = {_normal(line.split("==")[0]) for line in pins.splitlines() if "==" in line}
    wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    assert {_normal(re.split(r"[<>=\[]", text)[0]) for text in wanted} <= pinned
    assert "://" not in pins and "--" not in pins
    assert "torch==2.11.0" in pins and "torchaudio==2.11.0" in pins


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
