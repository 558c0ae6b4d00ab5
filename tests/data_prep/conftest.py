"""Small corpora of real sound files: tones and noise, listed in a manifest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import soundfile

RATE = 16000


def _tone(pitch: float, seconds: float = 0.5, seed: int = 0) -> np.ndarray:
    time = np.arange(round(seconds * RATE)) / RATE
    noise = np.random.default_rng(seed).normal(scale=0.01, size=len(time))
    return (0.3 * np.sin(2 * np.pi * pitch * time) + noise).astype(np.float32)


@pytest.fixture
def tone() -> Callable[..., np.ndarray]:
    """A tone with a little noise: mono, 16 kHz, float32 in [-1, 1]."""
    return _tone


@pytest.fixture
def make_corpus() -> Callable[..., Path]:
    """Makes a corpus of tones in a folder; returns its manifest."""

    def make(folder: Path, pitches: Sequence[float] = (200, 300, 400, 500)) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        lines = ["audio,speaker,gender,emotion"]
        for number, pitch in enumerate(pitches):
            soundfile.write(folder / f"{number}.wav", _tone(pitch, seed=number), RATE, subtype="PCM_16")
            lines.append(f"{number}.wav,s{number % 2},female,{('angry', 'happy', 'neutral', 'sad')[number % 4]}")
        (folder / "corpus.csv").write_text("\n".join(lines) + "\n")
        return folder / "corpus.csv"

    return make
