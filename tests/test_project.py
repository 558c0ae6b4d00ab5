"""The project as it is packaged: every package that is imported is declared, every one declared is used and pinned."""

from __future__ import annotations

import ast
import importlib.metadata
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("data_prep", "trainables", "search_spaces", "orchestrator")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PINS = (ROOT / "constraints.txt").read_text()
TOOLS = {"boto3", "mypy", "ruff", "pytest-timeout", "pytest-xdist", "hypothesis"}  # used, though by no import


def names(requirements: Iterable[str]) -> set[str]:
    """The distributions that requirements name, spelt as the packaging standard normalises names."""
    return {re.sub(r"[-_.]+", "-", re.split(r"[<>=!~;\[ ]", text)[0]).lower() for text in requirements}


def used(*folders: str) -> dict[str, Path]:
    """Every top-level package of others that the folders' modules import, with one module that does."""
    found = {}
    for path in (path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0]: path for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found[node.module.split(".")[0]] = path
            elif isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.importorskip":
                found[ast.literal_eval(node.args[0])] = path
    return {name: path for name, path in found.items() if name not in sys.stdlib_module_names | set(PACKAGES)}


def distributions(package: str) -> set[str]:
    return names(installed().get(package, [package]))


@cache
def installed() -> Mapping[str, list[str]]:
    return importlib.metadata.packages_distributions()


def test_every_package_that_the_code_imports_is_a_dependency():
    declared = names(PROJECT["dependencies"])
    for package, path in used(*PACKAGES).items():
        assert distributions(package) & declared, f"{path.relative_to(ROOT)} imports {package}: not in pyproject.toml"


def test_every_package_that_tests_and_benchmarks_import_is_declared_for_developers():
    declared = names([*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["dev"]])
    beside = {path.stem for path in (ROOT / "benchmarks").glob("_*.py")}  # what benchmarks share
    for package, path in used("tests", "benchmarks").items():
        if package in beside:
            continue
        assert distributions(package) & declared, f"{path.relative_to(ROOT)} imports {package}: not in pyproject.toml"


def test_nothing_is_declared_that_is_not_used():
    imported = set().union(*(distributions(package) for package in used(*PACKAGES)))
    assert names(PROJECT["dependencies"]) <= imported
    imported |= set().union(*(distributions(package) for package in used("tests", "benchmarks")))
    assert names(PROJECT["optional-dependencies"]["dev"]) <= imported | TOOLS


def test_every_declared_package_has_a_tested_version():
    wanted = [
        *PROJECT["dependencies"],
        *(name for extra in PROJECT["optional-dependencies"].values() for name in extra),
    ]
    assert names(wanted) <= names(line for line in PINS.splitlines() if "==" in line)


def test_the_tested_versions_are_names_and_versions_only():
    lines = [line for line in PINS.splitlines() if line and not line.startswith("#")]
    assert [line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][A-Za-z0-9.]*", line)] == []
    assert len(names(lines)) == len(lines)


def test_torch_and_torchaudio_are_pinned_as_the_pair_that_works():
    assert {"torch==2.11.0", "torchaudio==2.11.0"} <= set(PINS.splitlines())


def test_the_installed_project_imports_from_any_folder(tmp_path):
    try:
        importlib.metadata.distribution(PROJECT["name"])
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("the project is not installed in this environment (make setup installs it)")
    code = f"import {', '.join(PACKAGES)}, importlib.resources as r; print(r.files('orchestrator') / 'templates')"
    ended = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert list(Path(ended.stdout.strip()).glob("*.j2"))
