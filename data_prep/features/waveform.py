"""``waveform``: the samples at 16 kHz, a frame of one value each (pseudo_label.txt, sections 3.2.1 and 4.2; HuBERT's input).

Values are amplitudes in [-1, 1], with no normalisation and no voice activity detection: HuBERT Base, which the paper
uses, was trained on such samples. Models that want each utterance at zero mean and unit variance (those with layer
normalisation in their convolutions, HuBERT Large among them) do that with their batch. The paper trains on 2 s that are
cut at random and tests on whole utterances: the batch's business, too, and note that padding with zeros changes what a
model with group normalisation, as HuBERT Base, makes of the rest.
"""

from __future__ import annotations

import numpy as np

from data_prep.features import Feature

_SAMPLE_RATE = 16000


def _compute(waveform: np.ndarray) -> np.ndarray:
    return waveform.astype(np.float32).reshape(-1, 1)


FEATURE = Feature(
    title="the waveform at 16 kHz (pseudo_label.txt, section 3.2.1, HuBERT)",
    sample_rate=_SAMPLE_RATE,
    dimensions=1,
    frame_shift=1 / _SAMPLE_RATE,
    settings={"normalisation": "none"},
    libraries=(),  # decoding and resampling are part of every feature's recipe
    version=1,
    compute=_compute,
)
