"""What happens to a voice between the throat and the file: its quality, the room, the microphone, the noise.

Slopes, bands and microphones are gains over frequency without phase, the room is an impulse response; both are
applied to the whole utterance at once in the frequency domain.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len, rfft, rfftfreq
from scipy.ndimage import map_coordinates, uniform_filter1d
from scipy.signal import resample_poly

from data_prep.demo.channel import Channel
from data_prep.demo.prosody import Delivery

Wave = NDArray[np.float64]

_BREATH = -32.0  # dB, breath noise below the voice when nothing is meant by it
_ROUGHNESS = 0.05  # depth of the amplitude's roughness when nothing is meant by it


def voiced(wave: Wave, rate: int, delivery: Delivery, size: float, rng: np.random.Generator) -> Wave:
    """Gives a synthetic voice the quality that ``delivery`` asks for.

    Args:
        wave: speech at ``rate`` Hz, shape (samples,).
        rate: Hz.
        delivery: its tremor, roughness, breath and brightness are used, its loudness is left to :func:`recorded`.
        size: the factor on all frequencies that the speaker's vocal tract makes; durations shrink by it.
        rng: where the irregularities are drawn from.

    Returns:
        Speech at ``rate`` Hz with a root mean square of 1.
    """
    wave = _wavering(wave, rate, max(0.0, 0.05 + delivery.tremor), size, rng)
    envelope = np.sqrt(np.maximum(uniform_filter1d(wave**2, rate // 50), 0.0))
    depth = float(np.clip(_ROUGHNESS + delivery.roughness, 0.0, 0.6))
    beat = np.cumsum(2 * np.pi * 70 / rate * (1 + 0.3 * _smooth(rng.standard_normal(len(wave)), rate // 40)))
    wave = wave * (1 + depth * np.sin(beat))
    breath = envelope * rng.standard_normal(len(wave)) * 10 ** (np.clip(_BREATH + delivery.breath, -60, -12) / 20)
    octaves = _octaves(len(wave), rate)
    shaped = rfft(wave) * _gain(delivery.brightness * octaves) + rfft(breath) * _gain(1.5 * octaves)
    wave = irfft(shaped, len(wave))
    return wave / max(1e-9, float(np.sqrt(np.mean(wave**2))))


def recorded(wave: Wave, rate: int, loudness: float, channel: Channel, place: int, rng: np.random.Generator) -> Wave:
    """Records speech in a corpus's room with its microphone.

    Args:
        wave: speech at ``rate`` Hz with a root mean square of 1.
        rate: Hz.
        loudness: dB relative to an ordinary utterance.
        channel: the corpus's recording conditions.
        place: number of the corpus's room and microphone, which are the same for all its utterances.
        rng: where the noise is drawn from.

    Returns:
        The recording at the channel's sample rate, in [-1, 1].
    """
    wave = resample_poly(wave, channel.sample_rate, rate) * 10 ** (loudness / 20)
    built = np.random.default_rng(place)
    room = _room(channel, built)
    length = next_fast_len(len(wave) + len(room), real=True)
    microphone = _microphone(channel, length, built)
    speech = irfft(rfft(wave, length) * rfft(room, length) * microphone, length)[: len(wave)]
    speech = speech + 10 ** (-channel.snr / 20) * _noise(channel, len(wave), rng)
    return np.clip(speech * 10 ** (channel.level / 20), -1.0, 1.0)


def _wavering(wave: Wave, rate: int, semitones: float, size: float, rng: np.random.Generator) -> Wave:
    """The wave played ``size`` times as fast, at a speed that trembles by ``semitones`` at 5 to 7 Hz."""
    time = np.arange(int(len(wave) / size)) / rate
    frequency, phase = rng.uniform(5, 7), rng.uniform(0, 2 * np.pi)
    swing = semitones * np.log(2) / 12 / (2 * np.pi * frequency)
    return map_coordinates(wave, [rate * (size * time + swing * np.sin(2 * np.pi * frequency * time + phase))], order=3)


def _smooth(noise: Wave, window: int) -> Wave:
    """Noise of standard deviation 1, low-passed by a moving average of ``window`` samples."""
    return uniform_filter1d(noise, window) * np.sqrt(window)


def _octaves(length: int, rate: int) -> Wave:
    """How far each frequency of a real transform lies from 1 kHz, in octaves, levelling out at 3 either way."""
    return np.clip(np.log2(np.maximum(rfftfreq(length, 1 / rate), 1.0) / 1000), -3.0, 3.0)


def _gain(decibels: Wave) -> Wave:
    return 10 ** (decibels / 20)


def _microphone(channel: Channel, length: int, rng: np.random.Generator) -> Wave:
    octaves = _octaves(length, channel.sample_rate)
    ripple = np.interp(octaves, np.linspace(-3, 3, 10), channel.ripple * rng.standard_normal(10))
    frequency = np.maximum(rfftfreq(length, 1 / channel.sample_rate), 1.0)
    low, high = channel.band
    # Fourth-order Butterworth edges (their magnitudes).
    edges = 1 / np.sqrt((1 + (low / frequency) ** 8) * (1 + (frequency / high) ** 8))
    return _gain(channel.slope * octaves + ripple) * edges


def _room(channel: Channel, rng: np.random.Generator) -> Wave:
    """An impulse response: the direct sound, and after 5 ms noise that decays exponentially (Polack's model)."""
    time = np.arange(max(1, int(channel.reverberation * channel.sample_rate))) / channel.sample_rate
    tail = rng.standard_normal(len(time)) * 10 ** (-3 * time / channel.reverberation) * (time > 0.005)
    tail *= 10 ** (channel.reverberant / 20) / max(1e-9, float(np.sqrt(np.sum(tail**2))))
    tail[0] = 1.0
    return tail


def _noise(channel: Channel, length: int, rng: np.random.Generator) -> Wave:
    octaves = _octaves(length, channel.sample_rate)
    noise = irfft(rfft(rng.standard_normal(length)) * _gain(channel.noise * octaves), length)
    if channel.hum:
        time = np.arange(length) / channel.sample_rate + rng.uniform(0, 1)
        hum = sum(np.sin(2 * np.pi * channel.hum * harmonic * time) / harmonic for harmonic in (1, 2, 3, 5))
        noise = noise / max(1e-9, float(np.std(noise))) + hum
    return noise / max(1e-9, float(np.std(noise)))
