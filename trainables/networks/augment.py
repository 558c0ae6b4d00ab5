"""Augmentation of log-Mel features in training."""

from __future__ import annotations

import torch
from torch import Tensor

from trainables.networks.shared import SharedNoise


class SpecAugment(SharedNoise):
    """Silences a stretch of frames and a band of dimensions of each utterance (Park et al. 2019; attributes.txt, 4).

    From features (batch, frames, dimensions) to the same with zeros, the mean of standardised features, under one mask
    of time and one of frequency. As in Park et al., section 2, a mask's width is drawn uniformly from the whole numbers
    0 to the largest, then its start from where it fits; attributes.txt gives the largest widths and leaves open how many
    masks there are. Each utterance has masks of its own, within its own length. Nothing is masked in evaluation.
    torchaudio's masks are drawn by each worker for itself, and over the padded length.
    """

    def __init__(self, time: int = 30, frequency: int = 3) -> None:
        """Takes the largest width of the time mask, in frames, and of the frequency mask, in dimensions."""
        super().__init__()
        self.time = time
        self.frequency = frequency

    def forward(self, features: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Masks a batch; ``lengths``, shape (batch,), are frames before padding, all of them when not given."""
        if not self.training:
            return features
        rows, frames, dimensions = features.shape
        drawn = self.draw(rows, 4, device=features.device).unsqueeze(2).unbind(dim=1)
        whole = torch.full((rows,), frames, device=features.device) if lengths is None else lengths
        time = _mask(drawn[0], drawn[1], self.time, whole.unsqueeze(1), frames)
        frequency = _mask(
            drawn[2], drawn[3], self.frequency, torch.full_like(whole, dimensions).unsqueeze(1), dimensions
        )
        return features * ~(time.unsqueeze(2) | frequency.unsqueeze(1))


def _mask(width: Tensor, start: Tensor, largest: int, sizes: Tensor, places: int) -> Tensor:
    """Where masks lie, bool (batch, places), from two numbers of [0, 1) each and the size that each must fit in."""
    widths = torch.minimum((width * (largest + 1)).floor(), sizes)
    starts = (start * (sizes - widths + 1)).floor()
    positions = torch.arange(places, device=sizes.device)
    return (positions >= starts) & (positions < starts + widths)
