"""waveform: the samples themselves, and what a resampler of another make leaves of them."""

from __future__ import annotations

import io
import wave

import numpy as np
import pytest
import soundfile
from scipy import signal

from data_prep import audio, features

FEATURE = features.load("waveform")
RATE = 16000


def computed(content: bytes) -> np.ndarray:
    frames = FEATURE.compute(audio.decode(content, FEATURE.sample_rate)[0])
    assert frames.shape[1:] == (1,)
    return frames[:, 0]


def written(samples: np.ndarray, rate: int, subtype: str) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format="WAV", subtype=subtype)
    return file.getvalue()


def integers(content: bytes) -> np.ndarray:
    """The samples of a 16-bit mono wav, by the standard library."""
    with wave.open(io.BytesIO(content)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, RATE)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2")


def test_16_bit_samples_at_16_khz_are_their_integers_over_32768(synthetic):
    content = written(synthetic, RATE, "PCM_16")
    assert np.array_equal(computed(content), integers(content) / np.float32(32768))


def test_a_real_recording_is_its_integers_over_32768(real_corpora):
    content = sorted((real_corpora / "emodb" / "wav").glob("*.wav"))[0].read_bytes()
    assert np.array_equal(computed(content), integers(content) / np.float32(32768))


@pytest.mark.parametrize("rate", [44100, 48000])
def test_another_rate_is_resampled_as_scipy_does_it(rate):
    # A chirp from 100 to 6,000 Hz, where both filters are flat: soxr's passes 91 % of the band to 8,000 Hz. SciPy's
    # Kaiser window of 5 ripples by 3e-3; the first and last 20 ms hold the filters' edges.
    time = np.arange(rate) / rate
    chirp = 0.5 * np.sin(2 * np.pi * (100 * time + 2950 * time**2))
    ours = computed(written(chirp, rate, "FLOAT"))
    theirs = signal.resample_poly(chirp, RATE, rate)
    assert len(ours) == len(theirs) == RATE
    assert np.abs(ours - theirs)[320:-320].max() < 5e-3


def test_it_is_not_normalised():
    assert set(np.unique(computed(written(np.repeat([0.25, 0.125], RATE), RATE, "PCM_16")))) == {0.125, 0.25}
