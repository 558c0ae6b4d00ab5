"""What the features that Kaldi defines share: its frames, and the way to its code in torchaudio.

Samples have the scale of 16-bit integers, as Kaldi reads them. Dither is 0, where Kaldi's default of 1 adds noise of one
such unit: random features would make every build of a store another one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from data_prep.features._blocks import in_blocks

SAMPLE_RATE = 16000
SCALE = 32768.0
LIBRARIES = ("torch", "torchaudio")

FRAMES = {
    "sample_frequency": float(SAMPLE_RATE),
    "frame_length": 25.0,
    "frame_shift": 10.0,
    "window_type": "povey",
    "preemphasis_coefficient": 0.97,
    "low_freq": 20.0,
    "high_freq": 0.0,  # Kaldi's way to say half the sampling rate
    "snip_edges": True,
    "dither": 0.0,
    "remove_dc_offset": True,
    "round_to_power_of_two": True,
    "use_energy": False,
    "subtract_mean": False,
}
"""Arguments of all functions of torchaudio.compliance.kaldi: Kaldi's defaults, but for the window and the dither; lengths
in ms, frequencies in Hz."""

_WINDOW, _HOP = 400, 160  # samples of 25 and 10 ms


def compute(function: str, settings: Mapping[str, Any], waveform: np.ndarray, dimensions: int) -> np.ndarray:
    """Frames of a waveform by a function of torchaudio.compliance.kaldi, float32 of shape (frames, ``dimensions``).

    Args:
        function: its name, ``fbank`` or ``mfcc``.
        settings: every argument that its values depend on.
        waveform: float32 of shape (samples,) in [-1, 1] at :data:`SAMPLE_RATE`.
        dimensions: values per frame.
    """
    # Here, because importing torch takes seconds and whoever reads a store or asks for --help does not need it.
    import torch
    from torchaudio.compliance import kaldi

    def block(samples: np.ndarray) -> np.ndarray:
        return getattr(kaldi, function)(torch.from_numpy(samples).unsqueeze(0) * SCALE, **settings).numpy()

    return in_blocks(block, waveform, _WINDOW, _HOP, dimensions)
