"""The CNN-LSTM and the discriminator of attributes.txt, section 3.3 and Figure 1.

The figure's numbers are not in the paper's text, and Parry et al. 2019, whose architecture it is, was not to be found.
The text fixes: Mel filterbank coefficients in; convolutions, max-pooling of width 3 and stride 2, an LSTM; dropout 0.5
before the fully connected layer; about 1.8 million parameters in the layers that all models share; output layers after
them, one for the emotion and one for each attribute; a discriminator of fully connected layers over the emotion
classifier's softmax, of about 1 million. Chosen, to have these counts: three convolutions over time, the Mel bands as
channels, of width 5 and 256 channels, each with ReLU and max-pooling; two LSTM layers of 256 units, of which the last
output is read; a fully connected layer of 128 units with ReLU; He's first weights before each ReLU, since with PyTorch's
own the representation hardly differs from one utterance to the next and SGD leaves chance late. For 40 Mel bands:

    convolutions    40·256·5 + 256 + 2·(256·256·5 + 256)        707,328
    LSTM            2 · 4·(256·256 + 256·256 + 2·256)         1,052,672
    fully connected 256·128 + 128                                32,896
                                                              1,792,896

An output layer is ``nn.Linear(FEATURES, classes)``.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool1d

from trainables.networks.dense import SharedDropout
from trainables.networks.sequence import last

FEATURES = 128
_CHANNELS = 256
_WIDTH = 5
_UNITS = 256
_HIDDEN = 700


class RecurrentEncoder(nn.Module):
    """The shared layers: from features (batch, frames, dimensions) to (batch, 128).

    ``aten::lstm`` has no batching rule, so ``torch.func.vmap`` cannot run it.
    """

    def __init__(self, dimensions: int, dropout: float = 0.5) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList(
            nn.Conv1d(channels, _CHANNELS, _WIDTH, padding=_WIDTH // 2)
            for channels in (dimensions, _CHANNELS, _CHANNELS)
        )
        self.lstm = nn.LSTM(_CHANNELS, _UNITS, num_layers=2, batch_first=True)
        self.dropout = SharedDropout(dropout)
        self.connected = nn.Linear(_UNITS, FEATURES)
        for layer in (*self.convolutions, self.connected):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)

    def forward(self, features: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Encodes a batch; ``lengths``, shape (batch,), are frames before padding, all of them when not given.

        With ``lengths``, an utterance gives the same whatever follows its end, and however much of it.
        """
        values = _silence(features.transpose(1, 2), lengths)
        for convolution in self.convolutions:
            values = max_pool1d(_silence(torch.relu(convolution(values)), lengths), 3, stride=2, padding=1)
            lengths = None if lengths is None else (lengths + 1) // 2
            values = _silence(values, lengths)
        ended = last(self.lstm(values.transpose(1, 2))[0], lengths)
        return torch.relu(self.connected(self.dropout(ended)))


class AttributeDiscriminator(nn.Sequential):
    """Reads an attribute from a predicted emotion: three hidden layers of 700 units with ReLU.

    From the emotion classifier's logits (batch, emotions), of which it sees the softmax (section 3.2.2, note 1), to
    logits (batch, values). With three emotions it has 984,200 + 701 · values parameters: 985,602 for a gender, 1,019,250
    for one of 50 speakers.
    """

    def __init__(self, emotions: int, values: int) -> None:
        super().__init__(
            nn.Softmax(dim=1),
            nn.Linear(emotions, _HIDDEN),
            nn.ReLU(),
            nn.Linear(_HIDDEN, _HIDDEN),
            nn.ReLU(),
            nn.Linear(_HIDDEN, _HIDDEN),
            nn.ReLU(),
            nn.Linear(_HIDDEN, values),
        )


def _silence(values: Tensor, lengths: Tensor | None) -> Tensor:
    """``values`` (batch, channels, time) with zeros, as beyond a convolution's edge, after each sequence's end."""
    if lengths is None:
        return values
    return values * (torch.arange(values.shape[2], device=values.device) < lengths.unsqueeze(1)).unsqueeze(1)
