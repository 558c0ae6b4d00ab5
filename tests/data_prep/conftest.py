"""A small corpus of one's own, on disk: wav files and the manifest that lists them."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import soundfile

EMOTIONS = ("angry", "happy", "neutral", "sad")


@dataclass
class Lab:
    """Writes noise and lists it in ``lab.csv``.

    Attributes:
        folder: where everything lies.
        rows: the manifest's rows, as they are written by :meth:`list`.
    """

    folder: Path
    rows: list[dict[str, str]] = field(default_factory=list)

    @property
    def manifest(self) -> Path:
        return self.folder / "lab.csv"

    def record(self, name: str, seed: int, seconds: float = 0.3) -> None:
        """(Re)writes one audio file: noise that is the seed's alone."""
        noise = np.random.default_rng(seed).normal(0, 0.1, round(16000 * seconds))
        soundfile.write(self.folder / f"{name}.wav", noise, 16000)

    def add(self, name: str, audio: str | None = None, **columns: str) -> None:
        """Adds a row to the manifest."""
        speaker = f"s{len(self.rows) % 2}"
        values = {"audio": audio or f"{name}.wav", "speaker": speaker, "emotion": EMOTIONS[len(self.rows) % 4]}
        self.rows.append({"utterance_id": name, **values, "start": "", "end": "", **columns})

    def list(self) -> Path:
        """Writes the manifest and returns its path."""
        with self.manifest.open("w", newline="") as file:
            writer = csv.DictWriter(file, ["utterance_id", "audio", "speaker", "emotion", "start", "end"])
            writer.writeheader()
            writer.writerows(self.rows)
        return self.manifest


@pytest.fixture(scope="session")
def make_lab() -> Callable[[Path, int], Lab]:
    """Records a lab in a new folder: so many utterances ``u00``, ``u01``, …"""

    def make(folder: Path, utterances: int) -> Lab:
        folder.mkdir(parents=True)
        lab = Lab(folder)
        for number in range(utterances):
            lab.record(f"u{number:02}", number)
            lab.add(f"u{number:02}")
        lab.list()
        return lab

    return make


@pytest.fixture
def lab(make_lab: Callable[[Path, int], Lab], tmp_path: Path) -> Lab:
    """Eight utterances of noise."""
    return make_lab(tmp_path / "lab", 8)
