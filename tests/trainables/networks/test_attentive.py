"""The attentive encoder of dann.txt: sizes, pooling and attention against numbers worked by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from data_prep.errors import InputError
from trainables.networks.attentive import AttentiveEncoder, attend, pad_with_minimum


def test_attention_weighs_by_the_softmax_of_the_query():
    # v·f is ln 3 and 0, so the weights are 3/4 and 1/4, and a = 3/4·(1, 0) + 1/4·(0, 8).
    values = torch.tensor([[[1.0, 0.0], [0.0, 8.0]]])
    assert attend(values, torch.tensor([math.log(3), 0.0]))[0].tolist() == pytest.approx([0.75, 2.0])


def test_750_frames_are_8_pooled_vectors_and_the_attention_vector():
    encoder = AttentiveEncoder(750, 26)
    encoded = encoder(torch.randn(2, 750, 26))
    assert encoded.shape == (2, encoder.features) == (2, 9 * 200)
    assert sum(weight.numel() for weight in encoder.parameters()) == 26 * 10 * 200 + 200 + 200
    pooled, attention = encoded[:, :1600].view(2, 8, 200), encoded[:, 1600:]
    torch.testing.assert_close(attention, attend(pooled, encoder.query))


def test_a_filter_that_reads_its_first_frame_gives_the_largest_of_every_third_frame():
    encoder = AttentiveEncoder(750, 2)
    with torch.no_grad():
        for weight in encoder.convolution[0].parameters():
            weight.zero_()
        encoder.convolution[0].weight[0, 1, 0] = 1.0
    features = torch.randn(1, 750, 2, generator=torch.Generator().manual_seed(0)) - 1.5
    thirds = features[0, ::3, 1].numpy()
    expected = [max(0.0, thirds[30 * number : 30 * number + 30].max()) for number in range(8)]
    assert encoder(features)[0, : 8 * 200 : 200].tolist() == pytest.approx(expected)
    assert np.ptp(expected) > 0


def test_utterances_too_short_for_a_window_are_pooled_over_all_there_is():
    for frames, positions in ((96, 1), (97, 1), (186, 1), (187, 2), (10, 1)):
        encoder = AttentiveEncoder(frames, 3)
        assert encoder(torch.zeros(1, frames, 3)).shape == (1, encoder.features) == (1, (positions + 1) * 200)
    with pytest.raises(InputError, match="9 frames are shorter than the filters of this encoder, which span 10 frames"):
        AttentiveEncoder(9, 3)


def test_padding_is_each_dimensions_minimum_over_the_utterance():
    features = torch.tensor([[[1.0, 5.0], [2.0, 4.0], [-9.0, 9.0]]])
    assert pad_with_minimum(features, torch.tensor([2])).tolist() == [[[1.0, 5.0], [2.0, 4.0], [1.0, 4.0]]]
    encoder, longer = AttentiveEncoder(100, 4), torch.randn(2, 100, 4)
    lengths = torch.tensor([40, 100])
    other = longer.clone()
    other[0, 40:] += 7.0
    assert torch.equal(encoder(longer, lengths), encoder(other, lengths))
    assert not torch.equal(encoder(longer), encoder(other))


def test_stacked_replicas_give_what_each_gives():
    replicas = [AttentiveEncoder(120, 4) for _ in range(3)]
    features, lengths = torch.randn(3, 2, 120, 4), torch.tensor([60, 120])
    weights, buffers = torch.func.stack_module_state(replicas)

    def encode(weights, buffers, features):
        return torch.func.functional_call(replicas[0], (weights, buffers), (features, lengths))

    at_once = torch.func.vmap(encode)(weights, buffers, features)
    one_by_one = torch.stack([replica(row, lengths) for replica, row in zip(replicas, features, strict=True)])
    torch.testing.assert_close(at_once, one_by_one)
