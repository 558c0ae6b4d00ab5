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

from data_prep.features import Feature, _kaldi

_BINS = 40
_SETTINGS = {**_kaldi.FRAMES, "num_mel_bins": _BINS, "use_power": True, "use_log_fbank": True}


def _compute(waveform: np.ndarray) -> np.ndarray:
    return _kaldi.compute("fbank", _SETTINGS, waveform, _BINS)


FEATURE = Feature(
    title="40 log Mel filter bank energies, Kaldi's (addi.txt, section 4.2)",
    sample_rate=_kaldi.SAMPLE_RATE,
    dimensions=_BINS,
    frame_shift=0.010,
    settings={**_SETTINGS, "scale": _kaldi.SCALE},
    libraries=_kaldi.LIBRARIES,
    version=1,
    compute=_compute,
)
