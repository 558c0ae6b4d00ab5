"""mfcc13_pitch: voices of known pitch, librosa's pYIN, and the formulas computed plainly, both on real speech."""

from __future__ import annotations

import math

import librosa
import numpy as np
import pytest

from data_prep import features
from data_prep.features import _kaldi_pitch

FEATURE = features.load("mfcc13_pitch")
MFCC13 = features.load("mfcc13")
RATE = 16000
TIME = np.arange(2 * RATE) / RATE


def voice(hertz: np.ndarray | float) -> np.ndarray:
    """Two seconds of ten harmonics of a pitch that may change."""
    phase = 2 * np.pi * np.cumsum(np.broadcast_to(hertz, TIME.shape)) / RATE
    return (0.1 * sum(np.sin(number * phase) / number for number in range(1, 11))).astype(np.float32)


@pytest.mark.parametrize("hertz", [60, 100, 150.3, 233, 390])
def test_a_steady_voice_has_its_pitch_in_every_frame(hertz):
    nccf, pitch = _kaldi_pitch.track(voice(hertz))
    # Lags are 0.5 % apart. The last frames reach beyond the signal's end, where nothing correlates.
    assert abs(pitch / hertz - 1).max() < 0.01
    assert nccf[:-4].min() > 0.99


def test_a_glide_is_followed():
    # A frame is compared with itself a period later: its pitch is that of 12.5 ms and half a period after its start.
    contour = 100 * 2**TIME
    _, pitch = _kaldi_pitch.track(voice(contour))
    centres = (np.arange(len(pitch)) * 0.010 + 0.0125) * RATE + RATE / contour[:: RATE // 100][: len(pitch)] / 2
    assert abs(pitch / contour[centres.astype(int)] - 1)[:-4].max() < 0.02


def agreement(waveform: np.ndarray) -> np.ndarray:
    """How far (in octaves) we are from pYIN where it finds a voice and our correlation is above 0.9.

    Its frames are centred on every 160th sample, ours begin there and reach over 25 ms and a period: two later.
    """
    nccf, ours = _kaldi_pitch.track(waveform)
    theirs = librosa.pyin(waveform, fmin=50, fmax=400, sr=RATE, frame_length=1024, hop_length=160)[0][2:]
    frames = min(len(ours), len(theirs))
    nccf, ours, theirs = nccf[:frames], ours[:frames], theirs[:frames]
    both = (nccf > 0.9) & ~np.isnan(theirs)
    return np.log2(ours[both] / theirs[both])


def check_agreement(octaves: np.ndarray, least: int) -> None:
    """Two trackers with other windows and other smoothing differ by a few per cent where the pitch moves, and one of them
    may be an octave off; 97 % of such frames were within 5 % of each other on real speech, and none an octave off."""
    assert len(octaves) > least
    assert np.mean(abs(octaves) < np.log2(1.05)) > 0.95
    assert np.mean(abs(abs(octaves) - 1) < 0.1) < 0.005


def test_the_pitch_of_a_made_vowel_is_pyins():
    check_agreement(agreement(voice(np.linspace(90, 280, len(TIME)))), 150)


def test_the_pitch_of_real_speech_is_pyins(speech):
    check_agreement(np.concatenate([agreement(waveform) for waveform in speech[::2]]), 500)


def sinc(time: np.ndarray, cutoff: float, zeros: int) -> np.ndarray:
    """Kaldi's filter: 2 C sinc(2 C t) under a Hann window of ``zeros`` / 2 C on each side."""
    window = 0.5 * (1 + np.cos(2 * np.pi * cutoff / zeros * time)) * (abs(time) < zeros / (2 * cutoff))
    return 2 * cutoff * np.sinc(2 * cutoff * time) * window


def plainly(waveform: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lags, NCCF and local cost of every frame and lag, by the paper's formulas and Kaldi's defaults, term by term."""
    nearby = [np.arange(max(middle - 8, 0), min(middle + 9, len(waveform))) for middle in range(0, len(waveform), 4)]
    low = [  # beyond 8 samples, 0.5 ms, the filter is zero
        sinc(place / 4000 - samples / RATE, 1000, 1) @ waveform[samples].astype(np.float64) / RATE
        for place, samples in enumerate(nearby)
    ]
    ballast = 7000 * (100 * np.mean((np.array(low) - np.mean(low)) ** 2)) ** 2
    lags = [1 / 400]
    while lags[-1] * 1.005 <= 1 / 50:
        lags.append(lags[-1] * 1.005)
    weights = sinc(np.array(lags)[:, None] - np.arange(8, 83) / 4000, 2000, 5) / 4000
    nccf, cost = [], []
    for start in range(0, len(low) - 99, 40):
        window = np.append(low, np.zeros(82))[start : start + 182]
        window = window - window[:100].mean()
        both = []
        for lag in range(8, 83):
            inner = window[:100] @ window[lag : lag + 100]
            norm = (window[:100] @ window[:100]) * (window[lag : lag + 100] @ window[lag : lag + 100])
            both.append((inner / np.sqrt(norm) if norm else 0.0, inner / np.sqrt(norm + ballast)))
        plain, ballasted = (weights @ np.array(values) for values in zip(*both, strict=True))
        nccf.append(plain)
        cost.append(1 - ballasted * (1 - 10 * np.array(lags)))
    return np.array(lags), np.array(nccf), np.array(cost)


JUMP = 0.1 * np.log(1.005) ** 2  # the cost of going to the next lag


def best_path(cost: np.ndarray) -> np.ndarray:
    """The lag of each frame that is cheapest in all: what is ahead is summed up from the end, and followed from the start."""
    lags = np.arange(cost.shape[1])
    jumps = JUMP * np.subtract.outer(lags, lags) ** 2
    ahead = [cost[-1]]
    for own in cost[-2::-1]:
        ahead.insert(0, own + (jumps + ahead[0]).min(axis=1))
    path = [ahead[0].argmin()]
    for later in ahead[1:]:
        path.append((jumps[path[-1]] + later).argmin())
    return np.array(path)


def processed(nccf: np.ndarray, pitch: np.ndarray) -> np.ndarray:
    """What Kaldi's ``process-kaldi-pitch-feats`` makes of them by default (but for its noise), a frame after another.

    By OnlineProcessPitch, NccfToPov and NccfToPovFeature in its feat/pitch-functions.cc, and section 3 of the paper.
    """
    frames, logarithms = len(pitch), [math.log(hertz) for hertz in pitch]
    voiced = []
    for value in nccf:
        n = min(abs(value), 1.0)
        ratio = -5.2 + 5.4 * math.exp(7.5 * (n - 1)) + 4.8 * n - 2 * math.exp(-10 * n) + 4.2 * math.exp(20 * (n - 1))
        voiced.append(1 / (1 + math.exp(-ratio)))
    rows = []
    for frame in range(frames):
        warped = (1.0001 - min(max(nccf[frame], -1.0), 1.0)) ** 0.15 - 1
        window = range(max(frame - 75, 0), min(frame + 76, frames))  # what of the 1.5 s around is there
        mean = sum(voiced[other] * logarithms[other] for other in window) / sum(voiced[other] for other in window)
        # The slope of the line through five frames; beyond the ends the last frame is repeated.
        five = {offset: logarithms[min(max(frame + offset, 0), frames - 1)] for offset in range(-2, 3)}
        slope = sum(offset * value for offset, value in five.items()) / sum(offset**2 for offset in five)
        rows.append((2 * warped, 2 * (logarithms[frame] - mean), 10 * slope))
    return np.array(rows)


def test_the_three_values_of_real_speech_are_those_of_a_plain_computation(speech):
    """In two seconds, so that the 1.5 s of the mean begin and end within them. Stored are 32-bit numbers, none of which can
    reach 8, and those are right to 2.4e-7. Beforehand, in 64 bits, the two computations agreed to 1.3e-13."""
    pieces = [waveform[: 2 * RATE] for waveform in speech if len(waveform) >= 2 * RATE]
    for waveform in pieces[:: len(pieces) // 2][:3]:
        lags, nccf, cost = plainly(waveform)
        path = best_path(cost)
        values = processed(nccf[np.arange(len(path)), path], 1 / lags[path])
        stored = FEATURE.compute(waveform)[:, 13:]
        assert len(stored) == len(values) == 198
        assert np.ptp(path) > 50 and nccf[np.arange(len(path)), path].max() > 0.9, "there is a voice, and it moves"
        np.testing.assert_allclose(stored, values, rtol=0, atol=2.5e-7)


def test_the_contour_is_the_path_of_least_cost(synthetic):
    waveform = synthetic[8000:16000]
    nccf, pitch = _kaldi_pitch.track(waveform)
    lags, plain_nccf, cost = plainly(waveform)
    path = abs(np.log(1 / pitch[:, None]) - np.log(lags)).argmin(axis=1)
    frames = np.arange(len(cost))
    assert len(path) == len(cost)
    np.testing.assert_allclose(1 / pitch, lags[path], rtol=1e-9)
    np.testing.assert_allclose(nccf, plain_nccf[frames, path], atol=1e-9)
    ours, best = (cost[frames, lag].sum() + JUMP * (np.diff(lag) ** 2).sum() for lag in (path, best_path(cost)))
    assert ours == pytest.approx(best, abs=1e-9)


def test_blocks_leave_no_seam(synthetic, monkeypatch):
    whole = FEATURE.compute(synthetic)
    monkeypatch.setattr(_kaldi_pitch, "_BLOCK", 7)
    np.testing.assert_allclose(FEATURE.compute(synthetic), whole, atol=1e-6)


def test_a_steady_voice_is_periodic_and_neither_high_nor_rising():
    # Between the first frame, where the low-pass filter begins, and the last, which reach beyond the end.
    nccf, height, slope = FEATURE.compute(voice(100))[1:-4, 13:].T
    np.testing.assert_allclose(nccf, 2 * ((1.0001 - 1) ** 0.15 - 1), atol=0.02)
    np.testing.assert_allclose(height, 0, atol=1e-6)
    np.testing.assert_allclose(slope, 0, atol=1e-6)


def test_a_voice_that_rises_an_octave_a_second_says_so():
    _, height, slope = FEATURE.compute(voice(100 * 2**TIME))[:, 13:].T
    # ln 2 / 100 a frame, times 10. And in the middle the mean over 151 frames, 75 on each side, is the frame's own.
    assert slope[10:-10].mean() == pytest.approx(10 * np.log(2) / 100, rel=0.02)
    assert abs(height[80:-80]).max() < 0.03
    assert np.ptp(height) > 0.5


def test_noise_is_not_periodic():
    noise = np.random.default_rng(0).normal(0, 0.1, RATE).astype(np.float32)
    assert FEATURE.compute(noise)[:, 13].min() > -0.3


def test_the_coefficients_are_those_of_mfcc13(synthetic):
    assert np.array_equal(FEATURE.compute(synthetic)[:, :13], MFCC13.compute(synthetic))


def test_the_level_of_a_recording_is_not_in_the_pitch(synthetic):
    quiet, loud = FEATURE.compute(synthetic / 4), FEATURE.compute(synthetic)
    np.testing.assert_allclose(quiet[:, 13:], loud[:, 13:], atol=1e-5)


@pytest.mark.parametrize(("samples", "frames"), [(399, 0), (400, 1), (557, 1), (560, 2), (16000, 98)])
def test_there_are_as_many_frames_as_coefficients_have(samples, frames):
    noise = np.random.default_rng(0).normal(0, 0.1, samples).astype(np.float32)
    assert FEATURE.compute(noise).shape == (frames, 16)
