"""What ends a running sweep."""

from __future__ import annotations

import signal

import pytest

from orchestrator.launch import _terminated_like_interrupted


@pytest.fixture(autouse=True)
def interruptible():
    """SIGINT as a terminal's process has it: a process started in the background may ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_sigterm_ends_a_sweep_as_ctrl_c_does_and_only_while_it_runs():
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt), _terminated_like_interrupted():
        signal.raise_signal(signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is before


def test_ctrl_c_works_again_after_a_sweep_that_put_its_own_handler_there():
    with _terminated_like_interrupted():
        signal.signal(signal.SIGINT, lambda number, frame: None)  # as Tune does, and leaves it
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
