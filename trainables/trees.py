"""Arrays, tensors, and named tuples and mappings of them: several as one, and one as several."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from torch import Tensor


def joined(trees: Sequence[Any]) -> Any:
    """Several named tuples of NumPy arrays as one, whose rows are all of the first's, then all of the second's."""
    if trees[0] is None:
        return None
    if isinstance(trees[0], np.ndarray):
        return np.concatenate(trees)
    return type(trees[0])(*map(joined, zip(*trees, strict=True)))


def parted(tree: Any, count: int, each: int = 1) -> list[Any]:
    """One of ``count`` lots of as many rows, one after another, as several: ``each`` lots in one, in the last what is left."""
    parts = math.ceil(count / each)
    if parts == 1 or tree is None:
        return [tree] * parts
    if isinstance(tree, Tensor):
        return list(tree.split(len(tree) // count * each))
    if isinstance(tree, np.ndarray):
        size = len(tree) // count * each
        return [tree[first : first + size] for first in range(0, len(tree), size)]
    if isinstance(tree, Mapping):
        fields = {name: parted(value, count, each) for name, value in tree.items()}
        return [{name: values[part] for name, values in fields.items()} for part in range(parts)]
    return [type(tree)(*values) for values in zip(*(parted(value, count, each) for value in tree), strict=True)]
