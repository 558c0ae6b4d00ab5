"""``logmel64``: 64 log Mel energies, standardised per utterance (pseudo_label.txt, section 3.2.1; the input of BYOL-S).

Windows of 64 ms (1,024 samples) every 10 ms and 64 bands from 60 to 7,800 Hz, as the paper says; then the mean of the
whole spectrogram is subtracted and its estimated standard deviation (divided by the number of values less one) divided
out: one mean and one deviation for all frames and bands, so that differences between bands stay. (The paper's Table 1
says MFCC for this input; its text describes, and BYOL-S was trained on, what is here.)

The rest is as in the public code of BYOL-S, which the paper uses: a periodic Hann window, frames centred on every 160th
sample with the signal mirrored at its ends, power spectrum, triangular filters on HTK's Mel scale with height 1, and the
natural logarithm of energy plus the float32 epsilon. Samples are in [-1, 1].

An utterance must fill one window, 64 ms. A spectrogram that is the same everywhere (digital silence) becomes 0. The
paper trains on 2 s that are cut at random from the utterance and tests on whole ones: the batch's business.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from data_prep.features import Feature
from data_prep.features._blocks import in_blocks

_SAMPLE_RATE = 16000
_BINS = 64
_WINDOW = 1024  # samples of 64 ms
_HOP = 160  # samples of 10 ms

# Every argument of torchaudio.transforms.MelSpectrogram that the values depend on; lengths in samples, frequencies in Hz.
_MEL = {
    "sample_rate": _SAMPLE_RATE,
    "n_fft": _WINDOW,
    "win_length": _WINDOW,
    "hop_length": _HOP,
    "n_mels": _BINS,
    "f_min": 60.0,
    "f_max": 7800.0,
    "power": 2.0,
    "normalized": False,
    "center": False,  # the signal is mirrored beforehand
    "pad": 0,
    "norm": None,
    "mel_scale": "htk",
}
_FLOOR = 2.0**-23  # the float32 epsilon
_LEAST_DEVIATION = 1e-6


@cache
def _mel_spectrogram() -> Any:
    # Here, because importing torch takes seconds and whoever reads a store or asks for --help does not need it.
    import torch
    from torchaudio.transforms import MelSpectrogram

    return MelSpectrogram(window_fn=torch.hann_window, **_MEL)


def _compute(waveform: np.ndarray) -> np.ndarray:
    import torch

    if len(waveform) < _WINDOW:
        return np.zeros((0, _BINS), np.float32)

    def compute(samples: np.ndarray) -> np.ndarray:
        return (_mel_spectrogram()(torch.from_numpy(samples)) + _FLOOR).log().T.numpy()

    mirrored = np.pad(waveform, _WINDOW // 2, mode="reflect")
    logarithms = in_blocks(compute, mirrored, _WINDOW, _HOP, _BINS)
    centred = logarithms - logarithms.mean(dtype=np.float64)
    deviation = np.sqrt((centred**2).sum() / (centred.size - 1))
    if deviation < _LEAST_DEVIATION:
        return np.zeros(centred.shape, np.float32)
    return (centred / deviation).astype(np.float32)


FEATURE = Feature(
    title="64 log Mel energies, standardised per utterance (pseudo_label.txt, section 3.2.1, BYOL-S)",
    sample_rate=_SAMPLE_RATE,
    dimensions=_BINS,
    frame_shift=_HOP / _SAMPLE_RATE,
    settings={
        **_MEL,
        "window": "hann, periodic",
        "edges": "reflect, half a window",
        "floor": _FLOOR,
        "normalisation": "mean 0, sample standard deviation 1 over all frames and bands of the utterance",
        "least_deviation": _LEAST_DEVIATION,
    },
    libraries=("torch", "torchaudio"),
    version=1,
    compute=_compute,
)
