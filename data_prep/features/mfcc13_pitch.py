"""``mfcc13_pitch``: :mod:`.mfcc13` and Kaldi's three pitch features beside it (multilingual.txt, section 4.1).

The paper computed pitch features with Kaldi, too, and says no more of them; these are what Kaldi's recipes put beside
the coefficients. 16 values a frame:

- 0 to 12: the coefficients of :mod:`.mfcc13`;
- 13: the warped normalised cross-correlation, about -1.5 where the voice is periodic, 0 and more where it is not;
- 14: twice the logarithm of the pitch, less its mean over the 1.5 s around, weighted by the probability of voicing;
- 15: ten times the slope of the pitch's logarithm per frame.

How they are computed: :mod:`._kaldi_pitch`. Pitch has a frame more for a few lengths; it is left out, as Kaldi does. The
paper's 120 frames (1.2 s) are those of :mod:`.mfcc13`.
"""

from __future__ import annotations

import numpy as np

from data_prep.features import Feature, _kaldi_pitch
from data_prep.features.mfcc13 import FEATURE as MFCC13

_VALUES = MFCC13.dimensions + 3


def _compute(waveform: np.ndarray) -> np.ndarray:
    coefficients = MFCC13.compute(waveform)
    if not len(coefficients):
        return np.zeros((0, _VALUES), np.float32)
    pitch = _kaldi_pitch.features(waveform)[: len(coefficients)]
    return np.concatenate([coefficients, pitch.astype(np.float32)], axis=1)


FEATURE = Feature(
    title="13 Mel-frequency cepstral coefficients and 3 pitch features, Kaldi's (multilingual.txt, section 4.1)",
    sample_rate=MFCC13.sample_rate,
    dimensions=_VALUES,
    frame_shift=MFCC13.frame_shift,
    settings={
        **MFCC13.settings,
        "mfcc13": MFCC13.version,
        **{f"pitch_{name}": value for name, value in _kaldi_pitch.SETTINGS.items()},
    },
    libraries=(*MFCC13.libraries, "numpy"),
    version=1,
    compute=_compute,
    length=MFCC13.length,
)
