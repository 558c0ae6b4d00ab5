"""What every utterance encoder owes its utterances: that their padding is not heard."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

from data_prep.errors import InputError
from trainables.networks.byol_s import ByolS
from trainables.networks.emotion_cnn import EmotionCNN
from trainables.networks.hubert import Hubert

# The encoder, the dimensions of its frames, and what lengths of utterances to try: the first of them is shorter than
# the encoder needs, the second just long enough.
ENCODERS = {
    "emotion_cnn": (EmotionCNN, 64, (20, 36, 111, 200)),
    "byol_s": (ByolS, 64, (5, 8, 111, 200)),
    "hubert": (lambda: Hubert("random", size="tiny"), 1, (100, 400, 9_000, 16_001)),
}


@pytest.fixture(params=ENCODERS)
def encoder(request) -> tuple[nn.Module, list[torch.Tensor]]:
    """An encoder that is not fresh from its constructor, and utterances of different lengths."""
    make, dimensions, lengths = ENCODERS[request.param]
    torch.manual_seed(1)
    network = make()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d | nn.GroupNorm):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, 0.1, 0.5)  # so that what was zero is not after it
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.uniform_(-1, 1)
            module.running_var.uniform_(0.5, 2)
    return network.eval(), [torch.randn(length, dimensions) for length in lengths]


def pad(utterances: list[torch.Tensor], frames: int, fill: Callable[..., torch.Tensor]) -> torch.Tensor:
    padded = fill(len(utterances), frames, utterances[0].shape[1])
    for row, utterance in zip(padded, utterances, strict=True):
        row[: len(utterance)] = utterance
    return padded


def test_an_utterance_has_the_same_features_alone_and_in_a_padded_batch_whatever_is_in_the_padding(encoder):
    network, utterances = encoder
    lengths = torch.tensor([len(utterance) for utterance in utterances])
    with torch.no_grad():
        alone = torch.cat([network(utterance.unsqueeze(0)) for utterance in utterances])
        for frames, fill in ((max(lengths), torch.zeros), (2 * max(lengths), torch.zeros), (max(lengths), torch.randn)):
            together = network(pad(utterances, frames, fill), lengths)
            torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)
    apart = torch.pdist(alone[1:])
    assert (apart > 1e-3).all(), "utterances must differ for this to say anything"


def test_features_that_are_not_the_encoders_are_an_error_that_names_its_own(encoder):
    network, _ = encoder
    with pytest.raises(
        InputError, match=r"40 values a frame; this encoder takes (64|1): feature (cochleagram|logmel64|waveform)"
    ):
        network(torch.randn(2, 500, 40))


def test_every_weight_is_reached_by_a_gradient(encoder):
    network, utterances = encoder
    network.train()
    lengths = torch.tensor([len(utterance) for utterance in utterances])
    (network(pad(utterances, max(lengths), torch.zeros), lengths) * torch.randn(len(utterances), 1)).sum().backward()
    assert [name for name, weight in network.named_parameters() if not (weight.grad != 0).any()] == []
