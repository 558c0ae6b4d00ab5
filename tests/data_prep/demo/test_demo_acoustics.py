"""The throat, the room, the microphone: each setting does to a known signal what it says."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import welch

from data_prep.demo import acoustics
from data_prep.demo.acoustics import Channel
from data_prep.demo.prosody import Delivery

RATE = 22050
PLAIN = Delivery(*[0.0] * 8)
SILENT = {"snr": 200.0, "reverberation": 0.001}


def noise(seconds: float = 2.0) -> np.ndarray:
    """White noise with a root mean square of 1."""
    wave = np.random.default_rng(0).standard_normal(int(seconds * RATE))
    return wave / np.sqrt(np.mean(wave**2))


def decibels(wave: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(wave**2)))


def recorded(loudness: float = 0.0, wave: np.ndarray | None = None, place: int = 0, **settings: float) -> np.ndarray:
    wave = noise() if wave is None else wave
    channel = Channel(**SILENT | settings)
    return acoustics.recorded(wave, RATE, loudness, channel, place, np.random.default_rng(1))


def power(wave: np.ndarray, low: float, high: float, rate: int = 16000) -> float:
    """Mean power density between two frequencies, dB."""
    frequency, density = welch(wave, rate, nperseg=1024)
    return float(10 * np.log10(density[(frequency >= low) & (frequency < high)].mean()))


def test_a_recording_has_the_channels_sample_rate():
    assert len(recorded(sample_rate=8000, band=(60.0, 3900.0))) == pytest.approx(2 * 8000, abs=2)


def test_six_decibels_louder_is_six_decibels_more_in_the_file():
    assert decibels(recorded(6.0)) - decibels(recorded(0.0)) == pytest.approx(6.0, abs=0.01)


def test_too_loud_is_clipped_at_full_scale():
    assert np.abs(recorded(60.0)).max() == 1.0


def test_the_noise_lies_below_an_ordinary_utterance_by_the_signal_to_noise_ratio():
    background = recorded(wave=np.zeros(2 * RATE), snr=20.0, level=-26.0)
    assert decibels(background) == pytest.approx(-46.0, abs=0.1)


def test_the_band_cuts_what_lies_outside_of_it():
    wave = recorded(band=(300.0, 3400.0))
    inside = power(wave, 500, 3000)
    assert power(wave, 0, 120) < inside - 25
    assert power(wave, 6500, 7500) < inside - 20


def test_a_slope_of_three_decibels_is_six_more_two_octaves_up():
    wave = recorded(slope=3.0, band=(1.0, 16000.0))
    assert power(wave, 3900, 4100) - power(wave, 950, 1050) == pytest.approx(6.0, abs=1.0)


def test_a_place_has_one_microphone_and_another_place_another():
    here, again, there = (recorded(place=place, ripple=3.0) for place in (1, 1, 2))
    np.testing.assert_array_equal(here, again)
    assert not np.allclose(here, there, atol=1e-3)


def test_a_room_rings_on_after_the_sound():
    click = np.zeros(RATE)
    click[100] = 30.0
    dry, wet = (recorded(wave=click, **room) for room in ({}, {"reverberation": 0.5, "reverberant": -6.0}))
    tail = slice(1600, 8000)  # 0.1 to 0.5 s
    assert decibels(wet[tail]) > decibels(dry[tail] + 1e-12) + 20


def test_a_voice_comes_out_with_a_root_mean_square_of_one_and_shorter_by_its_size():
    wave = acoustics.voiced(noise(), RATE, PLAIN, 1.1, np.random.default_rng(2))
    assert decibels(wave) == pytest.approx(0.0, abs=1e-6)
    assert len(wave) == int(2 * RATE / 1.1)


def test_a_brighter_voice_has_more_of_the_high_frequencies():
    dull, bright = (
        acoustics.voiced(noise(), RATE, PLAIN._replace(brightness=slope), 1.0, np.random.default_rng(2))
        for slope in (-2.0, 2.0)
    )
    balance = [power(wave, 3500, 4500, RATE) - power(wave, 230, 270, RATE) for wave in (dull, bright)]
    assert balance[1] - balance[0] == pytest.approx(4 * 4.0, abs=2.5)  # 4 dB an octave apart, over four octaves


def test_breath_fills_the_high_frequencies_that_a_tone_leaves_empty():
    tone = np.sin(2 * np.pi * 200 * np.arange(2 * RATE) / RATE)
    clear, breathy = (
        acoustics.voiced(tone, RATE, PLAIN._replace(breath=breath), 1.0, np.random.default_rng(2)) for breath in (0, 10)
    )
    assert power(breathy, 4000, 8000, RATE) - power(clear, 4000, 8000, RATE) == pytest.approx(10.0, abs=0.5)
