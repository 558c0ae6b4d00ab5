"""Kaldi's pitch tracker and its three features: no maintained library has them for Python (torchaudio dropped its own).

Ghahremani et al., "A pitch extraction algorithm tuned for automatic speech recognition", ICASSP 2014, with the defaults
of ``compute-kaldi-pitch-feats`` and ``process-kaldi-pitch-feats``. Every frame gets a pitch, voiced or not: the path of
least cost through lags from 1/400 to 1/50 s, each 0.5 % longer than the one before, where a lag is cheap whose normalised
cross-correlation (NCCF) is high. So the contour is continuous, and a second value says how much it is to be believed.

Two things are not as in Kaldi. Its noise on the change of pitch is left out: a build could not be repeated. And the mean
energy that the ballast grows with is the whole signal's, where Kaldi, fed with a whole signal, leaves out its last 0.5 ms.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np

_RATE = 16000  # Hz, of the waveform
_LOW_RATE, _LOW_PASS, _LOW_PASS_ZEROS = 4000, 1000, 1  # Hz; the signal that is correlated, and the filter before it
_LENGTH, _SHIFT = 25, 10  # ms
_LOWEST, _HIGHEST, _SOFT_LOWEST = 50.0, 400.0, 10.0  # Hz
_STEP = 0.005  # from one lag to the next
_UPSAMPLE_ZEROS = 5
_PENALTY, _BALLAST = 0.1, 7000.0
_CONTEXT, _SLOPE_CONTEXT = 75, 2  # frames on each side
_NCCF_SCALE, _PITCH_SCALE, _SLOPE_SCALE = 2.0, 2.0, 10.0

SETTINGS = {
    "resample_frequency": _LOW_RATE,
    "lowpass_cutoff": _LOW_PASS,
    "lowpass_filter_width": _LOW_PASS_ZEROS,
    "upsample_filter_width": _UPSAMPLE_ZEROS,
    "frame_length": _LENGTH,
    "frame_shift": _SHIFT,
    "min_f0": _LOWEST,
    "max_f0": _HIGHEST,
    "soft_min_f0": _SOFT_LOWEST,
    "penalty_factor": _PENALTY,
    "delta_pitch": _STEP,
    "nccf_ballast": _BALLAST,
    "pov_scale": _NCCF_SCALE,
    "pitch_scale": _PITCH_SCALE,
    "delta_pitch_scale": _SLOPE_SCALE,
    "delta_pitch_noise_stddev": 0.0,
    "normalization_left_context": _CONTEXT,
    "normalization_right_context": _CONTEXT,
    "delta_window": _SLOPE_CONTEXT,
}
"""Kaldi's options by Kaldi's names, with these values."""

_FRAME, _HOP = _LOW_RATE * _LENGTH // 1000, _LOW_RATE * _SHIFT // 1000  # samples of the low-passed signal
_EDGE = _UPSAMPLE_ZEROS / (2 * _LOW_RATE)  # seconds that the upsampling filter reaches on each side
_FIRST_LAG = math.ceil(_LOW_RATE * (1 / _HIGHEST - _EDGE))  # samples
_LAST_LAG = math.floor(_LOW_RATE * (1 / _LOWEST + _EDGE))
_STATES = np.arange(1 + math.floor(math.log(_HIGHEST / _LOWEST) / math.log1p(_STEP)))
_LAGS = (1 + _STEP) ** _STATES / _HIGHEST  # seconds
_BLOCK = 3000  # frames that are correlated at once, which bounds the memory


def features(waveform: np.ndarray) -> np.ndarray:
    """Kaldi's three pitch features of at least 25 ms at 16 kHz, float64 of shape (frames, 3).

    Warped NCCF (about -1.5 where it is voiced, 0 and more where it is not), twice the logarithm of the pitch less its mean
    over 1.5 s weighted by how likely the frames are voiced, and ten times the slope of the logarithm.
    """
    nccf, pitch = track(waveform)
    logarithm = np.log(pitch)
    voicing = (1.0001 - np.clip(nccf, -1, 1)) ** 0.15 - 1
    weight = _voiced(nccf)
    mean = _around(weight * logarithm) / _around(weight)
    offsets = np.arange(-_SLOPE_CONTEXT, _SLOPE_CONTEXT + 1)
    padded = np.pad(logarithm, _SLOPE_CONTEXT, mode="edge")
    slope = np.correlate(padded, offsets / (offsets**2).sum(), mode="valid")
    return np.stack([_NCCF_SCALE * voicing, _PITCH_SCALE * (logarithm - mean), _SLOPE_SCALE * slope], axis=1)


def track(waveform: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """NCCF in [-1, 1] and pitch in Hz, every 10 ms, of at least 25 ms at 16 kHz."""
    low = _low_passed(waveform.astype(np.float64))
    frames = 1 + (len(low) - _FRAME) // _HOP
    ballast = _BALLAST * (low.var() * _FRAME) ** 2
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(low, (0, _LAST_LAG)), _FRAME + _LAST_LAG)[::_HOP]
    jump = _PENALTY * math.log1p(_STEP) ** 2 * (_STATES[:, None] - _STATES) ** 2.0
    upsample = _upsample()
    nccf = np.empty((frames, len(upsample)))
    back = np.empty((frames, len(_STATES)), np.int16)
    cost = np.zeros(len(_STATES))
    for first in range(0, frames, _BLOCK):
        inner, norm = _correlations(windows[first : first + _BLOCK])
        nccf[first : first + _BLOCK] = _divided(inner, norm)
        local = 1 - _divided(inner, norm + ballast) @ upsample * (1 - _SOFT_LOWEST * _LAGS)
        for frame, own in enumerate(local, first):
            through = jump + cost
            back[frame] = through.argmin(axis=1)
            cost = through[_STATES, back[frame]] + own
            cost -= cost.min()
    path = np.empty(frames, np.int64)
    state = cost.argmin()
    for frame in reversed(range(frames)):
        path[frame] = state
        state = back[frame, state]
    return np.einsum("fl,lf->f", nccf, upsample[:, path]), 1 / _LAGS[path]


def _low_passed(waveform: np.ndarray) -> np.ndarray:
    half = _RATE * _LOW_PASS_ZEROS // (2 * _LOW_PASS)
    taps = _windowed_sinc(np.arange(-half, half + 1) / _RATE, _LOW_PASS, _LOW_PASS_ZEROS) / _RATE
    return np.convolve(waveform, taps)[half : half + len(waveform) : _RATE // _LOW_RATE]


def _correlations(windows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of the beginning of each window with itself later, for every lag: inner products, and products of energies."""
    windows = windows - windows[:, :_FRAME].mean(axis=1, keepdims=True)
    begin = windows[:, :_FRAME]
    later = [windows[:, lag : lag + _FRAME] for lag in range(_FIRST_LAG, _LAST_LAG + 1)]
    inner = np.stack([np.einsum("ft,ft->f", begin, part) for part in later], axis=1)
    energies = np.stack([np.einsum("ft,ft->f", part, part) for part in later], axis=1)
    return inner, energies * np.einsum("ft,ft->f", begin, begin)[:, None]


