"""What every feature must hold to. A new feature is under these tests because it exists."""

from __future__ import annotations

import json

import numpy as np
import pytest

from data_prep import features
from data_prep.errors import InputError

every_feature = pytest.mark.parametrize("name", features.known())


@every_feature
def test_it_gives_finite_float32_frames_and_the_same_ones_again(name):
    feature = features.load(name)
    waveform = np.random.default_rng(0).normal(scale=0.1, size=feature.sample_rate).astype(np.float32)
    first, again = feature.compute(waveform.copy()), feature.compute(waveform.copy())
    assert first.dtype == np.float32 and first.ndim == 2 and first.shape[1] == feature.dimensions
    assert len(first) == pytest.approx(1 / feature.frame_shift, rel=0.05)
    assert np.isfinite(first).all() and (first == again).all()


@every_feature
def test_silence_is_finite_and_a_click_too_short_gives_no_frame(name):
    feature = features.load(name)
    assert np.isfinite(feature.compute(np.zeros(feature.sample_rate, np.float32))).all()
    assert feature.compute(np.zeros(10, np.float32)).shape == (0, feature.dimensions)


@every_feature
def test_its_settings_are_plain_and_fit_a_fingerprint(name):
    settings = features.load(name).settings
    assert json.loads(json.dumps(dict(settings))) == dict(settings) and settings


def test_an_unknown_feature_lists_the_known_ones():
    with pytest.raises(InputError, match="unknown feature 'mfb41'; known, nearest first: mfb40"):
        features.load("mfb41")
