"""Gradient reversal: the identity forwards, minus the scale backwards."""

from __future__ import annotations

import pytest
import torch

from trainables.networks.reversal import reverse_gradient


def loss(values: torch.Tensor, scale: float | None = None) -> torch.Tensor:
    values = values if scale is None else reverse_gradient(values, scale)
    return (torch.sin(values) * values.square()).sum()


@pytest.mark.parametrize("scale", [1.0, 0.3, 2.5])
def test_its_gradient_is_minus_scale_times_the_finite_differences(scale):
    values = torch.randn(3, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0), requires_grad=True)
    (gradient,) = torch.autograd.grad(loss(values, scale), values)
    step = 1e-6
    for place in range(values.numel()):
        shift = torch.zeros(values.numel(), dtype=torch.float64)
        shift[place] = step
        shift = shift.view_as(values)
        slope = (loss(values + shift, scale) - loss(values - shift, scale)) / (2 * step)
        assert gradient.view(-1)[place].item() == pytest.approx(-scale * slope.item(), rel=1e-6)


def test_it_changes_no_value():
    values = torch.randn(5, 2)
    assert torch.equal(reverse_gradient(values, 0.7), values)


def test_the_encoder_descends_equation_10_and_the_head_its_own_loss():
    # f = w·x, L_l = (v·R(f))², L_e = f; with x = 2, w = 3, v = 5: dL_l/dw = 2·v²·f·x = 600, dL_l/dv = 2·v·f² = 360.
    encoder, head = torch.tensor(3.0, requires_grad=True), torch.tensor(5.0, requires_grad=True)
    alpha, beta = 0.75, 0.1
    features = encoder * 2.0
    total = alpha * features + (1 - alpha) * (head * reverse_gradient(features, beta)) ** 2
    gradients = torch.autograd.grad(total, [encoder, head])
    assert [g.item() for g in gradients] == pytest.approx([alpha * 2 - (1 - alpha) * beta * 600, (1 - alpha) * 360])


def test_many_at_once_are_one_after_another():
    values = torch.randn(4, 3, generator=torch.Generator().manual_seed(1))
    at_once = torch.func.vmap(torch.func.grad(loss), in_dims=(0, None))(values, 0.3)
    one_by_one = torch.stack([-0.3 * torch.func.grad(loss)(row) for row in values])
    torch.testing.assert_close(at_once, one_by_one)
