"""What a run keeps of itself, to go on from: copies that share no memory with what goes on."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from trainables.metrics import Scores


@dataclass
class Best:
    """The epoch that validation selected, as training goes on from it."""

    epoch: int
    scores: Scores
    weights: dict[str, Any]
    optimisers: dict[str, Any]


def copied(value: Any, device: str | None = None) -> Any:
    """A copy; of a tensor of its own values alone, for ``copy.deepcopy`` takes along all that shares memory with it.

    Args:
        value: tensors, and what else there is, in mappings and tuples.
        device: where the copies of tensors are; ``None`` for where the tensors are.
    """
    if isinstance(value, Tensor):
        return value.detach().to(device or value.device, copy=True)
    if isinstance(value, Mapping):
        return {key: copied(each, device) for key, each in value.items()}
    if isinstance(value, tuple):
        return tuple(copied(each, device) for each in value)
    return copy.deepcopy(value)
