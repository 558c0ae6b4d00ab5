"""BYOL-S, the convolutional utterance encoder of pseudo_label.txt (3.2.1 and Table 1; Scheidwasser-Clow et al., 2022).

The network is that of BYOL-A (Niizumi et al., 2021), AudioNTT2020 in the public code of both: three convolutions of 64
filters of 3 × 3, each with batch normalisation, ReLU and 2 × 2 max-pooling; then, at each time that is left (80 ms), two
fully connected layers over 64 channels of 8 bands; then, over time, maximum plus mean. The public code comes with 512,
1,024 and 2,048 features. The paper's 1,024 features and 1.6 M parameters agree: with 1,024 there are 1,649,792 (600,192
with 512 and 5,321,856 with 2,048). A dropout of 0.3 lies between the connected layers, as there.

First weights are random, or come from a state dictionary as BYOL-S and BYOL-A publish them, of the variant with 1,024
features. The paper's are BYOL-S's, trained on the speech of AudioSet. The networks expect
:mod:`~data_prep.features.logmel64`: the spectrogram standardised as a whole, its bands not one by one.

Padding is set to zero before each convolution and left out by each pooling and by maximum and mean, as if an utterance
ended there. It does count in the statistics that batch normalisation takes of a *training* batch; with crops of 2 s,
that is where an utterance is shorter than its crop.
"""

from __future__ import annotations

from pathlib import Path

from torch import Tensor, nn

from trainables.networks.dense import SharedDropout
from trainables.networks.masking import mean_over_time, prepare, valid
from trainables.networks.normalisation import SharedBatchNorm
from trainables.networks.weights import load_weights

FEATURES = 1024

_BANDS = 64
_CHANNELS = 64
_LAYERS = 3
_POOLING = 2
_DROPOUT = 0.3


class ByolS(nn.Module):
    """From padded spectrograms (batch, frames, 64) to features of the utterances, (batch, 1024).

    An utterance of fewer than 8 frames (80 ms) is followed by zeros up to there.
    """

    def __init__(self, weights: Path | None = None) -> None:
        """Takes first weights from ``weights``, or random ones.

        Raises:
            InputError: the file at ``weights`` cannot be read or does not fit.
        """
        super().__init__()
        # Named and ordered as in the public checkpoints.
        self.features = nn.Sequential()
        for before in (1, *[_CHANNELS] * (_LAYERS - 1)):
            self.features.append(nn.Conv2d(before, _CHANNELS, 3, padding=1))
            self.features.append(SharedBatchNorm(_CHANNELS))
            self.features.append(nn.ReLU())
            self.features.append(nn.MaxPool2d(_POOLING))
        self.fc = nn.Sequential(
            nn.Linear(_CHANNELS * (_BANDS // _POOLING**_LAYERS), FEATURES),
            nn.ReLU(),
            SharedDropout(_DROPOUT),
            nn.Linear(FEATURES, FEATURES),
            nn.ReLU(),
        )
        if weights is not None:
            load_weights(self, weights, "BYOL-S with 1,024 features")

    def forward(self, features: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Encodes a batch; ``lengths`` (batch,) are the utterances' frames, all of them if ``None``."""
        features, lengths = prepare(features, lengths, least=_POOLING**_LAYERS, dimensions=_BANDS, feature="logmel64")
        maps = features.transpose(1, 2).unsqueeze(1)  # (batch, channels, bands, frames)
        for layer in self.features:
            if isinstance(layer, nn.Conv2d):
                maps = maps * valid(lengths, maps.shape[3])[:, None, None, :]
            maps = layer(maps)
            if isinstance(layer, nn.MaxPool2d):
                lengths = lengths // _POOLING
        # At each time the channels of the lowest band come first.
        values = self.fc(maps.permute(0, 3, 2, 1).flatten(2))
        # After ReLU nothing is below the zeros that padding is replaced with.
        greatest = (values * valid(lengths, values.shape[1]).unsqueeze(2)).amax(dim=1)
        return greatest + mean_over_time(values, lengths)
