"""Commands as a user types them, in a folder of their own, on tiny demo corpora."""

from __future__ import annotations

import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from data_prep import demo

ROOT = Path(__file__).resolve().parents[2]


class User:
    """Somebody at a terminal in the folder ``home``."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def start(self, *command: str) -> subprocess.Popen[str]:
        """Types a command and does not wait for it."""
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
        environment.pop("MLFLOW_TRACKING_URI", None)
        return subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=self.home,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def types(self, *command: str, status: int = 0) -> str:
        """Types a command, waits for it, and reads what it prints."""
        process = self.start(*command)
        printed, _ = process.communicate(timeout=500)
        assert process.returncode == status, printed
        return printed

    def kill(self, process: subprocess.Popen[str], how: signal.Signals) -> str:
        """Sends the command a signal, waits for its end, and reads what it printed."""
        os.kill(process.pid, how)
        printed, _ = process.communicate(timeout=120)
        return printed

    def wait_for(self, process: subprocess.Popen[str], happened: Callable[[], bool]) -> None:
        """Waits until something has happened while a command goes on."""
        deadline = time.monotonic() + 200
        while not happened():
            assert process.poll() is None, process.stdout.read() if process.stdout else ""
            assert time.monotonic() < deadline, "it did not happen in time"
            time.sleep(0.1)

    def ended(self, sweep: str = "*") -> list[str]:
        """The runs that have ended, as often as the journals say so."""
        lines = [
            line for file in self.home.glob(f"runs/{sweep}/*/journal.jsonl") for line in file.read_text().splitlines()
        ]
        events = [json.loads(line) for line in lines if line.endswith("}")]
        records = [event["record"] for event in events if event["event"] == "ended"]
        return [f"{record['cell']}/{record['kind']}-{record['number']}" for record in records]


class Here(User):
    """The same commands run in this process, on the Ray that all tests share: where it is not processes that are tested."""

    def __init__(self, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
        super().__init__(home)
        self._capsys = capsys

    def types(self, *command: str, status: int = 0) -> str:
        """Runs a command, and reads what it prints."""
        module, *arguments = command
        returned = importlib.import_module(module).main(arguments)
        captured = self._capsys.readouterr()
        printed: str = captured.out + captured.err
        assert returned == status, printed
        return printed


@pytest.fixture(scope="session")
def speech(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The tiny demo corpora, spoken once."""
    return demo.speak(tmp_path_factory.mktemp("speech") / "tiny", size="tiny", seed=0)


@pytest.fixture
def user(tmp_path: Path) -> User:
    return User(tmp_path)


@pytest.fixture
def here(tmp_path: Path, ray_session, monkeypatch, capsys) -> Here:
    """Somebody in the folder of ``user``."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return Here(tmp_path, capsys)


@pytest.fixture
def user_in() -> type[User]:
    return User


@pytest.fixture
def server(user: User) -> Iterator[str]:
    """The address of an MLflow server over the user's runs, as ``make ui`` starts it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    options = ("--host", "127.0.0.1", "--port", port, "--workers", "1")
    process = user.start("mlflow", "server", "--backend-store-uri", "sqlite:///mlflow.db", *options)
    yield f"http://127.0.0.1:{port}"
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
