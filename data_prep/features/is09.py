"""``is09``: the 384 features of the INTERSPEECH 2009 Emotion Challenge, one frame per utterance (multilingual.txt, section 4.1).

openSMILE's own set: 16 low-level descriptors (RMS energy, MFCC 1–12, zero-crossing rate, voicing probability, F0) of
25 ms frames every 10 ms, smoothed over three frames, and their deltas, each described by 12 functionals (maximum, minimum,
range, positions of both, mean, slope, offset and error of the linear regression, standard deviation, skewness, kurtosis).
The order is openSMILE's: ``opensmile.Smile(...).feature_names``.

openSMILE reads 16-bit integers, and its Python package turns a sample of +1 or more into the lowest one, -32768. So
samples are clipped to what 16 bits hold before it sees them; smaller values are truncated, as the package does.

Standardising the features is a trial's business, with statistics of its training part.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from data_prep.features import Feature

_SAMPLE_RATE = 16000
_VALUES = 384
_FRAME = 400  # samples of 25 ms; openSMILE has nothing to describe in less
_HIGHEST = 32767 / 32768


@cache
def _smile() -> Any:
    # Here, because importing it takes a second and whoever reads a store or asks for --help does not need it.
    import opensmile

    return opensmile.Smile(
        feature_set=opensmile.FeatureSet.IS09,
        feature_level=opensmile.FeatureLevel.Functionals,
    )


def _compute(waveform: np.ndarray) -> np.ndarray:
    if len(waveform) < _FRAME:
        return np.zeros((0, _VALUES), np.float32)
    values = _smile()(np.clip(waveform, -1, _HIGHEST), _SAMPLE_RATE)
    return np.asarray(values, np.float32).reshape(1, _VALUES)


FEATURE = Feature(
    title="384 functionals of the INTERSPEECH 2009 Emotion Challenge, openSMILE's (multilingual.txt, section 4.1)",
    sample_rate=_SAMPLE_RATE,
    dimensions=_VALUES,
    frame_shift=None,
    settings={"feature_set": "IS09", "feature_level": "functionals", "samples": "clipped to 16 bits"},
    libraries=("opensmile",),
    version=1,
    compute=_compute,
)
