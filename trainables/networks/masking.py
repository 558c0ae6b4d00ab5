"""Time that is padding: utterances of a batch are of different lengths, and what fills them up must not be heard.

An encoder that looks at padded utterances gets their lengths, and makes of each what it would make of it alone.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import pad

from data_prep.errors import InputError


def prepare(
    features: Tensor, lengths: Tensor | None, *, least: int, dimensions: int, feature: str
) -> tuple[Tensor, Tensor]:
    """Features with nothing but zeros in their padding, and each utterance's length, ``least`` frames or more.

    Args:
        features: (batch, frames, dimensions).
        lengths: frames of each utterance, int64 of shape (batch,); ``None`` where all are as long as the batch.
        least: the fewest frames that the encoder can make something of; a shorter utterance is followed by zeros.
        dimensions: of a frame, which an encoder that looks for patterns across them cannot do without.
        feature: the feature that has them, for the error.

    Raises:
        InputError: a frame has other dimensions.
    """
    if features.shape[2] != dimensions:
        raise InputError(
            f"the features have {features.shape[2]} values a frame; this encoder takes {dimensions}: feature {feature}"
        )
    if lengths is None:
        lengths = torch.full((len(features),), features.shape[1], device=features.device)
    features = features * valid(lengths, features.shape[1]).unsqueeze(2)
    return pad(features, (0, 0, 0, max(least - features.shape[1], 0))), lengths.clamp(min=least)


def valid(lengths: Tensor, frames: int) -> Tensor:
    """Which frames are an utterance's own: true or false, of shape (batch, frames)."""
    return torch.arange(frames, device=lengths.device) < lengths.unsqueeze(1)


def mean_over_time(values: Tensor, lengths: Tensor) -> Tensor:
    """The mean of each utterance's own frames: (batch, frames, dimensions) to (batch, dimensions)."""
    own = valid(lengths, values.shape[1]).unsqueeze(2)
    return (values * own).sum(dim=1) / lengths.unsqueeze(1)
