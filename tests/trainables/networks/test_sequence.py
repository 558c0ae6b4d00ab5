"""The LSTM of multilingual.txt."""

from __future__ import annotations

import pytest
import torch

from trainables.networks.sequence import FEATURES, LSTMEncoder, Penultimate, last


def test_it_has_two_layers_of_128_cells():
    # A layer has four gates, each with a matrix for its input, one for its state, and torch's two biases.
    sizes = {name: weight.numel() for name, weight in LSTMEncoder(13).named_parameters()}
    assert sum(sizes.values()) == 4 * 128 * (13 + 128 + 2) + 4 * 128 * (128 + 128 + 2)


def test_the_last_output_before_the_padding_is_read():
    outputs = torch.arange(12.0).view(2, 3, 2)
    assert last(outputs, torch.tensor([2, 3])).tolist() == [[2.0, 3.0], [10.0, 11.0]]
    assert last(outputs, None).tolist() == [[4.0, 5.0], [10.0, 11.0]]


def test_what_follows_an_utterance_changes_nothing():
    encoder, features = LSTMEncoder(13), torch.randn(2, 120, 13)
    encoded = encoder(features, torch.tensor([70, 120]))
    assert encoded.shape == (2, FEATURES)
    torch.testing.assert_close(encoded[0], encoder(features[:1, :70])[0])
    torch.testing.assert_close(encoded[1], encoder(features[1:])[0])
    features[0, 70:] = 100.0
    assert torch.equal(encoder(features, torch.tensor([70, 120])), encoded)


def test_functionals_are_one_frame():
    assert LSTMEncoder(384)(torch.randn(5, 1, 384)).shape == (5, FEATURES)


def test_for_transfer_there_is_a_dense_layer_before_the_last():
    layer, features = Penultimate(), torch.randn(3, FEATURES)
    assert sum(weight.numel() for weight in layer.parameters()) == 128 * 129
    expected = (features @ layer[0].weight.T + layer[0].bias).clamp(min=0)
    assert layer(features).detach().numpy() == pytest.approx(expected.detach().numpy(), abs=1e-5)


def test_its_cells_may_be_more_or_fewer():
    assert LSTMEncoder(13, 7)(torch.randn(2, 9, 13)).shape == (2, 7)
