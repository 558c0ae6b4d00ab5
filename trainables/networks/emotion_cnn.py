"""EmotionCNN, the smallest utterance encoder of pseudo_label.txt (3.2.1 and Table 1; Tamulevičius et al., 2020).

The paper says: three convolutional layers, each followed by ReLU, batch normalisation and 3 × 3 max-pooling; a
cochleagram in, 128 features out; 35,584 parameters. It leaves open the channels, the kernels, the strides and how a map
of any length becomes 128 values; no public code of it was found.

Here: 32, 64 and 64 channels and kernels of 3 × 3, 3 × 3 and 2 × 2, with biases and with batch normalisation's weights
and offsets, which makes 35,584 without any further layer. Of all such networks whose channels, 128 at most, are powers
of two that never fall and whose square kernels, 9 × 9 at most, never grow, no other has that number. The first two
convolutions keep the map's size, the third has no padding, and pooling takes strides of 3, so that the feature store's
64 bands become 21, 7 and 2: the 64 channels of 2 bands are the 128 features. Over time, pooled to 27 frames (270 ms),
their mean is taken.

Padding is set to zero before each convolution and left out by each pooling, as if an utterance ended there. It does
count in the statistics that batch normalisation takes of a *training* batch; with crops of 2 s, that is where an
utterance is shorter than its crop.
"""

from __future__ import annotations

from torch import Tensor, nn

from trainables.networks.masking import mean_over_time, prepare, valid
from trainables.networks.normalisation import SharedBatchNorm

FEATURES = 128

_BANDS = 64
_CHANNELS = (32, 64, 64)
_KERNELS = (3, 3, 2)
_PADDING = (1, 1, 0)
_POOLING = 3
_LEAST = 36  # frames, pooled to 12 and 4, of which the last convolution leaves the 3 that become 1


class EmotionCNN(nn.Module):
    """From padded cochleagrams (batch, frames, 64) to features of the utterances, (batch, 128).

    An utterance of fewer than 36 frames (0.36 s) is followed by zeros up to there.
    """

    def __init__(self) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(before, channels, kernel, padding=padding),
                nn.ReLU(),
                SharedBatchNorm(channels),
                nn.MaxPool2d(_POOLING),
            )
            for before, channels, kernel, padding in zip((1, *_CHANNELS), _CHANNELS, _KERNELS, _PADDING, strict=False)
        )

    def forward(self, features: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Encodes a batch; ``lengths`` (batch,) are the utterances' frames, all of them if ``None``."""
        features, lengths = prepare(features, lengths, least=_LEAST, dimensions=_BANDS, feature="cochleagram")
        maps = features.unsqueeze(1)  # (batch, channels, frames, bands)
        for layers, kernel, padding in zip(self.convolutions, _KERNELS, _PADDING, strict=True):
            maps = layers(maps * valid(lengths, maps.shape[2])[:, None, :, None])
            lengths = (lengths + 2 * padding - kernel + 1) // _POOLING
        return mean_over_time(maps.transpose(1, 2).flatten(2), lengths)
