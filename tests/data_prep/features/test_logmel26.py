"""logmel26: the numbers of Kaldi's own code."""

from __future__ import annotations

import numpy as np
import pytest

from data_prep import features

FEATURE = features.load("logmel26")


def check(waveform: np.ndarray, kaldi_fbank) -> None:
    """Ours against Kaldi's, with the tolerances of test_mfb40.py and their reason: float32 rounds to a fraction of the
    frame's loudest band. Energies agree to 1e-5 of it, logarithms to 2e-4 in the bands within 60 dB of it (measured:
    7e-6 and 7e-5, on RAVDESS)."""
    ours, theirs = FEATURE.compute(waveform).astype(np.float64), kaldi_fbank(waveform, 26).astype(np.float64)
    assert ours.shape == theirs.shape
    loudest = theirs.max(axis=1, keepdims=True)
    assert (np.abs(np.exp(ours) - np.exp(theirs)) / np.exp(loudest)).max() < 1e-5
    near = theirs > loudest - np.log(10**6)
    assert np.abs(ours - theirs)[near].max() < 2e-4


def test_synthetic_signals_come_out_as_kaldi_computes_them(synthetic, kaldi_fbank):
    check(synthetic, kaldi_fbank)


def test_real_speech_comes_out_as_kaldi_computes_it(speech, kaldi_fbank):
    for waveform in speech:
        check(waveform, kaldi_fbank)


@pytest.mark.parametrize(("samples", "frames"), [(399, 0), (400, 1), (559, 1), (560, 2), (16000, 98)])
def test_frames_are_those_windows_of_25_ms_every_10_that_fit_wholly(samples, frames):
    assert FEATURE.compute(np.full(samples, 0.1, np.float32)).shape == (frames, 26)


def test_the_paper_pads_with_the_minimum_to_seven_and_a_half_seconds():
    assert FEATURE.length == features.Length(750, padding="minimum", keep="middle")
    assert FEATURE.length.frames * FEATURE.frame_shift == pytest.approx(7.5)
