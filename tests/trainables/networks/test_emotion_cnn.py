"""EmotionCNN: the parameters that the paper states, and why no other network of its kind has them."""

from __future__ import annotations

import itertools

import torch

from trainables.networks.emotion_cnn import EmotionCNN


def test_it_has_the_papers_35584_parameters_and_128_features():
    network = EmotionCNN()
    # Of each layer: kernels, biases, batch normalisation's weights and offsets.
    by_hand = (32 * 3 * 3 + 3 * 32) + (32 * 64 * 3 * 3 + 3 * 64) + (64 * 64 * 2 * 2 + 3 * 64)
    assert sum(weight.numel() for weight in network.parameters()) == by_hand == 35_584
    assert network(torch.randn(3, 198, 64)).shape == (3, 128)


def test_no_other_network_of_this_kind_has_35584_parameters():
    def parameters(channels, kernels):
        return sum(
            before * after * kernel**2 + 3 * after
            for before, after, kernel in zip((1, *channels), channels, kernels, strict=False)
        )

    found = [
        (channels, kernels)
        for channels in itertools.combinations_with_replacement((1, 2, 4, 8, 16, 32, 64, 128), 3)
        for kernels in itertools.combinations_with_replacement(range(9, 0, -1), 3)
        if parameters(channels, kernels) == 35_584
    ]
    assert found == [((32, 64, 64), (3, 3, 2))]


def test_two_seconds_become_the_mean_of_seven_frames():
    # 198 frames are pooled to 66 and 22, of which the last convolution leaves 21, pooled to 7; and 64 bands to 2.
    network = EmotionCNN().eval()
    features = torch.randn(1, 198, 64)
    with torch.no_grad():
        maps = features.unsqueeze(1)
        for layers in network.convolutions:
            maps = layers(maps)
        assert maps.shape == (1, 64, 7, 2)
        torch.testing.assert_close(network(features), maps.mean(dim=2).flatten(1))
