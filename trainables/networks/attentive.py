"""The convolutional encoder with global attention of dann.txt, 2.1 and 4.1.

One convolution over time of 200 filters, kernel 10 and stride 3, with ReLU; max-pooling of size and stride 30; the
attention vector of what is pooled, appended to it along time; all of it flattened. Of 750 frames that makes
(750 - 10) // 3 + 1 = 247 positions, 247 // 30 = 8 pooled ones and (8 + 1) · 200 = 1,800 features. Batch normalisation
(:mod:`trainables.networks.normalisation`) and dropout come after it.

The paper leaves open the padding of the convolution and the pooling (none here: what does not fill a window is left
out) and the query's first values (uniform within ±1 / √200, as a dense layer of that width).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from data_prep.errors import InputError

FILTERS = 200
_KERNEL = 10
_STRIDE = 3
_POOLING = 30


class AttentiveEncoder(nn.Module):
    """From features (batch, frames, dimensions) to (batch, ``features``).

    Attributes:
        features: how many features of an utterance it gives; it grows with the frames.
        query: v of equation (1), shape (200,).
    """

    def __init__(self, frames: int, dimensions: int) -> None:
        """Makes an encoder of utterances padded to ``frames``.

        Fewer than 97 frames, which do not fill one pooling window, are pooled over all there is.

        Raises:
            InputError: there are fewer frames than the convolution's filters are long.
        """
        super().__init__()
        if frames < _KERNEL:
            raise InputError(
                f"utterances of {frames} frames are shorter than the filters of this encoder, which span {_KERNEL} frames"
            )
        convolved = (frames - _KERNEL) // _STRIDE + 1
        pooling = min(_POOLING, convolved)
        self.convolution = nn.Sequential(
            nn.Conv1d(dimensions, FILTERS, _KERNEL, stride=_STRIDE), nn.ReLU(), nn.MaxPool1d(pooling)
        )
        self.query = nn.Parameter(torch.empty(FILTERS).uniform_(-1, 1) / math.sqrt(FILTERS))
        self.features = (convolved // pooling + 1) * FILTERS

    def forward(self, features: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Encodes a batch.

        With ``lengths``, shape (batch,), frames before padding, the frames after them are taken to be each dimension's
        minimum over the utterance, whatever they hold (section 3.3); without, all frames are taken as they are.
        """
        if lengths is not None:
            features = pad_with_minimum(features, lengths)
        pooled = self.convolution(features.transpose(1, 2)).transpose(1, 2)
        return torch.cat([pooled, attend(pooled, self.query).unsqueeze(1)], dim=1).flatten(1)


def attend(values: Tensor, query: Tensor) -> Tensor:
    """The attention vectors (batch, features) of ``values`` (batch, time, features): equations (1) and (2)."""
    weights = torch.softmax(values @ query, dim=1)
    return (weights.unsqueeze(2) * values).sum(dim=1)


def pad_with_minimum(features: Tensor, lengths: Tensor) -> Tensor:
    """``features`` (batch, frames, dimensions) with each dimension's minimum of the utterance after its end."""
    inside = (torch.arange(features.shape[1], device=features.device) < lengths.unsqueeze(1)).unsqueeze(2)
    lowest = torch.where(inside, features, math.inf).amin(dim=1, keepdim=True)
    return torch.where(inside, features, lowest)
