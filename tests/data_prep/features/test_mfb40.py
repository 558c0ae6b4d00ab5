"""mfb40: the numbers of Kaldi's own code, on real speech and on signals that are hard on rounding."""

from __future__ import annotations

import numpy as np
import pytest

from data_prep import audio, features

FEATURE = features.load("mfb40")
RATE = 16000
TIME = np.arange(RATE) / RATE


def kaldi(waveform: np.ndarray) -> np.ndarray:
    """kaldi-native-fbank: Kaldi's C++ code, with the settings of addi.txt, 4.2."""
    fbank = pytest.importorskip("kaldi_native_fbank")
    options = fbank.FbankOptions()
    options.frame_opts.samp_freq = RATE
    options.frame_opts.window_type = "povey"
    options.frame_opts.frame_length_ms = 25
    options.frame_opts.frame_shift_ms = 10
    options.frame_opts.preemph_coeff = 0.97
    options.frame_opts.dither = 0
    options.mel_opts.num_bins = 40
    options.mel_opts.low_freq = 20
    computer = fbank.OnlineFbank(options)
    computer.accept_waveform(RATE, (waveform * 32768).tolist())
    computer.input_finished()
    return np.array([computer.get_frame(frame) for frame in range(computer.num_frames_ready)])


def check(waveform: np.ndarray) -> None:
    """Ours against Kaldi's.

    Both transform in float32, whose rounding is a fraction of the frame's loudest part, not of each band: 2^-24 times
    a few dozen operations. So energies must agree to 1e-5 of the frame's loudest band, and logarithms to 2e-4 in the
    bands within 60 dB of it (measured on EMO-DB: 6e-6 and 7e-5). A pure tone leaves bands 100 dB below it that are
    nothing but rounding, and differ by 0.1.
    """
    waveform = waveform.astype(np.float32)
    ours, theirs = (values.astype(np.float64) for values in (FEATURE.compute(waveform), kaldi(waveform)))
    assert ours.shape == theirs.shape
    loudest = theirs.max(axis=1, keepdims=True)
    assert (np.abs(np.exp(ours) - np.exp(theirs)) / np.exp(loudest)).max() < 1e-5
    near = theirs > loudest - np.log(10**6)
    assert np.abs(ours - theirs)[near].max() < 2e-4


@pytest.mark.parametrize(
    "waveform",
    [
        np.random.default_rng(0).normal(0, 0.1, RATE),
        0.5 * np.sin(2 * np.pi * 440 * TIME),
        0.5 * np.sin(2 * np.pi * (100 * TIME + 3500 * TIME**2)),
        np.random.default_rng(1).normal(0.3, 0.1, RATE),
    ],
    ids=["noise", "tone", "chirp", "noise on a constant"],
)
def test_synthetic_signals_come_out_as_kaldi_computes_them(waveform):
    check(waveform)


def test_real_speech_comes_out_as_kaldi_computes_it(real_corpora):
    files = sorted((real_corpora / "emodb" / "wav").glob("*.wav"))[::30]
    assert len(files) > 10
    for file in files:
        check(audio.decode(audio.read(file), RATE)[0])


@pytest.mark.parametrize(("samples", "frames"), [(0, 0), (399, 0), (400, 1), (559, 1), (560, 2), (16000, 98)])
def test_frames_are_those_windows_of_400_samples_every_160_that_fit_wholly(samples, frames):
    assert FEATURE.compute(np.full(samples, 0.1, np.float32)).shape == (frames, 40)


def test_twice_the_amplitude_is_four_times_the_energy():
    noise = np.random.default_rng(0).normal(0, 0.1, RATE).astype(np.float32)
    np.testing.assert_allclose(FEATURE.compute(2 * noise) - FEATURE.compute(noise), np.log(4), atol=1e-5)


def test_silence_is_the_logarithm_of_the_float32_epsilon():
    assert np.allclose(FEATURE.compute(np.zeros(RATE, np.float32)), np.log(2.0**-23))
