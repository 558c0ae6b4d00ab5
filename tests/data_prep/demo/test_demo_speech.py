"""The synthesiser says the same thing the same way whenever it is asked, and does as it is told."""

from __future__ import annotations

import librosa
import numpy as np
import pytest

from data_prep.demo import speech

TEXT = "Where did you put the keys?"


def pitch(wave: np.ndarray) -> float:
    """Median fundamental frequency in Hz."""
    track, voiced, _ = librosa.pyin(wave, fmin=60, fmax=500, sr=speech.SAMPLE_RATE)
    return float(np.median(track[voiced]))


@pytest.mark.parametrize("voice", ["en-us+f3", "en-us+m1", "de+Andrea"])  # with breath, with flutter, neither
def test_an_utterance_does_not_depend_on_what_was_said_before_it(voice):
    first = speech.say(TEXT, voice)
    speech.say("Something quite different, and longer.", "en-us+grandma", semitones=5)
    np.testing.assert_array_equal(first, speech.say(TEXT, voice))


def test_speech_is_a_trimmed_waveform_in_range():
    wave = speech.say(TEXT, "en-us+m3")
    assert wave.dtype == np.float32 and wave.ndim == 1
    assert 0.1 < np.abs(wave).max() <= 1.0
    tenth = speech.SAMPLE_RATE // 10
    assert min(np.abs(wave[:tenth]).max(), np.abs(wave[-tenth:]).max()) > 0.01 * np.abs(wave).max()


def test_twice_the_words_per_minute_take_about_half_the_time():
    slow, fast = (len(speech.say(TEXT, "en-us+m3", words_per_minute=pace)) for pace in (120, 240))
    assert 0.4 < fast / slow < 0.65


def test_six_semitones_up_are_half_an_octave():
    low, high = (pitch(speech.say(TEXT, "en-us+m3", semitones=shift)) for shift in (0, 6))
    assert high / low == pytest.approx(2**0.5, rel=0.06)


def test_a_wider_pitch_range_makes_the_pitch_vary_more():
    def spread(pitch_range: float) -> float:
        wave = speech.say(TEXT, "en-us+m3", pitch_range=pitch_range)
        track, voiced, _ = librosa.pyin(wave, fmin=60, fmax=500, sr=speech.SAMPLE_RATE)
        return float(np.std(np.log(track[voiced])))

    assert spread(1.5) > 2 * spread(0.4)


def test_an_unknown_voice_is_an_error_that_names_it():
    with pytest.raises(RuntimeError, match="no voice 'xx-nowhere'"):
        speech.say(TEXT, "xx-nowhere")
