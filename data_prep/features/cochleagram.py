"""``cochleagram``: log energies of a bank of 64 gammatone filters (pseudo_label.txt, section 3.2.1; EmotionCNN's input).

The paper says no more than that EmotionCNN is fed with cochleagrams. These are the textbook's: gammatone filters of
order 4 with impulse response t³ exp(-2π b t) cos(2π f t), where b = 1.019 (24.7 + f / 9.26449) Hz is 1.019 equivalent
rectangular bandwidths (Glasberg and Moore, 1990), each of gain 1 at its centre frequency f; centre frequencies in equal
steps of the ERB-rate scale 21.4 log10(1 + 0.00437 f). The band, 60 to 7,800 Hz, and the number of filters are those of
the paper's other spectral input (:mod:`.logmel64`). A value is the natural logarithm of a filter's mean energy in 25 ms,
every 10 ms, in frames that fit wholly; samples are in [-1, 1] and 2^-30, the energy of one step of 16 bits, is added.

The filters are the sampled impulse response itself, SciPy's, 250 ms of it, by fast convolution. Recursive filters with
real coefficients, of order 8, lose their precision where eight poles crowd near 1 (log energies at 60 Hz were off by up
to 0.5 on EMO-DB), and those of SciPy approximate the response besides.

Padding and cutting are the batch's business; the paper trains on 2 s that are cut at random and tests on whole utterances.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy import fft, signal

from data_prep.features import Feature

_SAMPLE_RATE = 16000
_FILTERS = 64
_LOWEST, _HIGHEST = 60.0, 7800.0  # Hz
_CELL = 80  # samples; frames are made of cells of 5 ms
_WINDOW, _HOP = 5, 2  # cells of 25 and 10 ms
_FLOOR = 2.0**-30
_TAPS = 4000  # samples of an impulse response; what comes later is below 1e-13 of its peak
_BLOCK = 16384  # samples that are transformed at once
_ADVANCE = (_BLOCK - _TAPS + 1) // _CELL * _CELL  # samples of a block that hold no trace of its end at its beginning


@cache
def _responses() -> np.ndarray:
    """The filters' frequency responses, lowest first: complex of shape (filters, frequencies of a block)."""
    lowest, highest = 21.4 * np.log10(1 + 0.00437 * np.array([_LOWEST, _HIGHEST]))
    frequencies = (10 ** (np.linspace(lowest, highest, _FILTERS) / 21.4) - 1) / 0.00437
    return fft.rfft([_gammatone(frequency) for frequency in frequencies], _BLOCK)


def _gammatone(frequency: float) -> np.ndarray:
    response, _ = signal.gammatone(frequency, "fir", order=4, numtaps=_TAPS, fs=_SAMPLE_RATE)
    _, gain = signal.freqz(response, worN=[frequency], fs=_SAMPLE_RATE)
    return response / abs(gain)


def _compute(waveform: np.ndarray) -> np.ndarray:
    cells = len(waveform) // _CELL
    if cells < _WINDOW:
        return np.zeros((0, _FILTERS), np.float32)
    samples = np.pad(waveform[: cells * _CELL].astype(np.float64), (_TAPS - 1, 0))
    energies = np.empty((cells, _FILTERS))
    for first in range(0, cells * _CELL, _ADVANCE):
        last = min(first + _ADVANCE, cells * _CELL)
        spectrum = fft.rfft(samples[first : first + _BLOCK], _BLOCK)
        filtered = fft.irfft(_responses() * spectrum, _BLOCK)[:, _TAPS - 1 : _TAPS - 1 + last - first]
        parts = filtered.reshape(_FILTERS, -1, _CELL)
        energies[first // _CELL : last // _CELL] = np.einsum("fcs,fcs->cf", parts, parts) / _CELL
    frames = np.lib.stride_tricks.sliding_window_view(energies, _WINDOW, axis=0)[::_HOP].mean(axis=-1)
    return np.log(frames + _FLOOR).astype(np.float32)


FEATURE = Feature(
    title="log energies of 64 gammatone filters (pseudo_label.txt, section 3.2.1, EmotionCNN)",
    sample_rate=_SAMPLE_RATE,
    dimensions=_FILTERS,
    frame_shift=_HOP * _CELL / _SAMPLE_RATE,
    settings={
        "order": 4,
        "taps": _TAPS,
        "bandwidth": "1.019 (24.7 + f / 9.26449) Hz",
        "lowest_frequency": _LOWEST,
        "highest_frequency": _HIGHEST,
        "spacing": "equal steps of 21.4 log10(1 + 0.00437 f)",
        "gain": "1 at the centre frequency",
        "window": _WINDOW * _CELL,
        "hop": _HOP * _CELL,
        "floor": _FLOOR,
        "compression": "natural logarithm",
    },
    libraries=("numpy", "scipy"),
    version=1,
    compute=_compute,
)
