"""Data-parallel workers of one training run: each holds its own rows of every batch, and all take the same step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, distributed

from data_prep.errors import InputError


@dataclass(frozen=True)
class Workers:
    """This process's place among the run's workers.

    Attributes:
        rank: 0 to ``count`` - 1.
        count: how many there are; with more than one, ``torch.distributed`` is initialised.
    """

    rank: int = 0
    count: int = 1

    def part(self, rows: np.ndarray) -> np.ndarray:
        """This worker's rows of a batch: an equal, contiguous part.

        Raises:
            InputError: the batch cannot be parted equally.
        """
        if len(rows) % self.count:
            raise InputError(f"a batch of {len(rows)} cannot be shared equally by {self.count} workers")
        size = len(rows) // self.count
        return rows[self.rank * size : (self.rank + 1) * size]

    def average(self, gradients: Sequence[Tensor | None]) -> None:
        """Replaces gradients of this worker's part by the whole batch's, in place, in one message."""
        if self.count == 1:
            return
        present = [gradient for gradient in gradients if gradient is not None]
        flat = torch.cat([gradient.reshape(-1) for gradient in present])
        distributed.all_reduce(flat)
        flat /= self.count
        for gradient, part in zip(present, flat.split([gradient.numel() for gradient in present]), strict=True):
            gradient.copy_(part.view_as(gradient))
