"""Training on a GPU: repeatable there, and the same numbers as on a CPU up to the order of floating-point sums."""

from __future__ import annotations

import pytest
import torch

from trainables import resident
from trainables.trainable import train

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")


@pytest.mark.parametrize("method", ["cnn", "addi"])
def test_a_run_on_a_gpu_can_be_repeated_bit_for_bit(method, trial, task_data):
    first, again = (train(trial(method, epochs=3), task_data, gpu=True) for _ in range(2))
    assert all(torch.equal(first.weights[name], again.weights[name]) for name in first.weights)
    assert all(not weight.is_cuda for weight in first.weights.values()), "a model is kept where anyone can load it"


@pytest.mark.parametrize("method", ["cnn", "addi"])
def test_a_first_epoch_on_a_gpu_is_the_cpus_up_to_rounding(method, trial, task_data):
    # Without dropout, whose masks a GPU draws from a generator of its own, and before small differences can grow.
    from trainables.networks.dense import SharedDropout

    forward = SharedDropout.forward
    SharedDropout.forward = lambda self, values: values
    try:
        cpu, gpu = (train(trial(method, epochs=1), task_data, gpu=gpu).history[0] for gpu in (False, True))
    finally:
        SharedDropout.forward = forward
    losses = [name for name in cpu if name.startswith("loss/")]
    assert losses and [gpu[name] for name in losses] == pytest.approx([cpu[name] for name in losses], rel=1e-2)


def test_features_beside_a_gpu_give_what_those_on_it_give_bit_for_bit(trial, task_data, monkeypatch):
    weights = []
    for memory, held in ((resident._memory, 2), (lambda device: (0, 1), 0)):
        residents = resident.Residents(resident._move, memory)
        monkeypatch.setattr("trainables.batches.RESIDENTS", residents)
        weights.append(train(trial("cnn", epochs=2), task_data, gpu=True).weights)
        sides = (task_data.source, task_data.target)[:held]
        assert residents.bytes == sum(side.values.nbytes for side in sides)
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])
