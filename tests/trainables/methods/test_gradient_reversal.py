"""Gradient reversal against equation (2) of attributes.txt: what it is worth, and where it pushes."""

from __future__ import annotations

import pytest
import torch

from trainables.game import Shape, build, noise, play
from trainables.methods import gradient_reversal, mtl
from trainables.methods.gradient_reversal import METHOD

SHAPE = Shape(12, 4, 3, {"corpus": 3, "gender": 2, "speaker": 5, "language": 2})
ALPHA = 0.3
VALUES = {"alpha": ALPHA}


@pytest.fixture
def networks():
    """In double precision, without dropout or masks, so that differences can be taken."""
    hyperparameters = METHOD.hyperparameters(attributes="speaker+language")
    return build(play(METHOD), SHAPE, hyperparameters, seed=0).double().eval()


@pytest.fixture
def batch():
    made = noise(SHAPE, utterances=4)
    return made._replace(labelled=made.labelled._replace(features=made.labelled.features.double()))


def test_the_loss_has_the_value_of_equation_1(networks, batch):
    losses = [
        loss(dict(networks.items()), batch, None, VALUES)
        for loss in (gradient_reversal.reversal_loss, mtl.multi_task_loss)
    ]
    assert losses[0].item() == losses[1].item()


@pytest.mark.parametrize(
    ("network", "sign"),
    [("encoder", -1), ("attribute_classifiers", 1), ("classifier", 1)],
    ids=lambda value: str(value),
)
def test_the_attributes_gradient_is_reversed_for_the_shared_layers_alone_by_finite_differences(
    networks, batch, network, sign
):
    called = dict(networks.items())
    weights = list(networks[network].parameters())
    gradients = torch.autograd.grad(gradient_reversal.reversal_loss(called, batch, None, VALUES), weights)
    generator = torch.Generator().manual_seed(1)
    direction = [torch.randn(weight.shape, generator=generator, dtype=torch.float64) for weight in weights]
    step = 1e-9  # along more than a million weights, and short of the kinks of ReLU and max-pooling

    def slope(alpha: float) -> float:
        """Of equation (1) along ``direction``: the emotion's loss at alpha 0, the mean of the attributes' at 1."""
        ends = []
        for side in (step, -2 * step):
            with torch.no_grad():
                for weight, by in zip(weights, direction, strict=True):
                    weight += side * by
                ends.append(mtl.multi_task_loss(called, batch, None, {"alpha": alpha}).item())
        with torch.no_grad():
            for weight, by in zip(weights, direction, strict=True):
                weight += step * by
        return (ends[0] - ends[1]) / (2 * step)

    along = sum(float((gradient * by).sum()) for gradient, by in zip(gradients, direction, strict=True))
    emotion, attributes = slope(0.0), slope(1.0)
    assert along == pytest.approx((1 - ALPHA) * emotion + sign * ALPHA * attributes, rel=1e-4)
    if network == "encoder":
        assert abs(attributes) > 1e-3, "the attributes do pull at the shared layers"


def test_alpha_goes_from_0_in_the_first_of_150_epochs_to_a_half_in_the_last_by_equal_steps():
    alpha = METHOD.schedules(METHOD.hyperparameters())["alpha"]
    steps = 7
    of_epoch = [{alpha((epoch * steps + step) / (150 * steps)) for step in range(steps)} for epoch in range(150)]
    assert all(len(values) == 1 for values in of_epoch), "one value for the whole epoch"
    assert [value for values in of_epoch for value in values] == pytest.approx([0.5 * e / 149 for e in range(150)])
