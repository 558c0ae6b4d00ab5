"""Imports run one way, orchestrator → search_spaces → trainables → data_prep, and each package knows only its own."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LAYERS = ("data_prep", "trainables", "search_spaces", "orchestrator")  # each may import those before it
FORBIDDEN = {
    "data_prep": ("mlflow", "optuna", "ray.train", "ray.tune", "torch.nn"),
    "trainables": ("mlflow", "optuna", "ray.tune"),
    "search_spaces": ("mlflow", "ray", "torch"),
}


def imported(path: Path) -> set[str]:
    """All that a module imports, wherever in it, as dotted names; of ``from a import b`` both ``a`` and ``a.b``."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Import(names=names):
                found |= {alias.name for alias in names}
            case ast.ImportFrom(module=str(module), names=names, level=0):
                found |= {module} | {f"{module}.{alias.name}" for alias in names}
            case ast.Call(func=ast.Attribute(attr="import_module"), args=[ast.Constant(value=str(name)), *_]):
                found.add(name)
    return found


def among(names: set[str], packages: tuple[str, ...]) -> list[str]:
    return sorted(name for name in names if any(f"{name}.".startswith(f"{package}.") for package in packages))


def modules(layer: str) -> list[Path]:
    found = sorted((ROOT / layer).rglob("*.py"))
    assert found, f"{layer} has no modules"
    return found


@pytest.mark.parametrize("layer", LAYERS)
def test_no_module_imports_from_a_layer_above_its_own(layer):
    above = LAYERS[LAYERS.index(layer) + 1 :]
    upwards = {str(path.relative_to(ROOT)): among(imported(path), above) for path in modules(layer)}
    assert not {path: names for path, names in upwards.items() if names}


@pytest.mark.parametrize("layer", FORBIDDEN)
def test_each_layer_knows_only_the_libraries_that_it_should(layer):
    known = {str(path.relative_to(ROOT)): among(imported(path), FORBIDDEN[layer]) for path in modules(layer)}
    assert not {path: names for path, names in known.items() if names}


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("import orchestrator.plan", "orchestrator.plan"),
        ("from orchestrator import plan", "orchestrator"),
        ("def later():\n    from ray import tune", "ray.tune"),
        ("import torch.nn.functional as F", "torch.nn.functional"),
        ("importlib.import_module('orchestrator.sweep')", "orchestrator.sweep"),
    ],
)
def test_an_import_is_seen_however_it_is_written(tmp_path, line, name):
    (tmp_path / "module.py").write_text(line)
    assert name in among(imported(tmp_path / "module.py"), ("orchestrator", "ray.tune", "torch.nn"))


def test_a_name_that_only_begins_like_a_forbidden_one_is_another(tmp_path):
    (tmp_path / "module.py").write_text("import raymond\nfrom ray import data\n")
    assert among(imported(tmp_path / "module.py"), ("ray.tune", "raymon")) == []
