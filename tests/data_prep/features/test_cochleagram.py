"""cochleagram: gammatone filters of another make, recursive ones, and what a cochlea's filters are known for."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import signal

from data_prep import features

FEATURE = features.load("cochleagram")
RATE = 16000


def centres() -> np.ndarray:
    """64 frequencies from 60 to 7,800 Hz in equal steps of the ERB-rate scale of Glasberg and Moore (1990)."""
    erb_rate = np.linspace(*(21.4 * np.log10(0.00437 * edge + 1) for edge in (60, 7800)), 64)
    return (10 ** (erb_rate / 21.4) - 1) / 0.00437


def reference(waveform: np.ndarray) -> np.ndarray:
    """By recursion, filter by filter and frame by frame.

    n³ pⁿ has the z-transform (p z⁻¹ + 4 p² z⁻² + p³ z⁻³) / (1 - p z⁻¹)⁴; with p = exp(2π (-b + i f) / rate) its real part
    is the gammatone of bandwidth b at f.
    """
    starts = range(0, len(waveform) - 399, 160)
    energies = np.empty((len(starts), 64))
    for column, centre in zip(energies.T, centres(), strict=True):
        pole = np.exp(2 * np.pi * (-1.019 * (24.7 + centre / 9.26449) + 1j * centre) / RATE)
        numerator, denominator = [0, pole, 4 * pole**2, pole**3], np.poly([pole] * 4)
        impulse = signal.lfilter(numerator, denominator, np.eye(1, RATE)[0]).real
        gain = abs(np.sum(impulse * np.exp(-2j * np.pi * centre / RATE * np.arange(RATE))))
        filtered = signal.lfilter(numerator, denominator, waveform).real / gain
        column[:] = [np.mean(filtered[start : start + 400] ** 2) for start in starts]
    return np.log(energies + 2.0**-30)


def check(waveform: np.ndarray) -> None:
    """Both filter in float64; float32 holds logarithms of about 20 to 1e-6, which is the difference that was measured
    everywhere. 1e-5 is allowed."""
    ours, theirs = FEATURE.compute(waveform), reference(waveform)
    assert ours.shape == theirs.shape
    assert np.abs(ours - theirs).max() < 1e-5


def test_synthetic_signals_come_out_as_recursive_filters_make_them(synthetic):
    check(synthetic)


def test_real_speech_comes_out_as_recursive_filters_make_it(speech):
    for waveform in speech[::5]:
        check(waveform)


@pytest.mark.parametrize("number", [0, 20, 40, 63])
def test_a_tone_is_loudest_in_its_own_filter_and_keeps_its_energy_there(number):
    # Half the square of the amplitude; windows that hold no whole periods have more or less, which the mean evens out.
    tone = 0.5 * np.sin(2 * np.pi * centres()[number] * np.arange(RATE) / RATE)
    frames = FEATURE.compute(tone.astype(np.float32))[10:]
    assert (frames.argmax(axis=1) == number).all()
    np.testing.assert_allclose(frames[:, number].mean(), np.log(0.5**2 / 2), atol=0.05)


def test_a_filter_is_as_wide_as_its_equivalent_rectangular_bandwidth():
    # White noise of density 1 / Hz has the power ERB behind a filter of gain 1. A gammatone filter of order 4 and
    # bandwidth b has an ERB of 5 π b / 16 = 0.982 b; with b = 1.019 ERB that is one ERB.
    noise = np.random.default_rng(0).normal(0, 0.1, 20 * RATE).astype(np.float32)
    density = 0.1**2 / (RATE / 2)
    width = np.exp(FEATURE.compute(noise)[:, 20:60].astype(np.float64)).mean(axis=0) / density
    np.testing.assert_allclose(width, 24.7 + centres()[20:60] / 9.26449, rtol=0.06)


@pytest.mark.parametrize(("samples", "frames"), [(399, 0), (400, 1), (559, 1), (560, 2), (16000, 98)])
def test_frames_are_those_windows_of_25_ms_every_10_that_fit_wholly(samples, frames):
    assert FEATURE.compute(np.full(samples, 0.1, np.float32)).shape == (frames, 64)


@pytest.mark.parametrize("samples", [12319, 12320, 12400, 30000])
def test_blocks_leave_no_seam(samples):
    check(np.random.default_rng(0).normal(0, 0.1, samples).astype(np.float32))  # a block advances by 12,320 samples


def test_silence_is_the_energy_of_one_step_of_16_bits():
    assert np.allclose(FEATURE.compute(np.zeros(RATE, np.float32)), 2 * np.log(2.0**-15))
