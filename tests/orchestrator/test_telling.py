"""What a run tells Tune, and when."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator import telling
from orchestrator.telling import Teller, epochs_of


@pytest.fixture
def told(monkeypatch):
    """What Tune has been told, and a clock to be set; a second lies between two reports at the least."""

    class Told:
        now, reports = 0.0, []

        def epochs(self) -> list[list[int]]:
            return [[epoch["epoch"] for epoch in epochs_of(report)] for report in self.reports]

    told = Told()
    told.reports = []
    monkeypatch.setattr(telling.tune, "report", told.reports.append)
    monkeypatch.setattr(telling.time, "monotonic", lambda: told.now)
    return told


def test_short_epochs_are_told_of_together_and_long_ones_as_they_end(told):
    teller = Teller(seconds=1)
    for number, end in enumerate([0.4, 0.8, 1.2, 1.6, 5.0, 9.0, 9.1], 1):
        told.now = end
        teller.epoch({"epoch": number})
    assert told.epochs() == [[1, 2, 3], [4, 5], [6]]
    teller.ended({"test_uar": 0.5}, Path("a.pt"))
    assert told.epochs()[3:] == [[7]]
    assert told.reports[3].items() >= {"test_uar": 0.5, "model": "a.pt", "final": True, "done": True}.items()


def test_what_a_run_has_not_told_is_told_before_it_fails_and_once(told):
    teller = Teller(seconds=1)
    teller.epoch({"epoch": 1})
    teller.tell()
    teller.tell()
    assert told.epochs() == [[1]]


def test_a_report_without_epochs_is_one():
    assert epochs_of({"epoch": 3, "validation_uar": 0.5}) == [{"epoch": 3, "validation_uar": 0.5}]
