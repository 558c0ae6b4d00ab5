"""Features on a device: one copy for all runs of a process, kept for the next one, let go when nothing needs it."""

from __future__ import annotations

import gc
import logging
import weakref

import numpy as np
import pytest
import torch

from trainables.resident import _KEPT, RESIDENTS, Residents

GPU = torch.device("meta")  # a device that is not the CPU, and is everywhere


class Machine:
    """Residents of a device with so many bytes, which counts what is moved there."""

    def __init__(self, whole: int) -> None:
        self.whole, self.moved = whole, 0
        self.residents = Residents(self.move, lambda device: (self.whole - self.residents.bytes, self.whole))

    def move(self, values: np.ndarray, device: torch.device) -> torch.Tensor:
        self.moved += 1
        return torch.from_numpy(values).to(device)


@pytest.fixture
def machine() -> Machine:
    return Machine(1 << 30)


def features(megabytes: float = 1.0) -> np.ndarray:
    return np.zeros((int(megabytes * 2**18), 1), np.float32)


def test_runs_of_the_same_features_share_one_copy_and_others_have_their_own(machine):
    source, target = features(), features()
    first, again, other = (machine.residents.on(values, GPU) for values in (source, source, target))
    assert first.tensor is again.tensor is not other.tensor
    assert machine.moved == 2
    assert machine.residents.bytes == 2 << 20


def test_a_copy_outlives_its_run_until_others_have_come_and_then_goes(machine):
    values = features()
    tensor = weakref.ref(machine.residents.on(values, GPU).tensor)
    for _ in range(_KEPT - 1):
        machine.residents.on(features(), GPU)
    machine.residents.on(values, GPU)
    assert machine.moved == _KEPT, "the next trial of the same data finds it"
    for _ in range(_KEPT):
        assert tensor() is not None
        machine.residents.on(features(), GPU)
    gc.collect()
    assert tensor() is None
    assert machine.residents.bytes == _KEPT << 20


def test_many_runs_of_one_task_leave_the_copies_of_the_one_before(machine):
    before, now = features(), features()
    machine.residents.on(before, GPU)
    for _ in range(2 * _KEPT):
        machine.residents.on(now, GPU)
    machine.residents.on(before, GPU)
    assert machine.moved == 2


def test_a_copy_in_use_stays_whatever_comes(machine):
    values = features()
    used = machine.residents.on(values, GPU)
    for _ in range(2 * _KEPT):
        machine.residents.on(features(), GPU)
    assert machine.residents.on(values, GPU) is used


def test_what_has_had_no_room_is_on_the_device_once_there_is():
    machine = Machine(10 << 20)
    large, small = features(4), features(4)
    held = machine.residents.on(small, GPU)
    assert machine.residents.on(large, GPU).tensor.device.type == "cpu"
    del held
    gc.collect()
    assert machine.residents.on(large, GPU).tensor.device.type == GPU.type


def test_what_is_not_in_use_makes_room_before_training_lacks_it():
    machine = Machine(10 << 20)
    used, unused = features(2), features(2)
    held = machine.residents.on(used, GPU)
    machine.residents.on(unused, GPU)
    machine.residents.on(features(2), GPU)
    assert machine.residents.bytes == 4 << 20, "what is used, and what has come"
    assert machine.residents.on(used, GPU) is held


def test_features_that_would_leave_no_room_stay_where_they_are_which_is_said_once(caplog):
    machine, values = Machine(10 << 20), features(6)
    with caplog.at_level(logging.WARNING):
        first, again = machine.residents.on(values, GPU), machine.residents.on(values, GPU)
    assert first.tensor.device.type == "cpu" and again is first
    assert first.tensor.data_ptr() == values.ctypes.data
    assert [record.getMessage() for record in caplog.records] == [
        "0.00586 GiB of features do not fit into meta: batches are gathered beside it"
    ]
    assert machine.residents.bytes == 0


def test_on_a_cpu_they_are_used_where_they_are_and_not_held(recwarn):
    values = features()
    values.flags.writeable = False
    resident = RESIDENTS.on(values, torch.device("cpu"))
    assert resident.tensor.data_ptr() == values.ctypes.data
    assert not recwarn.list
    gone = weakref.ref(values)
    del values, resident
    gc.collect()
    assert gone() is None
