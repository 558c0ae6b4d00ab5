"""mfb40 against Kaldi's own code (kaldi-native-fbank), on noise and on real speech."""

from __future__ import annotations

import kaldi_native_fbank
import numpy as np
import pytest

from data_prep.audio import read
from data_prep.features.mfb40 import FEATURE

# Both compute in float32, through different Fourier transforms. A filter far below the loudest one of its frame keeps
# some of that one's rounding, so that single logarithms differ in the third decimal, and nearly all in the fifth.
TOLERANCE, TYPICAL = 5e-3, 1e-4


def kaldi(waveform: np.ndarray) -> np.ndarray:
    options = kaldi_native_fbank.FbankOptions()
    options.frame_opts.dither = 0
    options.frame_opts.samp_freq = 16000
    options.mel_opts.num_bins = 40
    # All else is Kaldi's default: Povey window, 25 ms every 10 ms, pre-emphasis 0.97, 20 Hz to half the rate.
    online = kaldi_native_fbank.OnlineFbank(options)
    online.accept_waveform(16000, (waveform * 32768).tolist())
    online.input_finished()
    return np.array([online.get_frame(number) for number in range(online.num_frames_ready)])


def test_kaldis_defaults_are_the_papers_settings():
    options = kaldi_native_fbank.FbankOptions()
    frame = options.frame_opts
    assert (frame.window_type, frame.frame_length_ms, frame.frame_shift_ms) == ("povey", 25, 10)
    assert frame.preemph_coeff == pytest.approx(0.97) and options.mel_opts.low_freq == 20


def test_noise_gives_kaldis_numbers():
    waveform = np.random.default_rng(1).normal(scale=0.1, size=24000).astype(np.float32)
    ours, theirs = FEATURE.compute(waveform), kaldi(waveform)
    assert ours.shape == theirs.shape == (148, 40), "1 + (24000 - 400) // 160 frames: no padding at the edges"
    assert np.abs(ours - theirs).max() < TOLERANCE


def test_real_speech_gives_kaldis_numbers(real_corpora):
    for file in sorted((real_corpora / "emodb/wav").glob("*.wav"))[::40]:
        waveform = read(file, 16000)
        ours, theirs = FEATURE.compute(waveform), kaldi(waveform)
        assert ours.shape == theirs.shape
        assert np.abs(ours - theirs).max() < TOLERANCE, file.name
        assert np.median(np.abs(ours - theirs)) < TYPICAL, file.name
