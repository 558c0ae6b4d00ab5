"""``mfb40_normalised``: 40 log Mel filter bank energies of zero mean and unit variance in each utterance (attributes.txt, section 4).

25 ms windows every 10 ms and no deltas, as the paper says; all that it leaves open is as in :mod:`.mfb40`, Kaldi's. The
mean and the variance are those of each coefficient over the frames of the utterance (Kaldi's per-utterance cepstral mean
and variance normalisation), the variance that of the frames themselves: divided by their number, not by one less. The
paper does not say whether the statistics are per coefficient or over all; per coefficient is what removes the channel.

A coefficient that stays the same over all frames becomes 0. Nothing but the utterance itself is looked at, so no label
and no other utterance can leak into it.
"""

from __future__ import annotations

import numpy as np

from data_prep.features import Feature
from data_prep.features.mfb40 import FEATURE as MFB40

# Where a coefficient's standard deviation is less, its frames are the same but for rounding.
_LEAST_DEVIATION = 1e-5


def _compute(waveform: np.ndarray) -> np.ndarray:
    frames = MFB40.compute(waveform)
    if not len(frames):
        return frames
    centred = frames - frames.mean(axis=0, dtype=np.float64)
    deviation = np.sqrt((centred**2).mean(axis=0))
    same = deviation < _LEAST_DEVIATION
    return np.where(same, 0, centred / np.where(same, 1, deviation)).astype(np.float32)


FEATURE = Feature(
    title="40 log Mel filter bank energies of zero mean and unit variance per utterance (attributes.txt, section 4)",
    sample_rate=MFB40.sample_rate,
    dimensions=MFB40.dimensions,
    frame_shift=MFB40.frame_shift,
    settings={
        **MFB40.settings,
        "mfb40": MFB40.version,
        "normalisation": "mean 0, population variance 1 of each coefficient over the utterance",
        "least_deviation": _LEAST_DEVIATION,
    },
    libraries=MFB40.libraries,
    version=1,
    compute=_compute,
)