def _divided(inner: np.ndarray, norm: np.ndarray) -> np.ndarray:
    return np.divide(inner, np.sqrt(norm), out=np.zeros_like(inner), where=norm > 0)


@cache
def _upsample() -> np.ndarray:
    """What takes the NCCF from lags in samples to :data:`_LAGS`, of shape (lags, states)."""
    measured = np.arange(_FIRST_LAG, _LAST_LAG + 1) / _LOW_RATE
    return _windowed_sinc(_LAGS - measured[:, None], _LOW_RATE / 2, _UPSAMPLE_ZEROS) / _LOW_RATE


def _windowed_sinc(time: np.ndarray, cutoff: float, zeros: int) -> np.ndarray:
    """A low-pass filter's response under a Hann window that holds so many zeros on each side, after Kaldi."""
    window = np.where(abs(time) < zeros / (2 * cutoff), 0.5 + 0.5 * np.cos(2 * np.pi * cutoff / zeros * time), 0)
    return 2 * cutoff * np.sinc(2 * cutoff * time) * window


def _voiced(nccf: np.ndarray) -> np.ndarray:
    """The probability of voicing, which Kaldi fitted to the Keele database."""
    size = np.minimum(abs(nccf), 1)
    odds = -5.2 + 5.4 * np.exp(7.5 * (size - 1)) + 4.8 * size - 2 * np.exp(-10 * size) + 4.2 * np.exp(20 * (size - 1))
    return 1 / (1 + np.exp(-odds))


def _around(values: np.ndarray) -> np.ndarray:
    """Sums over the frames around each, itself among them."""
    return np.convolve(values, np.ones(2 * _CONTEXT + 1))[_CONTEXT : _CONTEXT + len(values)]
