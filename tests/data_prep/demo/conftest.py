"""All tiny demo corpora, spoken once for all tests of this folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from data_prep import demo


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of all tiny demo corpora of seed 0, spoken by two workers."""
    out = tmp_path_factory.mktemp("demo") / "tiny"
    demo.speak(out, size="tiny", seed=0, corpora=demo.layouts.known(), workers=2)
    return out
