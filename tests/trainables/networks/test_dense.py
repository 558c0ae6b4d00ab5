"""The discriminator of sADDi's pretext, and the decoder that it judges."""

from __future__ import annotations

import torch
from torch.nn.functional import one_hot

from trainables.networks.convolutional import ConvolutionalDecoder
from trainables.networks.dense import Discriminator


def test_the_pretexts_discriminator_has_a_logit_for_every_emotion_and_one_for_fake():
    frames, dimensions, emotions = 30, 6, 4
    discriminator = Discriminator(frames, dimensions, outputs=emotions + 1)
    assert discriminator(torch.randn(7, frames, dimensions)).shape == (7, 5)
    shapes = [tuple(weight.shape) for weight in discriminator.parameters() if weight.ndim == 2]
    assert shapes == [(256, 180), (128, 256), (5, 128)], "hidden layers of 256 and 128 over the padded utterance"


def test_the_pretexts_decoder_generates_an_utterance_from_a_latent_code_and_a_pseudo_label():
    decoder = ConvolutionalDecoder(30, 6, codes=4)
    latent = torch.randn(1, 256).expand(4, 256)
    generated = decoder(latent, one_hot(torch.arange(4), 4).float())
    assert generated.shape == (4, 30, 6)
    assert (torch.pdist(generated.flatten(1)) > 0).all(), "each emotion's is another"
