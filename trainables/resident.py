"""Features on the device that trains: one copy of them for all runs of a process."""

from __future__ import annotations

import logging
import warnings
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from weakref import WeakValueDictionary

import numpy as np
import torch
from torch import Tensor

from trainables.streamed import Streamed

# Sources and targets of a table's tasks, which its cells train on in turn.
_KEPT = 16
# Of a GPU's memory. What trains needs the rest: weights, batches and what lies between them.
_SHARE = 0.5


@dataclass(frozen=True, eq=False)
class Resident:
    """An array's copy on a device. It holds the array, too: while it is there, no other has that one's identity."""

    values: np.ndarray | Streamed
    tensor: Tensor


class Residents:
    """The copies that are in use, and the latest few that were: the next trial in a warm worker has the same data."""

    def __init__(
        self,
        move: Callable[[np.ndarray, torch.device], Tensor],
        memory: Callable[[torch.device], tuple[int, int]],
    ) -> None:
        """Begins with none.

        Args:
            move: copies an array to a device.
            memory: how many bytes a device has left, and has.
        """
        self._move, self._memory = move, memory
        self._there: WeakValueDictionary[tuple[int, torch.device], Resident] = WeakValueDictionary()
        self._latest: deque[Resident] = deque(maxlen=_KEPT)

    @property
    def bytes(self) -> int:
        """What all of them take on devices."""
        tensors = [resident.tensor for resident in self._there.values()]
        return sum(tensor.nbytes for tensor in tensors if tensor.device.type != "cpu")

    def on(self, values: np.ndarray | Streamed, device: torch.device) -> Resident:
        """The features on a device, or where they are, if they would take too much of its memory."""
        if device.type == "cpu":  # where they are already
            return Resident(values, self._move(np.asarray(values), device))
        key = id(values), device
        resident = self._there.get(key)
        if resident is None:
            fits = self._fits(values.nbytes, device)
            if not fits:
                logging.getLogger(__name__).warning(
                    "%.3g GiB of features do not fit into %s: batches are gathered beside it",
                    values.nbytes / 2**30,
                    device,
                )
            resident = Resident(values, self._move(np.asarray(values), device if fits else torch.device("cpu")))
            self._there[key] = resident
        if resident in self._latest:
            self._latest.remove(resident)
        if resident.tensor.device.type == device.type:  # what had no room may find some later
            self._latest.append(resident)
        return resident

    def _fits(self, size: int, device: torch.device) -> bool:
        """Whether there is room; where it is short, those that are not in use are let go first."""
        free, whole = self._memory(device)
        if free - size < _SHARE * whole:
            self._latest.clear()
            free, _ = self._memory(device)
        return size <= _SHARE * free


def _move(values: np.ndarray, device: torch.device) -> Tensor:
    with warnings.catch_warnings():
        # They are never written to: on the CPU this is the memory that all workers of the node share.
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
        return torch.from_numpy(values).to(device)


def _memory(device: torch.device) -> tuple[int, int]:
    """Bytes of a GPU that nobody has, or that this process has and does not use; and all of it."""
    free, whole = torch.cuda.mem_get_info(device)
    return free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device), whole


RESIDENTS = Residents(_move, _memory)
