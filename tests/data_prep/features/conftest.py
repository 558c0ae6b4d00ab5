"""What features are checked on: signals that are made here, and real speech where it is at hand. Both at 16 kHz."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from data_prep import audio

RATE = 16000
TIME = np.arange(2 * RATE) / RATE


def _noise(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.1, len(TIME))


def _vowel() -> np.ndarray:
    """Harmonics of a voice that glides from 100 to 250 Hz and swells twice a second, with a little breath."""
    phase = 2 * np.pi * np.cumsum(np.linspace(100, 250, len(TIME))) / RATE
    voice = sum(np.sin(harmonic * phase) / harmonic for harmonic in range(1, 20))
    return 0.2 * voice * (1.1 + np.sin(2 * np.pi * 2 * TIME)) / 2.1 + 0.01 * _noise(2)


SIGNALS: dict[str, Callable[[], np.ndarray]] = {
    "noise": lambda: _noise(0),
    "noise on a constant": lambda: 0.3 + _noise(1),
    "noise that fades": lambda: _noise(3) * np.exp(-3 * TIME),
    "vowel": _vowel,
}


@pytest.fixture(params=SIGNALS)
def synthetic(request: pytest.FixtureRequest) -> np.ndarray:
    """Two seconds of a signal that is made here, float32 in [-1, 1]."""
    return np.clip(SIGNALS[request.param](), -1, 1).astype(np.float32)


@pytest.fixture(scope="session")
def speech(real_corpora: Path) -> list[np.ndarray]:
    """Some twenty utterances of real speech: EMO-DB's, EMOVO's, RAVDESS's and LibriSpeech's."""
    found = []
    for corpus, step in (("emodb", 60), ("emovo", 120), ("ravdess", 150), ("librispeech", 40)):
        files = sorted(path for path in (real_corpora / corpus).rglob("*") if path.suffix in (".wav", ".flac"))
        found += [audio.decode(audio.read(file), RATE)[0] for file in files[::step]]
    assert len(found) > 15
    return found


@pytest.fixture(scope="session")
def kaldi_fbank() -> Callable[[np.ndarray, int], np.ndarray]:
    """Log Mel energies of a waveform in so many bands, by kaldi-native-fbank: Kaldi's C++ code, as mfb40 has it set."""
    fbank = pytest.importorskip("kaldi_native_fbank")

    def compute(waveform: np.ndarray, bands: int) -> np.ndarray:
        options = fbank.FbankOptions()
        options.frame_opts.samp_freq = RATE
        options.frame_opts.dither = 0
        options.mel_opts.num_bins = bands
        options.mel_opts.low_freq = 20
        computer = fbank.OnlineFbank(options)
        computer.accept_waveform(RATE, (waveform * 32768).tolist())
        computer.input_finished()
        return np.array([computer.get_frame(frame) for frame in range(computer.num_frames_ready)])

    return compute
