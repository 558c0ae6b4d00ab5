"""The data of a sweep: which demo corpora are spoken for it, and which are not."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from data_prep import demo
from data_prep.errors import InputError
from orchestrator import prepare
from orchestrator.memory import room_for_features
from orchestrator.prepare import choose, make_ready


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """In a folder of one's own: the corpora that a store is built from, filled when it would be."""
    corpora: dict[str, Path] = {}
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(prepare, "build", lambda path, given, features: corpora.update(given))
    monkeypatch.setattr(prepare, "open_store", lambda path: SimpleNamespace(corpora=lambda feature: sorted(corpora)))
    return corpora


def test_only_the_demo_corpora_that_a_sweep_needs_are_spoken_and_built(built: dict[str, Path], tmp_path: Path):
    source = choose(None, {}, "tiny", ["savee"])
    make_ready(source, {"mfb40": ["savee"]}, Console(quiet=True))
    folder = tmp_path / "demo_corpora" / "tiny-0"
    assert built == {"savee": folder / "SAVEE"}
    assert sorted(path.name for path in folder.iterdir()) == ["DEMO_CORPUS.txt", "SAVEE"]


def test_every_feature_s_corpora_are_spoken(built: dict[str, Path], monkeypatch: pytest.MonkeyPatch):
    def speak(out: Path, *, corpora: set[str], **others: object) -> dict[str, Path]:
        return {name: out / name for name in corpora}

    monkeypatch.setattr(demo, "speak", speak)
    source = choose(None, {}, "small", ["emodb", "shemo"])
    make_ready(source, {"mfb40": ["emodb"], "is09": ["shemo", "emodb"]}, Console(quiet=True))
    assert built == {name: Path("demo_corpora/small-0") / name for name in ("emodb", "shemo")}


def test_what_nobody_can_speak_is_said_before_anything_is_done():
    with pytest.raises(InputError, match=r"no demo corpus of tibetan \(there is of cafe, .*--corpus tibetan=PATH"):
        choose(None, {}, "tiny", ["emodb", "tibetan"])


def test_features_have_half_of_rays_object_store_or_what_the_user_says(ray_session, tmp_path):
    import ray

    (node,) = ray.nodes()
    console = Console(quiet=True)
    usual = room_for_features(None, tmp_path, console)
    assert usual.bytes == int(node["Resources"]["object_store_memory"] / 2)
    assert room_for_features(1.5, tmp_path, console).bytes == 3 * 2**29
    assert usual.folder == tmp_path / ".features"
