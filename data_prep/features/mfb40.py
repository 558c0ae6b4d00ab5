"""Mel filter banks of addi.txt, 4.2: 40 log Mel energies as Kaldi computes them.

Povey window of 25 ms every 10 ms, pre-emphasis 0.97, low cut-off 20 Hz, high cut-off at half the sampling rate, power
spectrum, natural logarithm: Kaldi's defaults, with 40 filters. Two things the paper leaves to them: samples are scaled
to 16 bits as Kaldi reads them, and dither is 0, where Kaldi's default adds noise and would make every build different.
Frames stay as many as the utterance has; the padding of 4.2 is done where batches are made.
"""

from __future__ import annotations

import numpy as np
import torch
from torchaudio.compliance import kaldi

from data_prep.features import Feature

_SETTINGS = {
    "num_mel_bins": 40,
    "sample_frequency": 16000.0,
    "frame_length": 25.0,
    "frame_shift": 10.0,
    "window_type": "povey",
    "preemphasis_coefficient": 0.97,
    "low_freq": 20.0,
    "high_freq": 0.0,
    "dither": 0.0,
    "snip_edges": True,
    "remove_dc_offset": True,
    "use_energy": False,
    "use_power": True,
    "use_log_fbank": True,
}
_SCALE = 32768.0
_WINDOW = 400  # samples in 25 ms


def compute(waveform: np.ndarray) -> np.ndarray:
    """Log Mel energies of a waveform in [-1, 1]: float32 of shape (frames, 40), none shorter than 25 ms."""
    if len(waveform) < _WINDOW:
        return np.zeros((0, 40), np.float32)
    samples = torch.from_numpy(waveform).unsqueeze(0) * _SCALE
    return kaldi.fbank(samples, **_SETTINGS).numpy()


FEATURE = Feature(
    title="40 log Mel filter banks, Kaldi's (addi.txt, 4.2)",
    sample_rate=16000,
    dimensions=40,
    frame_shift=0.010,
    settings={**_SETTINGS, "scale": _SCALE},
    version=1,
    compute=compute,
)
