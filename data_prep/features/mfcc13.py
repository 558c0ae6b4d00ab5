"""``mfcc13``: 13 Mel-frequency cepstral coefficients as Kaldi computes them (multilingual.txt, section 4.1).

The paper names Kaldi and 13 coefficients. The rest is Kaldi's own: 25 ms every 10 ms, Povey window, pre-emphasis 0.97,
23 Mel bands from 20 Hz to half the sampling rate (8 kHz), cepstral lifter 22, frames that fit wholly. The first
coefficient is C0, not the energy of the frame (``use_energy`` false, as in the configuration that Kaldi's recipes ship).
As in :mod:`.mfb40`, samples have the scale of 16-bit integers and dither is 0, where Kaldi's default is 1.

The paper keeps at most 120 frames (1.2 s) of an utterance and pads shorter ones with zeros. Which ones it keeps it does
not say: "clipped the extra signal" is read here as the first 120. A store holds all of them; the length is given when a
task is loaded, and zeros stay zeros where features are standardised, which the paper says nothing of.
:mod:`.mfcc13_pitch` is the variant with Kaldi's pitch.
"""

from __future__ import annotations

import numpy as np

from data_prep.features import Feature, Length, _kaldi

_COEFFICIENTS = 13
_SETTINGS = {**_kaldi.FRAMES, "num_ceps": _COEFFICIENTS, "num_mel_bins": 23, "cepstral_lifter": 22.0}


def _compute(waveform: np.ndarray) -> np.ndarray:
    return _kaldi.compute("mfcc", _SETTINGS, waveform, _COEFFICIENTS)


FEATURE = Feature(
    title="13 Mel-frequency cepstral coefficients, Kaldi's (multilingual.txt, section 4.1)",
    sample_rate=_kaldi.SAMPLE_RATE,
    dimensions=_COEFFICIENTS,
    frame_shift=0.010,
    settings={**_SETTINGS, "scale": _kaldi.SCALE},
    libraries=_kaldi.LIBRARIES,
    version=1,
    compute=_compute,
    length=Length(120, padding="zeros", keep="start"),
)
