"""mfcc13: the numbers of Kaldi's own code."""

from __future__ import annotations

import numpy as np
import pytest

from data_prep import features

FEATURE = features.load("mfcc13")
RATE = 16000


def kaldi(waveform: np.ndarray) -> np.ndarray:
    """kaldi-native-fbank: Kaldi's C++ code, its defaults but dither 0 and C0 in place of the energy."""
    fbank = pytest.importorskip("kaldi_native_fbank")
    options = fbank.MfccOptions()
    options.frame_opts.samp_freq = RATE
    options.frame_opts.dither = 0
    options.mel_opts.num_bins = 23
    options.mel_opts.low_freq = 20
    options.num_ceps = 13
    options.use_energy = False
    computer = fbank.OnlineMfcc(options)
    computer.accept_waveform(RATE, (waveform * 32768).tolist())
    computer.input_finished()
    return np.array([computer.get_frame(frame) for frame in range(computer.num_frames_ready)])


def check(waveform: np.ndarray) -> None:
    """Log energies of the two agree to about 1e-4 (test_mfb40.py). A coefficient is a sum over 23 of them, times up to
    12 for the lifter: 1.1e-3 at most was measured, on EMOVO, where coefficients reach 100."""
    ours, theirs = FEATURE.compute(waveform), kaldi(waveform)
    assert ours.shape == theirs.shape
    assert np.abs(ours - theirs).max() < 5e-3


def test_synthetic_signals_come_out_as_kaldi_computes_them(synthetic):
    check(synthetic)


def test_real_speech_comes_out_as_kaldi_computes_it(speech):
    for waveform in speech:
        check(waveform)


@pytest.mark.parametrize(("samples", "frames"), [(399, 0), (400, 1), (559, 1), (560, 2), (16000, 98)])
def test_frames_are_those_windows_of_25_ms_every_10_that_fit_wholly(samples, frames):
    noise = np.random.default_rng(0).normal(0, 0.1, samples).astype(np.float32)
    assert FEATURE.compute(noise).shape == (frames, 13)


def test_the_level_is_in_c0_alone(synthetic):
    # Twice the amplitude adds ln 4 to all 23 log energies; of the orthonormal cosine transform that is C0's √23 ln 4.
    difference = FEATURE.compute(synthetic) - FEATURE.compute(synthetic / 2)
    np.testing.assert_allclose(difference[:, 0], np.sqrt(23) * np.log(4), atol=1e-3)
    np.testing.assert_allclose(difference[:, 1:], 0, atol=2e-3)
