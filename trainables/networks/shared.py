"""What modules need to know of data-parallel workers, so that a split batch gives what the whole one gives."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from trainables.networks.noise import uniform


class Shared:
    """Mixed into a module whose rows are not independent of each other, or which draws random numbers for them.

    Attributes:
        worker, workers: which part of the batch this process holds, of how many equal ones; set by the loop.
    """

    worker: int = 0
    workers: int = 1


class SharedNoise(Shared, nn.Module):
    """A module with randomness: it is drawn for the whole batch of all workers, each of which takes its own rows.

    A module that holds such noise is called with the rows of one domain at a time. Rows of the source with rows of the
    target after them stand in another order when each worker puts its own together, and would be given others' noise.
    """

    def draw(self, rows: int, *shape: int, device: torch.device | None = None) -> Tensor:
        """Uniform numbers from [0, 1) for this worker's ``rows``, shape (rows, *shape)."""
        drawn = uniform(rows * self.workers, *shape, device=device)
        return drawn[self.worker * rows : (self.worker + 1) * rows]
