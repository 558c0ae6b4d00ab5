"""When a run counts as reproduced."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from orchestrator.reproduce import Comparison, _conclude

SAME = Comparison("test_uar", 0.5, 0.5)
NEAR = Comparison("test_uar", 0.5, 0.51)
FAR = Comparison("test_uar", 0.5, 0.6)
DRIFT = Comparison("epoch 1 loss/classifier", 1.3, 1.5)


@pytest.mark.parametrize(
    ("compared", "differences", "status", "last"),
    [
        ([SAME], [], 0, "reproduced bit for bit"),
        ([SAME], ["torch was 1, here it is 2"], 0, "reproduced bit for bit"),
        ([NEAR], [], 1, "NOT reproduced: on the same kind of machine, with the same code, it must be identical"),
        ([SAME, DRIFT], [], 1, "NOT reproduced: on the same kind"),
        ([NEAR, DRIFT], ["the machine was A, here it is B"], 0, "reproduced within 0.02 in UAR"),
        ([FAR], ["the machine was A, here it is B"], 1, "NOT reproduced within 0.02 in UAR"),
    ],
)
def test_equality_is_demanded_where_nothing_differs_and_closeness_elsewhere(compared, differences, status, last):
    said = io.StringIO()
    assert _conclude(Console(file=said, width=200), compared, differences) == status
    assert said.getvalue().splitlines()[-1].startswith(last)
    assert all(f"note: {difference}" in said.getvalue() for difference in differences)
