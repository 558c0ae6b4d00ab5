"""The other pretext of Figure 2."""

from __future__ import annotations

import pytest
import torch

from trainables import methods
from trainables.config import construct
from trainables.game import Batch, Shape, Speech, build, noise, play
from trainables.methods import cnn, reconstruction


def test_it_is_the_mean_squared_error_of_what_comes_back():
    speech = Speech(torch.tensor([[[1.0], [3.0]], [[0.0], [0.0]]]), torch.tensor([2, 2]), torch.tensor([-1, -1]))
    networks = {
        "encoder": lambda features: features.mean(dim=(1, 2)).unsqueeze(1),
        "decoder": lambda latent, code: torch.cat([latent, code], dim=1).unsqueeze(1).expand(-1, 2, -1),
    }
    # The first utterance comes back as its mean, 2, for 1 and 3; the second as it is: (1 + 1 + 0 + 0) / 4.
    assert reconstruction.reconstruction_loss(networks, Batch(speech, speech), None, {}).item() == pytest.approx(0.5)


def test_training_lowers_it():
    shape, method = Shape(40, 6, 4), methods.load("reconstruction")
    networks, batch = build(play(method), shape, construct(cnn.Hyperparameters, {}), seed=0), noise(shape, 8)
    optimiser = torch.optim.Adam(networks.parameters(), lr=1e-2)
    losses = []
    for _ in range(40):
        loss = reconstruction.reconstruction_loss(dict(networks.items()), batch, None, {})
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.9 * losses[0]


def test_the_decoder_has_nothing_but_the_latent_code():
    decoder = build(play(methods.load("reconstruction")), Shape(300, 40, 4), cnn.Hyperparameters(), seed=0)["decoder"]
    transposed = [m for m in decoder.modules() if isinstance(m, torch.nn.ConvTranspose1d)]
    assert (len(transposed), transposed[0].in_channels) == (3, 256)
