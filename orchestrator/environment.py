"""What a run's numbers may depend on besides its configuration: code, packages, machine."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import platform
import shlex
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

_PACKAGES = ("torch", "torchaudio", "numpy", "scikit-learn", "pyarrow", "ray", "optuna", "mlflow", "soundfile", "soxr")

_CODE = ("data_prep", "trainables", "search_spaces", "orchestrator")


@cache
def describe_environment() -> dict[str, Any]:
    """Code version, package versions and this machine, as plain JSON types."""
    return {
        "code": code_version(),
        "python": platform.python_version(),
        "packages": {name: importlib.metadata.version(name) for name in _PACKAGES},
        "machine": machine(),
    }


@cache
def software() -> str:
    """Digest of all that numbers depend on besides configurations and the machine: code, Python, packages."""
    described = {key: value for key, value in describe_environment().items() if key != "machine"}
    return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()[:12]


def command_line(module: str, *arguments: str) -> str:
    """What to type, in this folder, to run a module of this project with the Python that runs now."""
    python, here = Path(sys.executable), Path.cwd()
    if shutil.which("python") == str(python):
        typed = "python"
    else:
        typed = str(python.relative_to(here) if python.is_relative_to(here) else python)
    return shlex.join([typed, "-m", module, *arguments])


@cache
def machine(gpu: bool = False) -> str:
    """The kind of machine: processor model and architecture, and that of the GPU if it is the one that trains.

    It names what decides bit-for-bit equality: with the same packages, machines of one kind give the same numbers.
    """
    if not gpu:
        return f"{_processor()} ({platform.machine()})"
    import torch

    return f"{machine()}, {torch.cuda.get_device_name() if torch.cuda.is_available() else 'no GPU'}"


def code_version() -> str:
    """The git commit of this project's code, marked ``+changes`` where it differs, new files included; else a digest."""
    root = Path(__file__).resolve().parent.parent
    try:
        commit = _git(root, "rev-parse", "--short=12", "HEAD")
        changed = _git(
            root, "status", "--porcelain", "--untracked-files=all", "--", *(f"{name}/*.py" for name in _CODE)
        )
    except (OSError, subprocess.CalledProcessError):
        return f"code-{_digest(root)}"
    return f"{commit}+changes-{_digest(root)}" if changed else commit


def _git(root: Path, *arguments: str) -> str:
    environment = {**os.environ, "GIT_CEILING_DIRECTORIES": str(root.parent)}
    command = ["git", "-C", str(root), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout.strip()


def _digest(root: Path) -> str:
    digest = hashlib.sha256()
    for package in _CODE:
        for path in sorted((root / package).rglob("*.py")):
            digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "unknown processor"
    fields = dict(line.split(":", 1) for line in lines if ":" in line)
    named = {name.strip(): value.strip() for name, value in fields.items()}
    model = (named.get("cpu family", ""), named.get("model", ""))
    return f"{named.get('model name', 'unknown processor')} family {model[0]} model {model[1]}"
