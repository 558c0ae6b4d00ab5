"""``mfcc13``: 13 Mel-frequency cepstral coefficients as Kaldi computes them (multilingual.txt, section 4.1).

The paper names Kaldi and 13 coefficients. The rest is Kaldi's own: 25 ms every 10 ms, Povey window, pre-emphasis 0.97,
23 Mel bands from 20 Hz to half the sampling rate (8 kHz), cepstral lifter 22, frames that fit wholly. The first
coefficient is C0, not the energy of the frame (``use_energy`` false, as in the configuration that Kaldi's recipes ship).
As in :mod:`.mfb40`, samples have the scale of 16-bit integers and dither is 0, where Kaldi's default is 1.

The paper keeps the first 120 frames (1.2 s) of longer utterances and pads shorter ones with zeros: the batch's business.
Note that ``max_frames`` of a task keeps the middle. :mod:`.mfcc13_pitch` is the variant with Kaldi's pitch.
"""

from __future__ import annotations

import numpy as np

from data_prep.features import Feature
from data_prep.features._blocks import in_blocks

_SAMPLE_RATE = 16000
_COEFFICIENTS = 13
_WINDOW, _HOP = 400, 160  # samples of 25 and 10 ms
_SCALE = 32768.0

# Every argument of torchaudio.compliance.kaldi.mfcc that these values depend on; lengths in ms, frequencies in Hz.
_KALDI = {
    "sample_frequency": float(_SAMPLE_RATE),
    "num_ceps": _COEFFICIENTS,
    "num_mel_bins": 23,
    "cepstral_lifter": 22.0,
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


def _compute(waveform: np.ndarray) -> np.ndarray:
    # Here, because importing torch takes seconds and whoever reads a store or asks for --help does not need it.
    import torch
    from torchaudio.compliance import kaldi

    def compute(samples: np.ndarray) -> np.ndarray:
        return kaldi.mfcc(torch.from_numpy(samples).unsqueeze(0) * _SCALE, **_KALDI).numpy()

    return in_blocks(compute, waveform, _WINDOW, _HOP, _COEFFICIENTS)


FEATURE = Feature(
    title="13 Mel-frequency cepstral coefficients, Kaldi's (multilingual.txt, section 4.1)",
    sample_rate=_SAMPLE_RATE,
    dimensions=_COEFFICIENTS,
    frame_shift=0.010,
    settings={**_KALDI, "scale": _SCALE},
    libraries=("torch", "torchaudio"),
    version=1,
    compute=_compute,
    paper_frames=120,
)
