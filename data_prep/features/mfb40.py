"""``mfb40``: 40 log Mel filter bank energies as Kaldi computes them (addi.txt, section 4.2).

A Povey window of 25 ms every 10 ms, pre-emphasis 0.97, low cut-off 20 Hz and Kaldi's defaults otherwise: frames that
fit wholly (``snip_edges``), mean of the frame removed, power spectrum of 512 points, triangular filters equally wide
on the Mel scale up to half the sampling rate (8 kHz), natural logarithm.

Two things the paper leaves open. Samples have the scale of 16-bit integers, as Kaldi reads them: it shifts each value
by 2 ln 32768. Dither is 0, where Kaldi's default of 1 adds noise of one such unit: random features would make every
build of a store another one. Digital silence then gives Kaldi's floor, ln of the float32 epsilon, about -15.94.

Frames stay as many as the utterance has; the zero padding of section 4.2 is the batch's business.
"""

from __future__ import annotations

import numpy as np

from data_prep.features import Feature
from data_prep.features._blocks import in_blocks

_SAMPLE_RATE = 16000
_BINS = 40
_WINDOW, _HOP = 400, 160  # samples of 25 and 10 ms
_SCALE = 32768.0

# Every argument of torchaudio.compliance.kaldi.fbank that these values depend on; lengths in ms, frequencies in Hz.
_KALDI = {
    "sample_frequency": float(_SAMPLE_RATE),
    "num_mel_bins": _BINS,
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
    "use_power": True,
    "use_log_fbank": True,
    "use_energy": False,
    "subtract_mean": False,
}


def _compute(waveform: np.ndarray) -> np.ndarray:
    # Here, because importing torch takes seconds and whoever reads a store or asks for --help does not need it.
    import torch
    from torchaudio.compliance import kaldi

    def compute(samples: np.ndarray) -> np.ndarray:
        return kaldi.fbank(torch.from_numpy(samples).unsqueeze(0) * _SCALE, **_KALDI).numpy()

    return in_blocks(compute, waveform, _WINDOW, _HOP, _BINS)


FEATURE = Feature(
    title="40 log Mel filter bank energies, Kaldi's (addi.txt, section 4.2)",
    sample_rate=_SAMPLE_RATE,
    dimensions=_BINS,
    frame_shift=0.010,
    settings={**_KALDI, "scale": _SCALE},
    libraries=("torch", "torchaudio"),
    version=1,
    compute=_compute,
)
