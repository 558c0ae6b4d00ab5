"""Gradient reversal: a network behind it learns to tell, the one before it learns to hide."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


def reverse_gradient(values: Tensor, scale: float = 1.0) -> Tensor:
    """``values`` of any shape as they are; their gradient times ``-scale`` (dann.txt, equations 3 and 4).

    attributes.txt, 3.2.1, has it with scale 1. What learns behind it has the gradient that it would have without it.
    """
    return _Reversal.apply(values, scale)


class _Reversal(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(values: Tensor, scale: float) -> Tensor:
        return values.view_as(values)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, float], output: Tensor) -> None:
        ctx.scale = inputs[1]

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return -ctx.scale * gradient, None
