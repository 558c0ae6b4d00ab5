"""logmel64: librosa's numbers."""

from __future__ import annotations

import librosa
import numpy as np
import pytest

from data_prep import features

FEATURE = features.load("logmel64")
RATE = 16000


def reference(waveform: np.ndarray) -> np.ndarray:
    """librosa in float64, standardised by NumPy."""
    energies = librosa.feature.melspectrogram(
        y=waveform.astype(np.float64),
        sr=RATE,
        n_fft=1024,
        hop_length=160,
        window="hann",
        center=True,
        pad_mode="reflect",
        power=2.0,
        n_mels=64,
        fmin=60,
        fmax=7800,
        htk=True,
        norm=None,
    )
    logarithms = np.log(energies + np.finfo(np.float32).eps).T
    return (logarithms - logarithms.mean()) / logarithms.std(ddof=1)


def check(waveform: np.ndarray) -> None:
    """Ours transforms in float32, whose rounding is a fraction of the frame's loudest part: quiet bands of loud frames
    differ most. 7e-5 deviations at most were measured, on LibriSpeech; 3e-4 are allowed."""
    ours, theirs = FEATURE.compute(waveform), reference(waveform)
    assert ours.shape == theirs.shape
    assert np.abs(ours - theirs).max() < 3e-4


def test_synthetic_signals_come_out_as_librosa_computes_them(synthetic):
    check(synthetic)


def test_real_speech_comes_out_as_librosa_computes_it(speech):
    for waveform in speech:
        check(waveform)


def test_the_utterance_has_zero_mean_and_unit_variance_and_its_bands_keep_their_differences(synthetic):
    frames = FEATURE.compute(synthetic).astype(np.float64)
    assert frames.mean() == pytest.approx(0, abs=1e-6)
    assert frames.std(ddof=1) == pytest.approx(1, abs=1e-6)
    assert np.ptp(frames.mean(axis=0)) > 0.5


@pytest.mark.parametrize("hertz", [100, 1000, 7000])
def test_a_tone_is_loudest_in_the_band_at_its_place_between_60_and_7800_hz(hertz):
    # The 64 triangles peak at steps 1 to 64 of the 65 equal ones from 60 to 7,800 Hz in 2595 log10(1 + f / 700).
    lowest, place, highest = 2595 * np.log10(1 + np.array([60, hertz, 7800]) / 700)
    band = round(65 * (place - lowest) / (highest - lowest)) - 1
    tone = 0.5 * np.sin(2 * np.pi * hertz * np.arange(RATE) / RATE)
    assert (FEATURE.compute(tone.astype(np.float32))[10:-10].argmax(axis=1) == band).all()


@pytest.mark.parametrize(("samples", "frames"), [(1023, 0), (1024, 7), (16000, 101)])
def test_frames_are_centred_on_every_160th_sample_of_what_fills_a_window(samples, frames):
    noise = np.random.default_rng(0).normal(0, 0.1, samples).astype(np.float32)
    assert FEATURE.compute(noise).shape == (frames, 64)


def test_silence_is_zero():
    assert not FEATURE.compute(np.zeros(RATE, np.float32)).any()
