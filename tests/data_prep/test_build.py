"""Stores: what is in them, what is computed again and what is not, and what a killed or hindered build leaves."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from data_prep import build as building
from data_prep.audio import read
from data_prep.build import build, corpus_argument
from data_prep.errors import InputError
from data_prep.features.mfb40 import FEATURE
from data_prep.store import open_store

pytestmark = pytest.mark.usefixtures("ray_session")
ROOT = Path(__file__).resolve().parents[2]


def built(store: Path, **corpora: Path):
    return build(store, corpora, quiet=True)


def content(store: Path) -> dict[str, bytes]:
    return {str(path.relative_to(store)): path.read_bytes() for path in store.rglob("*.parquet")}


def test_a_store_holds_every_utterance_with_its_columns_and_features(make_corpus, tmp_path):
    manifest = make_corpus(tmp_path / "corpus")
    (summary,) = built(tmp_path / "store", tones=manifest)
    assert (summary.utterances, summary.computed, summary.reused, summary.quarantined) == (4, 4, 0, [])
    table = open_store(tmp_path / "store").load("mfb40", ["tones"])
    assert table["utterance_id"].to_pylist() == ["0", "1", "2", "3"]
    assert table["emotion"].to_pylist() == ["angry", "happy", "neutral", "sad"]
    assert set(table["reader"].to_pylist()) == {"manifest"} and set(table["corpus"].to_pylist()) == {"tones"}
    for row in table.to_pylist():
        expected = FEATURE.compute(read(tmp_path / "corpus" / row["audio"], 16000))
        assert np.array_equal(np.reshape(row["features"], (row["frames"], 40)).astype(np.float32), expected)
        assert row["seconds"] == 0.5


def test_plain_pandas_reads_it_with_no_code_of_ours(make_corpus, tmp_path):
    built(tmp_path / "store", tones=make_corpus(tmp_path / "a"), more=make_corpus(tmp_path / "b"))
    frame = pd.read_parquet(tmp_path / "store" / "mfb40")
    assert frame.groupby("corpus", observed=True).size().to_dict() == {"more": 4, "tones": 4}
    assert frame["features"].iloc[0].reshape(frame["frames"].iloc[0], -1).shape[1] == 40


def test_building_again_computes_nothing(make_corpus, tmp_path):
    manifest = make_corpus(tmp_path / "corpus")
    built(tmp_path / "store", tones=manifest)
    before = content(tmp_path / "store")
    (again,) = built(tmp_path / "store", tones=manifest)
    assert (again.computed, again.reused) == (0, 4)
    assert content(tmp_path / "store") == before


def test_one_changed_recording_is_computed_again_and_no_other(make_corpus, tone, tmp_path):
    manifest = make_corpus(tmp_path / "corpus")
    built(tmp_path / "store", tones=manifest)
    soundfile.write(tmp_path / "corpus" / "2.wav", tone(450), 16000, subtype="PCM_16")
    (again,) = built(tmp_path / "store", tones=manifest)
    assert (again.computed, again.reused) == (1, 3)
    built(tmp_path / "fresh", tones=manifest)
    assert content(tmp_path / "store") == content(tmp_path / "fresh"), "it is what a new store would be"


def test_a_changed_label_computes_nothing_and_is_there(make_corpus, tmp_path):
    manifest = make_corpus(tmp_path / "corpus")
    built(tmp_path / "store", tones=manifest)
    manifest.write_text(manifest.read_text().replace("angry", "bored"))
    (again,) = built(tmp_path / "store", tones=manifest)
    assert (again.computed, again.reused) == (0, 4)
    assert open_store(tmp_path / "store").load("mfb40", ["tones"])["emotion"].to_pylist()[0] == "bored"


def test_adding_a_corpus_keeps_the_others(make_corpus, tmp_path):
    built(tmp_path / "store", first=make_corpus(tmp_path / "a"))
    built(tmp_path / "store", second=make_corpus(tmp_path / "b", (600, 700)))
    store = open_store(tmp_path / "store")
    assert store.corpora("mfb40") == ["first", "second"]
    assert store.load("mfb40", ["second", "first"])["corpus"].to_pylist() == ["second"] * 2 + ["first"] * 4


def test_the_fingerprint_is_the_contents_and_not_the_places(make_corpus, tone, tmp_path):
    prints = []
    for name in ("one", "two"):
        manifest = make_corpus(tmp_path / name)
        built(tmp_path / f"store of {name}", tones=manifest)
        prints.append(open_store(tmp_path / f"store of {name}").fingerprint("mfb40", ["tones"]))
    assert prints[0] == prints[1]
    wave = tone(200)
    wave[100] += 0.001
    soundfile.write(tmp_path / "two" / "0.wav", wave, 16000, subtype="PCM_16")
    built(tmp_path / "store of two", tones=tmp_path / "two" / "corpus.csv")
    assert open_store(tmp_path / "store of two").fingerprint("mfb40", ["tones"]) != prints[0]


def test_what_cannot_be_read_is_quarantined_with_its_reason_and_stops_nothing(make_corpus, tone, tmp_path):
    manifest = make_corpus(tmp_path / "corpus")
    bad = {"empty.wav": b"", "text.wav": b"not audio at all", "missing.wav": None}
    for name, data in bad.items():
        if data is not None:
            (tmp_path / "corpus" / name).write_bytes(data)
    soundfile.write(tmp_path / "corpus" / "click.wav", tone(200, seconds=0.01), 16000)
    lines = "".join(f"{name},s9,male,sad\n" for name in [*bad, "click.wav"])
    manifest.write_text(manifest.read_text() + lines)
    (summary,) = built(tmp_path / "store", tones=manifest)
    assert (summary.utterances, len(summary.quarantined)) == (4, 4)
    rows = open_store(tmp_path / "store").quarantined().to_pylist()
    reasons = {row["audio"]: row["reason"] for row in rows}
    assert reasons["empty.wav"] == "the file is empty"
    assert reasons["missing.wav"] == "there is no such file"
    assert reasons["text.wav"].startswith("no audio that can be decoded")
    assert reasons["click.wav"] == "0.010 s is too short for one frame of mfb40"


def test_a_corpus_of_which_nothing_can_be_read_is_an_error_and_changes_nothing(make_corpus, tmp_path):
    built(tmp_path / "store", good=make_corpus(tmp_path / "a"))
    before = content(tmp_path / "store")
    manifest = make_corpus(tmp_path / "b")
    for file in (tmp_path / "b").glob("*.wav"):
        file.write_bytes(b"")
    with pytest.raises(InputError, match="not one utterance of .* can be read; 0.wav: the file is empty"):
        built(tmp_path / "store", bad=manifest)
    assert content(tmp_path / "store") == before
    assert not (tmp_path / "store.building").exists()


def test_a_store_made_with_other_settings_is_refused_and_building_again_mends_it(make_corpus, tmp_path):
    manifest = make_corpus(tmp_path / "corpus")
    built(tmp_path / "store", tones=manifest)
    file = tmp_path / "store" / "store.json"
    file.write_text(file.read_text().replace('"num_mel_bins": 40', '"num_mel_bins": 23'))
    with pytest.raises(InputError, match="made with mfb40 num_mel_bins = 23, this version has 40; build it again"):
        open_store(tmp_path / "store").load("mfb40", ["tones"])
    file.write_text(file.read_text().replace('"fingerprint": "', '"fingerprint": "other'))
    (again,) = built(tmp_path / "store", tones=manifest)
    assert again.computed == 4
    assert len(open_store(tmp_path / "store").load("mfb40", ["tones"])) == 4


def test_the_store_says_what_it_holds_when_asked_for_something_else(make_corpus, tmp_path):
    built(tmp_path / "store", tones=make_corpus(tmp_path / "corpus"))
    store = open_store(tmp_path / "store")
    with pytest.raises(InputError, match="holds no corpus 'tone'; it holds, nearest first: tones"):
        store.load("mfb40", ["tone"])
    with pytest.raises(InputError, match="holds no feature 'mfb'; it holds, nearest first: mfb40"):
        store.load("mfb", ["tones"])
    with pytest.raises(InputError, match="there is no feature store in .*; make one: python -m data_prep.build"):
        open_store(tmp_path / "nowhere")


def test_a_folder_with_other_things_in_it_is_not_overwritten(make_corpus, tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter1.tex").write_text("precious")
    with pytest.raises(InputError, match="a folder with other things in it, not a feature store"):
        built(tmp_path / "thesis", tones=make_corpus(tmp_path / "corpus"))
    assert (tmp_path / "thesis" / "chapter1.tex").read_text() == "precious"


def test_a_build_killed_between_its_two_renames_is_finished_by_the_next_look(make_corpus, tmp_path):
    built(tmp_path / "store", tones=make_corpus(tmp_path / "corpus"))
    before = content(tmp_path / "store")
    (tmp_path / "store").rename(tmp_path / "store.old")
    (tmp_path / "store.building").mkdir()
    assert open_store(tmp_path / "store").corpora("mfb40") == ["tones"]
    assert content(tmp_path / "store") == before


def test_a_build_that_is_killed_leaves_the_old_store_as_it_was_and_the_next_one_finishes(make_corpus, tmp_path):
    built(tmp_path / "store", tones=make_corpus(tmp_path / "a"))
    before = content(tmp_path / "store")
    manifest = make_corpus(tmp_path / "b", tuple(range(200, 1000)))
    command = [sys.executable, "-m", "data_prep.build", "--corpus", f"more={manifest}", "--store", "store"]
    process = subprocess.Popen(command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, start_new_session=True)
    deadline = time.monotonic() + 120
    while not list((tmp_path / "store.building").glob("mfb40/corpus=more/*")) and time.monotonic() < deadline:
        assert process.poll() is None, "the build ended before it could be killed"
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert content(tmp_path / "store") == before
    built(tmp_path / "store", more=manifest)
    built(tmp_path / "fresh", more=manifest)
    assert content(tmp_path / "fresh").items() <= content(tmp_path / "store").items() | content(tmp_path / "fresh").items()
    assert len(open_store(tmp_path / "store").load("mfb40", ["more"])) == 800
    assert not (tmp_path / "store.building").exists()


def test_a_full_disk_is_said_and_leaves_the_old_store_as_it_was(make_corpus, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(disk)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a small disk can only be mounted by root")
    try:
        built(disk / "store", few=make_corpus(tmp_path / "a", (200, 300)))
        before = content(disk / "store")
        with pytest.raises(InputError, match=r"disk of .* is full; nothing was changed: free some space"):
            built(disk / "store", many=make_corpus(tmp_path / "b", tuple(range(200, 300))))
        assert content(disk / "store") == before
        assert not (disk / "store.building").exists()
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_second_build_at_the_same_store_waits_for_the_first(make_corpus, tmp_path):
    manifest = make_corpus(tmp_path / "corpus")
    lock = building.FileLock(f"{tmp_path / 'store'}.lock")
    lock.acquire()
    command = [sys.executable, "-m", "data_prep.build", "--corpus", f"tones={manifest}", "--store", "store"]
    process = subprocess.Popen(
        command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert "another build is at work on store; waiting for it" in process.stdout.readline()
    assert not (tmp_path / "store").exists()
    lock.release()
    assert process.wait(timeout=120) == 0
    assert len(open_store(tmp_path / "store").load("mfb40", ["tones"])) == 4


def test_real_speech_goes_through(real_corpora, tmp_path):
    (tmp_path / "emodb" / "wav").mkdir(parents=True)
    for file in sorted((real_corpora / "emodb/wav").glob("03*.wav")):
        (tmp_path / "emodb/wav" / file.name).symlink_to(file)
    (summary,) = built(tmp_path / "store", emodb=tmp_path / "emodb")
    table = open_store(tmp_path / "store").load("mfb40", ["emodb"])
    assert summary.utterances == len(table) == 39 and summary.quarantined == []
    seconds, frames = np.array(table["seconds"]), np.array(table["frames"])
    assert np.abs(frames - (100 * seconds - 2)).max() <= 1.0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("emodb", "must be NAME=PATH"),
        ("=there", "must be NAME=PATH"),
        ("emo_db=there", "unknown corpus 'emo_db'; known, nearest first: emodb"),
        ("my/corpus=there.csv", "must be letters, digits"),
    ],
)
def test_a_corpus_argument_that_is_none_is_said(text, message):
    with pytest.raises(InputError, match=message):
        corpus_argument(text)


def test_any_name_goes_with_a_manifest():
    assert corpus_argument("tibetan=/data/tibetan.csv") == ("tibetan", Path("/data/tibetan.csv"))


def test_the_command_prints_one_line_for_a_mistake_and_ends_with_2(tmp_path, capsys):
    status = building.main(["--corpus", f"emodb={tmp_path}", "--store", str(tmp_path / "store")])
    error = capsys.readouterr().err
    assert status == 2 and error.count("\n") == 1 and error.startswith(f"error: emodb: {tmp_path} holds no files")
