"""What every feature type promises; a new one is under test because its module exists."""

from __future__ import annotations

import json
from importlib.metadata import version

import numpy as np
import pytest

from data_prep import features
from data_prep.errors import InputError


@pytest.fixture(params=features.known())
def feature(request: pytest.FixtureRequest) -> features.Feature:
    return features.load(request.param)


@pytest.fixture
def noise(feature: features.Feature) -> np.ndarray:
    return np.random.default_rng(0).normal(0, 0.1, 2 * feature.sample_rate).astype(np.float32)


def test_frames_are_finite_float32_of_the_declared_width(feature, noise):
    frames = feature.compute(noise)
    assert frames.dtype == np.float32
    assert frames.ndim == 2
    assert frames.shape[1] == feature.dimensions
    assert np.isfinite(frames).all()


def test_the_same_audio_gives_the_same_bits_and_stays_as_it_was(feature, noise):
    before = noise.copy()
    assert feature.compute(noise).tobytes() == feature.compute(noise).tobytes()
    assert np.array_equal(noise, before)


def test_other_audio_gives_other_values(feature, noise):
    assert not np.array_equal(feature.compute(noise), feature.compute(noise[::-1].copy()))


def test_a_waveform_of_no_samples_has_no_frames(feature):
    assert feature.compute(np.zeros(0, np.float32)).shape == (0, feature.dimensions)


def test_digital_silence_has_finite_frames(feature):
    assert np.isfinite(feature.compute(np.zeros(feature.sample_rate, np.float32))).all()


def test_one_second_more_is_one_second_more_of_frames(feature, noise):
    before, after = (len(feature.compute(np.tile(noise, 2)[: len(noise) + more])) for more in (0, feature.sample_rate))
    if feature.frame_shift is None:
        assert (before, after) == (1, 1)
    else:
        assert abs(after - before - 1 / feature.frame_shift) <= 1


def test_settings_can_be_written_down(feature):
    assert json.loads(json.dumps(dict(feature.settings))) == dict(feature.settings)
    assert feature.version >= 1
    for library in feature.libraries:
        assert version(library)


def test_an_unknown_feature_is_an_error_that_lists_the_known_ones():
    with pytest.raises(InputError, match="unknown feature 'mfb4'; known, nearest first: mfb40"):
        features.load("mfb4")
