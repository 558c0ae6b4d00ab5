"""Noise that is the same on any number of workers: dropout and SpecAugment."""

from __future__ import annotations

import pytest
import torch

from trainables.networks.augment import SpecAugment
from trainables.networks.dense import SharedDropout


def on_workers(module, values, workers, seed=5):
    """What ``module`` gives for ``values`` when each of the workers has its part, put together again."""
    parts = []
    for worker, part in enumerate(values.chunk(workers)):
        module.worker, module.workers = worker, workers
        torch.manual_seed(seed)
        parts.append(module(part))
    return torch.cat(parts)


@pytest.mark.parametrize("module", [SharedDropout(0.5), SpecAugment(10, 3)], ids=["dropout", "augment"])
def test_a_batch_split_over_workers_has_the_noise_of_the_whole(module):
    values = torch.ones(8, 40, 6)
    whole = on_workers(module, values, 1)
    assert torch.equal(on_workers(module, values, 2), whole) and torch.equal(on_workers(module, values, 4), whole)
    assert not torch.equal(whole[:4], whole[4:]), "each row has noise of its own"
    assert torch.equal(values, torch.ones(8, 40, 6)), "what is given stays as it is"


def test_dropout_keeps_the_mean():
    dropped = SharedDropout(0.7)(torch.ones(1000, 100))
    assert dropped.unique().tolist() == pytest.approx([0.0, 1 / 0.3])
    assert dropped.mean().item() == pytest.approx(1.0, abs=0.02)


@pytest.fixture(scope="module")
def masked():
    """Where 20,000 utterances of 50 and 7 frames in turn are masked, of 60 frames of 6 dimensions."""
    torch.manual_seed(0)
    lengths = torch.tensor([50, 7]).repeat(10_000)
    return SpecAugment(30, 3)(torch.ones(20_000, 60, 6), lengths) == 0


def test_masks_are_one_stretch_of_frames_and_one_band(masked):
    frames, band = masked.all(dim=2), masked.all(dim=1)
    assert torch.equal(masked, frames.unsqueeze(2) | band.unsqueeze(1))
    for mask in (frames, band):
        edges = torch.nn.functional.pad(mask.int(), (1, 1)).diff(dim=1)
        assert (edges == 1).sum(dim=1).max() == 1, "a stretch begins once"


def test_masks_widths_are_uniform_up_to_the_largest_and_lie_anywhere_within_the_utterance(masked):
    frames, band = masked.all(dim=2), masked.all(dim=1)
    for widths, largest in ((frames[::2].sum(dim=1), 30), (band.sum(dim=1), 3)):
        counts = torch.bincount(widths)
        assert len(counts) == largest + 1
        # A count is binomial: within five standard deviations of its mean.
        mean = len(widths) / (largest + 1)
        assert (counts - mean).abs().max() < 5 * mean**0.5
    assert frames[::2].any(dim=0).tolist() == [True] * 50 + [False] * 10
    assert frames[1::2].any(dim=0).tolist() == [True] * 7 + [False] * 53
    assert band.any(dim=0).all()


def test_nothing_is_masked_in_evaluation_and_all_frames_may_be_without_lengths():
    augment, values = SpecAugment(30, 3), torch.ones(400, 60, 6)
    assert augment.eval()(values) is values
    torch.manual_seed(0)
    assert (augment.train()(values) == 0).all(dim=2).any(dim=0).all()


def test_stacked_replicas_can_be_augmented_each_in_its_own_way():
    augment = SpecAugment(10, 2)
    torch.manual_seed(0)
    masked = torch.func.vmap(augment, in_dims=(0, None), randomness="different")(
        torch.ones(3, 4, 20, 5), torch.tensor([20, 20, 9, 9])
    )
    assert masked.shape == (3, 4, 20, 5) and not torch.equal(masked[0], masked[1])
