"""``logmel26``: 26 log Mel filter bank energies (dann.txt, section 3.3).

Windows of 25 ms every 10 ms, as the paper says. It leaves the rest open, which is here as in :mod:`.mfb40`, Kaldi's
defaults: Povey window, pre-emphasis 0.97, 20 Hz to half the sampling rate (8 kHz), power spectrum, natural logarithm, no
dither. So the two papers' methods are compared on the same front end but for the number of bands.

A store holds every frame of the utterance. What the paper does next is done when a task is loaded:

- 750 frames (7.5 s): longer utterances are cut to their middle, shorter ones padded with each dimension's minimum in the
  utterance. On which side the paper does not say; here it is the end;
- zero mean and unit variance over each database (section 4.1), which is a protocol's to allow: those with normalisation
  ``corpus``. The padded frames count in these statistics, as they do in the paper if it normalises what it feeds to the
  network (it does not say).
"""

from __future__ import annotations

import numpy as np

from data_prep.features import Feature, Length, _kaldi
from data_prep.features.mfb40 import FEATURE as MFB40

_BINS = 26
_SETTINGS = {name: value for name, value in MFB40.settings.items() if name != "scale"} | {"num_mel_bins": _BINS}


def _compute(waveform: np.ndarray) -> np.ndarray:
    return _kaldi.compute("fbank", _SETTINGS, waveform, _BINS)


FEATURE = Feature(
    title="26 log Mel filter bank energies (dann.txt, section 3.3)",
    sample_rate=_kaldi.SAMPLE_RATE,
    dimensions=_BINS,
    frame_shift=0.010,
    settings={**_SETTINGS, "scale": _kaldi.SCALE},
    libraries=_kaldi.LIBRARIES,
    version=1,
    compute=_compute,
    length=Length(750, padding="minimum", keep="middle"),
)
