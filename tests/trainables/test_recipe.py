"""Optimisers as recipes ask for them."""

from __future__ import annotations

import copy
import subprocess
import sys

import pytest
import torch

from trainables.recipe import Recipe

RECIPES = {"adam": Recipe(), "sgd": Recipe(optimiser="sgd", momentum=0.9)}
USUAL = {
    "adam": lambda weights: torch.optim.Adam(weights, lr=0.1, fused=True),
    "sgd": lambda weights: torch.optim.SGD(weights, lr=0.1, momentum=0.9, fused=True),
}


@pytest.mark.parametrize("name", RECIPES)
def test_they_are_pytorchs_bit_for_bit_and_take_each_others_states(name):
    first = torch.randn(3, 5, generator=torch.Generator().manual_seed(0))
    own, usual = (torch.nn.Parameter(first.clone()) for _ in range(2))
    ours, theirs = RECIPES[name].optimise([own], 0.1), USUAL[name]([usual])
    for number in range(6):
        own.grad = usual.grad = torch.full_like(first, number - 2.0)
        ours.step()
        theirs.step()
        assert torch.equal(own, usual), f"after {number + 1} steps"
        if number == 2:
            states = copy.deepcopy(ours.state_dict()), copy.deepcopy(theirs.state_dict())
            ours.load_state_dict(states[1])
            theirs.load_state_dict(states[0])
    assert not torch.equal(own, first)


_TRAIN = """
import sys
import torch
from trainables.recipe import Recipe
from trainables.trainable import prepare_process

prepare_process()
for recipe in (Recipe(), Recipe(optimiser="sgd")):
    weight = torch.nn.Parameter(torch.ones(2))
    optimiser = recipe.optimise([weight], 0.1)
    weight.grad = torch.ones(2)
    optimiser.step()
    optimiser.load_state_dict(optimiser.state_dict())
print("torch._dynamo" in sys.modules)
"""


def test_neither_they_nor_repeatable_arithmetic_import_the_compiler():
    done = subprocess.run([sys.executable, "-c", _TRAIN], capture_output=True, text=True)
    assert done.stdout.strip() == "False", done.stderr
