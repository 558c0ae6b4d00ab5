"""What ends a running sweep."""

from __future__ import annotations

import signal

import pytest

from orchestrator.launch import _terminated_like_interrupted


def test_sigterm_ends_a_sweep_as_ctrl_c_does_and_only_while_it_runs():
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt), _terminated_like_interrupted():
        signal.raise_signal(signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is before
