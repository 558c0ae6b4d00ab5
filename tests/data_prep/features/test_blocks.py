"""Long waveforms are computed in blocks: what comes out does not show it, and what is needed meanwhile stays small."""

from __future__ import annotations

import numpy as np
import pytest

from data_prep import features
from data_prep.features import _blocks

IN_BLOCKS = ("logmel26", "logmel64", "mfb40", "mfb40_normalised", "mfcc13", "mfcc13_pitch")


@pytest.mark.parametrize("name", IN_BLOCKS)
@pytest.mark.parametrize("frames", [1, 7, 197])
def test_blocks_leave_no_seam(name, frames, synthetic, monkeypatch):
    # Matrix products of other sizes may round otherwise, in the last bits of float32.
    feature = features.load(name)
    whole = feature.compute(synthetic)
    monkeypatch.setattr(_blocks, "FRAMES", frames)
    np.testing.assert_allclose(feature.compute(synthetic), whole, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("samples", "lengths"), [(0, []), (9, []), (10, [10]), (13, [10]), (14, [14]), (30, [14, 14, 14])]
)
def test_each_block_gets_the_samples_of_its_windows_and_no_more(samples, lengths, monkeypatch):
    monkeypatch.setattr(_blocks, "FRAMES", 2)
    got = []

    def compute(part: np.ndarray) -> np.ndarray:
        got.append(len(part))
        return np.lib.stride_tricks.sliding_window_view(part, 10)[::4, :3]

    waveform = np.arange(samples, dtype=np.float32)
    computed = _blocks.in_blocks(compute, waveform, window=10, hop=4, dimensions=3)
    assert got == lengths
    assert computed[:, 0].tolist() == [start for start in range(0, samples, 4) if start + 10 <= samples]
