"""How long a plan should take, before any of it runs."""

from __future__ import annotations

import numpy as np
import pytest

from orchestrator.estimate import seconds_of_plan, seconds_per_cell
from orchestrator.plan import Cell, Plan
from search_spaces import Variant
from trainables.config import TaskConfig
from trainables.data import Domain, TaskData
from trainables.methods._attributes import COMBINATIONS

TASK = TaskConfig(sources=("one",), targets=("other",))


@pytest.fixture
def data() -> TaskData:
    frames, utterances = 10, 64
    domain = Domain(
        values=np.zeros((utterances * frames, 40), np.float32),
        starts=np.arange(utterances + 1) * frames,
        corpora=("one",) * utterances,
        utterances=("one",) * utterances,
        speakers=("one",) * utterances,
        labels=np.arange(utterances) % 2,
    )
    return TaskData(domain, domain, ("happy", "sad"))


@pytest.mark.parametrize("method", ["mtl", "gradient_reversal", "adversarial_discriminator"])
def test_methods_that_tell_attributes_apart_are_timed_too(method, data):
    variant = Variant("row", method, settings={"attributes": COMBINATIONS[-1], "batch_size": 4})
    cell = Cell(variant=variant, column=TASK, fingerprint=lambda task: "made up", space={})
    plan = Plan(sweep="made_up", cells=(cell,), epochs=1000, trials=1, replicates=1)
    assert seconds_per_cell(plan, {TASK: data})[cell.name] > 1.0, "a thousand epochs of thirteen steps"


def test_a_search_takes_as_many_times_as_long_as_its_trials_have_seeds_and_the_replicates_do_not(make_plan):
    one, three = (
        make_plan("full/*", trials=4, replicates=3),
        make_plan("full/*", trials=4, replicates=3, search_seeds=3),
    )
    per_run = {cell.name: 10.0 for cell in one.cells}
    # Two cells of four trials and three replicates of 10 s: 80 s and 60 s, of which the 80 s are to be 240 s.
    assert seconds_of_plan(three, per_run, 1) - seconds_of_plan(one, per_run, 1) == pytest.approx(160)
    # No time to search: of each cell one trial, of three runs instead of one.
    assert seconds_of_plan(three, per_run, 1, 0.0) - seconds_of_plan(one, per_run, 1, 0.0) == pytest.approx(40)
