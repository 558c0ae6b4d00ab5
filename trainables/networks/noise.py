"""Uniform random numbers, as a run draws them alone and as several runs draw them that are trained as one batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

import torch
from torch import Tensor


class _Runs(NamedTuple):
    """The runs of a batch: the number of each as ``torch.func.vmap`` has it, and what each draws from."""

    number: Tensor
    generators: Sequence[torch.Generator]


_runs: ContextVar[_Runs | None] = ContextVar("runs", default=None)


def uniform(*shape: int, device: torch.device | None = None) -> Tensor:
    """Uniform numbers from [0, 1), from torch's random state; within :func:`drawn_by`, those of each run."""
    runs = _runs.get()
    if runs is None:
        return torch.rand(shape, device=device)
    return _Uniform.apply(runs.number, runs.generators, shape, device)


def seed_noise(seed: int, device: torch.device) -> None:
    """Seeds what random numbers are drawn from on ``device``.

    As ``torch.manual_seed`` does, which looks for every other kind of device too and takes as long as some layers.
    """
    torch.default_generator.manual_seed(seed)
    if device.type == "cuda":
        torch.cuda.manual_seed(seed)


@contextmanager
def drawn_by(number: Tensor, generators: Sequence[torch.Generator]) -> Iterator[None]:
    """Has what is drawn within, inside ``torch.func.vmap`` over runs, drawn from each run's own generator.

    So a run has the numbers that it has alone, where its generator is seeded as torch's random state is there.

    Args:
        number: of the run, from 0, int64 of shape (): with the dimension of runs hidden, as vmap passes it.
        generators: of all runs.
    """
    token = _runs.set(_Runs(number, generators))
    try:
        yield
    finally:
        _runs.reset(token)


class _Uniform(torch.autograd.Function):
    """Draws for every run that ``torch.func.vmap`` goes through: its own randomness would be one stream for all."""

    @staticmethod
    def forward(
        number: Tensor, generators: Sequence[torch.Generator], shape: Sequence[int], device: torch.device | None
    ) -> Tensor:
        return torch.rand(shape, generator=generators[int(number)], device=device)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        ctx.mark_non_differentiable(output)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[None, None, None, None]:
        return None, None, None, None

    @staticmethod
    def vmap(
        info: Any,
        in_dims: tuple[int | None, ...],
        number: Tensor,
        generators: Sequence[torch.Generator],
        shape: Sequence[int],
        device: torch.device | None,
    ) -> tuple[Tensor, int]:
        drawn = [torch.rand(shape, generator=generators[run], device=device) for run in number.tolist()]
        return torch.stack(drawn), 0
