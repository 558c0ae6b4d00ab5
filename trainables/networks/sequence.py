"""The recurrent classifier of multilingual.txt: stacked LSTM layers, and dense layers over what they end with."""

from __future__ import annotations

import torch
from torch import Tensor, nn

FEATURES = 128


class LSTMEncoder(nn.Module):
    """Two layers of 128 LSTM cells (multilingual.txt, 4.1), from (batch, frames, dimensions) to (batch, cells).

    A dense layer to the classes, ``nn.Linear(cells, classes)``, makes it the paper's classifier. The paper leaves
    open what of the LSTM's outputs the dense layer reads: the last one, here. IS09 features are one frame of 384.
    ``aten::lstm`` has no batching rule, so ``torch.func.vmap`` cannot run it.
    """

    def __init__(self, dimensions: int, cells: int = FEATURES) -> None:
        super().__init__()
        self.lstm = nn.LSTM(dimensions, cells, num_layers=2, batch_first=True)

    def forward(self, features: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Encodes a batch; ``lengths``, shape (batch,), are frames before padding, all of them when not given."""
        return last(self.lstm(features)[0], lengths)


class Penultimate(nn.Sequential):
    """The dense layer before the last in the classifier for transfer (multilingual.txt, 4.2), (batch, cells) to the same.

    The paper leaves open its width, here the encoder's, and its activation, here ReLU.
    """

    def __init__(self, cells: int = FEATURES) -> None:
        super().__init__(nn.Linear(cells, cells), nn.ReLU())


def last(outputs: Tensor, lengths: Tensor | None) -> Tensor:
    """Each sequence's last output before its padding, (batch, units), of ``outputs`` (batch, time, units)."""
    if lengths is None:
        return outputs[:, -1]
    return torch.take_along_dim(outputs, (lengths - 1).view(-1, 1, 1), dim=1).squeeze(1)
