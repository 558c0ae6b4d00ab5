"""Batch normalisation of a batch that may be split over workers, and the four ways of feeding it of dann.txt, 4.2.2."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor, distributed, nn
from torch.nn.functional import batch_norm

from data_prep.errors import unknown
from trainables.networks.shared import Shared

FEEDS = ("BN1", "BN2", "BN3", "BN4")


class SharedBatchNorm(Shared, nn.BatchNorm1d):
    """``nn.BatchNorm1d`` whose training statistics are those of the whole batch of all data-parallel workers.

    Takes (batch, features) or (batch, channels, ...), and gives the same shape. So neither what it gives, nor its
    gradients (once averaged over the workers), nor its running statistics depend on the number of workers, up to
    rounding; each worker must hold the same number of rows, and all of them must call it and go back through it alike.
    On one worker it is ``nn.BatchNorm1d``, with its parameters, buffers and defaults.
    """

    def forward(self, values: Tensor, tracked: bool = True) -> Tensor:
        """Normalises a batch: in training by its own statistics, in evaluation by the running ones.

        ``tracked`` says whether the running statistics learn of this batch.

        Raises:
            ValueError: one value per feature, in training.
        """
        flat = values.flatten(2) if values.dim() > 3 else values
        if not self.training:
            normalised = super().forward(flat)
        elif self.workers > 1:
            normalised = self._normalise_whole(flat, tracked)
        elif tracked:
            normalised = super().forward(flat)
        else:
            normalised = batch_norm(flat, None, None, self.weight, self.bias, training=True, eps=self.eps)
        return normalised.view_as(values)

    def _normalise_whole(self, values: Tensor, tracked: bool) -> Tensor:
        over = [0, *range(2, values.dim())]
        count = self.workers * math.prod(values.shape[dim] for dim in over)
        # The mean first: the mean square less the squared mean would cancel where a mean is large beside a deviation.
        mean = _SumOverWorkers.apply(values.sum(over)) / count
        centred = values - _along(mean, values)
        variance = _SumOverWorkers.apply(centred.square().sum(over)) / count
        if tracked:
            assert self.running_mean is not None and self.running_var is not None and self.momentum is not None
            assert self.num_batches_tracked is not None
            unbiased = variance.detach() * (count / (count - 1))
            self.running_mean.mul_(1 - self.momentum).add_(mean.detach() * self.momentum)
            self.running_var.mul_(1 - self.momentum).add_(unbiased * self.momentum)
            self.num_batches_tracked.add_(1)
        scale = self.weight * torch.rsqrt(variance + self.eps)
        return centred * _along(scale, values) + _along(self.bias, values)


class BatchMean(Shared, nn.Module):
    """The mean of values (batch, features) over the whole batch of all data-parallel workers, (features,).

    Its gradients, once averaged over the workers, are those of the mean of the whole batch, however it is parted; each
    worker must hold the same number of rows. It has no weights.
    """

    def forward(self, values: Tensor) -> Tensor:
        """Means of a batch."""
        if self.workers == 1:
            return values.mean(dim=0)
        return _SumOverWorkers.apply(values.sum(dim=0)) / (self.workers * len(values))


class Normalised(NamedTuple):
    """A batch of two domains after :func:`normalise`, each of shape (batch, features).

    Attributes:
        emotion: the source as the emotion head reads it.
        source, target: both domains as the language head reads them.
    """

    emotion: Tensor
    source: Tensor
    target: Tensor


def normalise(bn: Callable[..., Tensor], source: Tensor, target: Tensor, feed: str) -> Normalised:
    """Feeds source and target, (batch, features) each, to one :class:`SharedBatchNorm` in a way of dann.txt, 4.2.2.

    ======  =========================  ================================  ============================
    feed    emotion head, training on  language head, training on        prediction (running) on
    ======  =========================  ================================  ============================
    BN1     whole-batch statistics     whole-batch statistics            the whole batch
    BN2     source-half statistics     whole-batch statistics            the source half
    BN3     source-half statistics     each half on its own statistics   both halves, in equal parts
    BN4     as BN3, but a domain's batch is a step of its own, and source and target take turns
    ======  =========================  ================================  ============================

    The paper leaves open which running statistics predict. Chosen: those of the batch that the emotion head, which
    predicts, was trained on; so BN2's whole batch is not tracked. In BN3 and BN4 no head ever sees a domain on another
    domain's statistics, but a prediction is not told its domain: there both domains are tracked one after the other, as
    by any layer that is called for each, and the running mean and variance are the means of the two domains' (the later
    one weighs 1 to 0.9 with the default momentum). BN4 has no step with both domains, so it is not for this function:
    the source's step takes ``bn(source)`` for both heads and the target's step ``bn(target)`` for the language head.

    Raises:
        InputError: ``feed`` is not BN1, BN2 or BN3.
    """
    if feed == "BN1":
        first, second = bn(torch.cat([source, target])).split([len(source), len(target)])
        return Normalised(first, first, second)
    if feed == "BN2":
        first, second = bn(torch.cat([source, target]), tracked=False).split([len(source), len(target)])
        return Normalised(bn(source), first, second)
    if feed == "BN3":
        first = bn(source)
        return Normalised(first, first, bn(target))
    raise unknown("feed of both domains", feed, FEEDS[:3])


def _along(statistic: Tensor, values: Tensor) -> Tensor:
    """A statistic (channels,) to be broadcast over values (batch, channels) or (batch, channels, ...)."""
    return statistic.view(-1, *[1] * (values.dim() - 2))


class _SumOverWorkers(torch.autograd.Function):
    """The sum of each worker's tensor, for all of them; its gradient is the sum of their gradients.

    torch's own differentiable sums have no batching rule.
    """

    @staticmethod
    def forward(values: Tensor) -> Tensor:
        total = values.clone(memory_format=torch.contiguous_format)
        distributed.all_reduce(total)
        return total

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor], output: Tensor) -> None:
        pass

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return _SumOverWorkers.apply(gradient)

    @staticmethod
    def vmap(info: Any, in_dims: tuple[int | None], values: Tensor) -> tuple[Tensor, int | None]:
        return _SumOverWorkers.apply(values), in_dims[0]
