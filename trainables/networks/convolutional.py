"""The convolutional encoder and the transposed-convolutional decoder of addi.txt, 4.3.

The paper fixes three convolutions each followed by max-pooling, a first filter of 16, 256 features for the whole
utterance, three transposed convolutions and ReLU. It leaves open the other filters, the channels and the pooling:
here convolutions run over time with the Mel bands as channels (as in the study whose features it takes, [28]), with
filters 16, 8 and 4, the first one taking every second frame; pooling by 4, by 4 and, the third, over all of the time
that is left.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

FEATURES = 256
_CHANNELS = (32, 64)
_FILTERS = (16, 8, 4)
_STRIDE = 2
_POOLING = 4


class ConvolutionalEncoder(nn.Module):
    """From padded features (batch, frames, dimensions) to 256 features of the utterance, (batch, 256)."""

    def __init__(self, dimensions: int) -> None:
        super().__init__()
        first, second = _CHANNELS
        self.convolutions = nn.Sequential(
            nn.Conv1d(dimensions, first, _FILTERS[0], stride=_STRIDE, padding=_FILTERS[0] // 2),
            nn.ReLU(),
            nn.MaxPool1d(_POOLING, ceil_mode=True),
            nn.Conv1d(first, second, _FILTERS[1], padding=_FILTERS[1] // 2),
            nn.ReLU(),
            nn.MaxPool1d(_POOLING, ceil_mode=True),
            nn.Conv1d(second, FEATURES, _FILTERS[2], padding=_FILTERS[2] // 2),
            nn.ReLU(),
        )

    def forward(self, features: Tensor) -> Tensor:
        """Encodes a batch."""
        return self.convolutions(features.transpose(1, 2)).amax(dim=2)


class ConvolutionalDecoder(nn.Module):
    """From a latent code and a one-hot domain code, (batch, 256) and (batch, 2), to (batch, frames, dimensions).

    The mirror image of the encoder: the first transposed convolution spreads the code over the pooled time, the second
    undoes a pooling, the third the other one and the stride.
    """

    def __init__(self, frames: int, dimensions: int, codes: int = 2) -> None:
        super().__init__()
        self.frames = frames
        first, second = _CHANNELS
        whole = _STRIDE * _POOLING
        pooled = math.ceil(frames / (whole * _POOLING))
        self.convolutions = nn.Sequential(
            nn.ConvTranspose1d(FEATURES + codes, second, pooled),
            nn.ReLU(),
            nn.ConvTranspose1d(second, first, _FILTERS[1], stride=_POOLING, padding=(_FILTERS[1] - _POOLING) // 2),
            nn.ReLU(),
            nn.ConvTranspose1d(first, dimensions, _FILTERS[0], stride=whole, padding=(_FILTERS[0] - whole) // 2),
        )

    def forward(self, latent: Tensor, code: Tensor) -> Tensor:
        """Decodes a batch into the domain that ``code`` says."""
        spread = self.convolutions(torch.cat([latent, code], dim=1).unsqueeze(2))
        return spread[:, :, : self.frames].transpose(1, 2)
