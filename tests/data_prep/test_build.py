"""Building: only what has changed, all of it or nothing, and one line when it cannot be done."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import weakref
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import soundfile
from filelock import FileLock

from data_prep import audio, features, shards
from data_prep import build as building
from data_prep.build import build, main
from data_prep.datasheet import DATASHEET
from data_prep.errors import InputError
from data_prep.plan import corpus_argument, fingerprint, jobs
from data_prep.store import MANIFEST, open_store

pytestmark = pytest.mark.usefixtures("ray_session")


@pytest.fixture
def store(tmp_path):
    return tmp_path / "store"


def refresh(store, lab):
    """Builds again: (computed, reused, quarantined)."""
    summary = build(store, {"lab": lab.list()}, quiet=True)
    return summary.computed, summary.reused, len(summary.quarantined)


def content(store):
    """Digest of every file of a store but its manifest and data sheet, which hold the time and the command."""
    files = sorted(path for path in store.rglob("*") if path.is_file() and path.name not in (MANIFEST, DATASHEET))
    return {str(path.relative_to(store)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def beside(store):
    """What a build left beside the store."""
    return sorted(path.name for path in store.parent.glob("store*") if path.name != "store.lock")


def row(store, utterance):
    return next(r for r in open_store(store).load("mfb40", ["lab"]).to_pylist() if r["utterance_id"] == utterance)


@pytest.mark.parametrize("small", [0, 8], ids=["on all cores", "by itself"])
def test_what_is_up_to_date_is_not_computed_again(store, lab, monkeypatch, small):
    monkeypatch.setattr(building, "_SMALL", small)
    assert refresh(store, lab) == (8, 0, 0)
    before = (store / MANIFEST).read_text()
    assert refresh(store, lab) == (0, 8, 0)
    assert (store / MANIFEST).read_text() == before
    assert beside(store) == ["store"]


def test_a_small_store_that_is_up_to_date_needs_no_worker(store, lab, monkeypatch):
    refresh(store, lab)
    monkeypatch.setattr(building, "on_all_cores", None)
    assert refresh(store, lab) == (0, 8, 0)


def test_one_file_that_changed_is_the_one_that_is_computed_even_with_its_old_time_and_size(store, lab):
    refresh(store, lab)
    before, time_before = row(store, "u03"), os.stat(lab.folder / "u03.wav")
    lab.record("u03", seed=99)
    os.utime(lab.folder / "u03.wav", ns=(time_before.st_atime_ns, time_before.st_mtime_ns))
    assert os.stat(lab.folder / "u03.wav").st_size == time_before.st_size
    assert refresh(store, lab) == (1, 7, 0)
    assert row(store, "u03")["features"] != before["features"]


def test_a_changed_label_is_written_and_nothing_computed(store, lab):
    refresh(store, lab)
    before = row(store, "u02")
    lab.rows[2]["emotion"] = "fear"
    assert refresh(store, lab) == (0, 8, 0)
    assert row(store, "u02") == {**before, "emotion": "fear"}


def test_renamed_added_and_removed_utterances_leave_the_features_of_the_rest(store, lab):
    refresh(store, lab)
    before = row(store, "u05")["features"]
    lab.rows[5]["utterance_id"] = "a05"
    del lab.rows[0]
    lab.record("new", seed=50)
    lab.add("new")
    assert refresh(store, lab) == (1, 7, 0)
    assert row(store, "a05")["features"] == before


def test_a_file_that_moved_is_where_the_store_says_though_its_content_is_the_same(store, lab):
    refresh(store, lab)
    fingerprint = open_store(store).fingerprint("mfb40", ["lab"])
    lab.rows[6]["audio"] = "moved.wav"
    (lab.folder / "u06.wav").rename(lab.folder / "moved.wav")
    assert refresh(store, lab) == (0, 8, 0)
    assert row(store, "u06")["audio"] == "moved.wav"
    assert open_store(store).fingerprint("mfb40", ["lab"]) == fingerprint


def test_an_incremental_build_gives_the_bytes_of_a_fresh_one(store, lab, tmp_path):
    refresh(store, lab)
    lab.record("u03", seed=99)
    lab.rows[2]["emotion"] = "fear"
    refresh(store, lab)
    refresh(tmp_path / "fresh", lab)
    assert content(store) == content(tmp_path / "fresh")


def test_other_corpora_of_the_store_stay_as_they_are(store, lab, make_lab, tmp_path):
    other = make_lab(tmp_path / "other", 3)
    (other.folder / "u01.wav").unlink()
    build(store, {"other": other.manifest}, quiet=True)
    before = content(store)
    shutil.rmtree(other.folder)
    refresh(store, lab)
    opened = open_store(store)
    assert opened.corpora("mfb40") == ["lab", "other"]
    assert before.items() <= content(store).items()
    assert opened.quarantined()["reason"].to_pylist() == ["there is no such file"]


def test_another_corpus_of_the_store_that_is_damaged_is_not_handed_on(store, lab, make_lab, tmp_path):
    build(store, {"other": make_lab(tmp_path / "other", 3).manifest}, quiet=True)
    part = next((store / "mfb40" / "corpus=other").iterdir())
    part.write_bytes(part.read_bytes()[:-100])
    with pytest.raises(InputError, match=rf"the store {store} is damaged .* mfb40 of other"):
        refresh(store, lab)
    assert beside(store) == ["store"]


def test_the_fingerprint_is_of_the_content_and_not_of_where_it_lies(store, lab, tmp_path):
    refresh(store, lab)
    fingerprint = open_store(store).fingerprint("mfb40", ["lab"])
    shutil.copytree(lab.folder, tmp_path / "elsewhere" / "lab")
    build(tmp_path / "elsewhere" / "s", {"lab": tmp_path / "elsewhere" / "lab" / "lab.csv"}, quiet=True)
    assert open_store(tmp_path / "elsewhere" / "s").fingerprint("mfb40", ["lab"]) == fingerprint
    samples, rate = soundfile.read(lab.folder / "u00.wav", dtype="int16")
    samples[1000] += 1
    soundfile.write(lab.folder / "u00.wav", samples, rate)
    refresh(store, lab)
    changed = open_store(store).fingerprint("mfb40", ["lab"])
    lab.rows[0]["emotion"] = "fear"
    refresh(store, lab)
    assert len({fingerprint, changed, open_store(store).fingerprint("mfb40", ["lab"])}) == 3


def test_the_fingerprint_is_the_same_with_other_versions_of_libraries_which_are_recorded(store, lab):
    refresh(store, lab)
    entry = open_store(store).entry("mfb40", "lab")
    rows = open_store(store).load("mfb40", ["lab"]).drop_columns(["corpus", "features"])
    assert {"torch", "torchaudio", "libsndfile", "soxr"} == entry.recipe["libraries"].keys()
    elsewhere = {**entry.recipe, "libraries": {**entry.recipe["libraries"], "torch": "2.11.0+elsewhere"}}
    assert fingerprint(rows, elsewhere) == entry.fingerprint
    others = [
        {**entry.recipe, "version": 0},
        {**entry.recipe, "settings": {**entry.recipe["settings"], "dither": 1.0}},
        {**entry.recipe, "decoding": {**entry.recipe["decoding"], "version": 0}},
    ]
    assert len({entry.fingerprint, *(fingerprint(rows, other) for other in others)}) == 4


def test_rows_made_with_another_version_of_a_library_are_computed_anew_under_the_same_fingerprint(store, lab):
    refresh(store, lab)
    manifest = json.loads((store / MANIFEST).read_text())
    before = manifest["features"]["mfb40"]["lab"]["fingerprint"]
    manifest["features"]["mfb40"]["lab"]["recipe"]["libraries"]["torch"] = "1.0"
    (store / MANIFEST).write_text(json.dumps(manifest))
    assert refresh(store, lab) == (8, 0, 0)
    assert open_store(store).entry("mfb40", "lab").fingerprint == before


def test_a_store_made_with_other_settings_is_computed_anew(store, lab):
    refresh(store, lab)
    right = content(store)
    manifest = json.loads((store / MANIFEST).read_text())
    manifest["features"]["mfb40"]["lab"]["recipe"]["settings"]["dither"] = 1.0
    (store / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(InputError, match=r"settings\.dither"):
        open_store(store).load("mfb40", ["lab"])
    assert refresh(store, lab) == (8, 0, 0)
    assert len(open_store(store).load("mfb40", ["lab"])) == 8
    assert content(store) == right


def test_a_damaged_shard_is_computed_again(store, lab):
    refresh(store, lab)
    part = next((store / "mfb40" / "corpus=lab").iterdir())
    part.write_bytes(part.read_bytes()[:-100])
    assert refresh(store, lab) == (8, 0, 0)
    assert len(open_store(store).load("mfb40", ["lab"])) == 8


def test_more_utterances_than_a_shard_holds_are_several_files_of_one_order(store, lab):
    lab.rows.clear()
    for number in range(600):
        lab.add(f"n{number:03}", audio=f"u{number % 8:02}.wav")
    assert refresh(store, lab) == (600, 0, 0)
    assert sorted(path.name for path in (store / "mfb40" / "corpus=lab").iterdir()) == [
        "part-00000.parquet",
        "part-00001.parquet",
        "part-00002.parquet",
    ]
    table = open_store(store).load("mfb40", ["lab"])
    assert table["utterance_id"].to_pylist() == [f"n{number:03}" for number in range(600)]
    first = os.stat(store / "mfb40" / "corpus=lab" / "part-00000.parquet")
    lab.rows[500]["emotion"] = "fear"
    assert refresh(store, lab) == (0, 600, 0)
    assert os.path.samestat(first, os.stat(store / "mfb40" / "corpus=lab" / "part-00000.parquet"))


def test_parts_of_one_recording_are_utterances_of_their_own(store, lab):
    lab.record("long", seed=7, seconds=2)
    lab.rows.clear()
    for number in range(4):
        lab.add(f"p{number}", audio="long.wav", start=str(number / 2), end=str((number + 1) / 2))
    lab.add("whole", audio="long.wav")
    assert refresh(store, lab) == (5, 0, 0)
    assert [row(store, name)["seconds"] for name in ("p0", "p3", "whole")] == [0.5, 0.5, 2.0]
    assert row(store, "p0")["features"] != row(store, "p1")["features"]
    np.testing.assert_allclose(row(store, "p0")["features"], row(store, "whole")["features"][: 48 * 40], atol=1e-5)
    lab.rows[1]["end"] = "1.1"
    assert refresh(store, lab) == (1, 4, 0)


def test_files_that_cannot_be_used_are_left_out_with_a_reason_and_the_rest_goes_on(store, lab):
    (lab.folder / "u00.wav").unlink()
    (lab.folder / "u01.wav").write_bytes(b"")
    (lab.folder / "u02.wav").write_text("no audio")
    soundfile.write(lab.folder / "u03.wav", np.full(4000, np.nan), 16000, subtype="FLOAT")
    soundfile.write(lab.folder / "u04.wav", np.linspace(0, 0.1, 320), 16000)
    soundfile.write(lab.folder / "u05.wav", np.zeros(0), 16000)
    assert refresh(store, lab) == (2, 0, 6)
    left_out = open_store(store).quarantined().to_pylist()
    assert {r["utterance_id"]: r["reason"] for r in left_out} == {
        "u00": "there is no such file",
        "u01": "the file is empty",
        "u02": "not audio that can be decoded: format not recognised",
        "u03": "the file holds samples that are not numbers (NaN or infinite)",
        "u04": "20 ms are too short for one frame of mfb40",
        "u05": "the file holds no samples",
    }
    assert open_store(store).load("mfb40", ["lab"])["utterance_id"].to_pylist() == ["u06", "u07"]
    lab.record("u00", seed=0)
    assert refresh(store, lab) == (1, 2, 5)


def test_a_damaged_flac_is_left_out_and_all_the_others_arrive(store, lab):
    for number in range(8):
        samples, rate = soundfile.read(lab.folder / f"u{number:02}.wav", dtype="int16")
        soundfile.write(lab.folder / f"u{number:02}.flac", samples, rate)
        lab.rows[number]["audio"] = f"u{number:02}.flac"
    weeks, half = lab.folder / "u02.flac", lab.folder / "u05.flac"
    content = weeks.read_bytes()
    weeks.write_bytes(content[:21] + b"\xff" * 5 + content[26:])  # of frames, its header says 2^36 - 1
    half.write_bytes(half.read_bytes()[: half.stat().st_size // 2])
    assert refresh(store, lab) == (6, 0, 2)
    reasons = open_store(store).quarantined()["reason"].to_pylist()
    assert reasons[0] == "the file is cut off: its header promises 4294967.30 s, 0.30 s are there"
    assert reasons[1].startswith("the file is cut off or damaged: its header promises 0.30 s, 0.")
    table = open_store(store).load("mfb40", ["lab"])
    assert table["utterance_id"].to_pylist() == ["u00", "u01", "u03", "u04", "u06", "u07"]
    assert table["seconds"].to_pylist() == [0.3] * 6


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (MemoryError(), "MemoryError"),
        (OverflowError("too large"), "OverflowError: too large"),
        (RuntimeError("shapes differ\nat 3"), "RuntimeError: shapes differ"),
        (AttributeError("no 'fbnak'"), "AttributeError: no 'fbnak'"),
    ],
)
def test_an_error_that_nobody_foresaw_leaves_out_its_utterance_and_shows_its_type(monkeypatch, lab, error, reason):
    feature = features.load("mfb40")

    def compute(waveform):
        if len(waveform) == 8000:
            raise error
        return feature.compute(waveform)

    monkeypatch.setattr(features, "load", lambda _: dataclasses.replace(feature, compute=compute))
    lab.record("u03", seed=3, seconds=0.5)
    result = shards.write(shard_of(lab))
    assert [(one.utterance_id, one.reason) for one in result.quarantined] == [("u03", reason)]
    assert result.computed == 7


def test_a_library_that_is_missing_is_no_utterances_fault(monkeypatch, lab):
    def compute(_):
        raise ModuleNotFoundError("No module named 'torchaudio'")

    feature = dataclasses.replace(features.load("mfb40"), compute=compute)
    monkeypatch.setattr(features, "load", lambda _: feature)
    with pytest.raises(ModuleNotFoundError):
        shards.write(shard_of(lab))


@pytest.mark.parametrize("limit", [1, 3000, 1 << 28])
def test_features_beyond_what_a_list_can_count_are_several_row_groups_of_one_file(monkeypatch, lab, limit):
    """0.3 s are 28 frames of 40 values: 256 utterances of an hour would be 3.7e9 values, of which Arrow counts 2^31."""
    monkeypatch.setattr(shards, "VALUES", limit)
    shard = shard_of(lab)
    assert shards.write(shard).computed == 8
    file = pq.ParquetFile(shard.part)
    sizes = [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)]
    assert sizes == {1: [1] * 8, 3000: [2] * 4, 1 << 28: [8]}[limit]
    rows = file.read().to_pylist()
    assert [row["utterance_id"] for row in rows] == [f"u{number:02}" for number in range(8)]
    assert {(row["frames"], len(row["features"])) for row in rows} == {(28, 28 * 40)}


def test_a_worker_holds_no_more_features_than_a_row_group_and_one_utterance(monkeypatch, lab):
    for number, seconds in enumerate([0.3, 1.2, 0.5, 0.3, 0.3, 2.0, 0.4, 0.3]):
        lab.record(f"u{number:02}", number, seconds)
    feature, held, most = features.load("mfb40"), 0, 0

    def let_go(values):
        nonlocal held
        held -= values

    def compute(waveform):
        nonlocal held, most
        computed = feature.compute(waveform)
        weakref.finalize(computed, let_go, computed.size)
        held += computed.size
        most = max(most, held)
        return computed

    monkeypatch.setattr(features, "load", lambda _: dataclasses.replace(feature, compute=compute))
    shard, at_once = shard_of(lab), shard_of(lab, "at_once")
    monkeypatch.setattr(shards, "VALUES", 5000)
    assert shards.write(shard).computed == 8
    # 28 + 118, 48 + 28 + 28, 198, 38 + 28 frames of 40 values: two seconds alone are more than a row group may have
    file = pq.ParquetFile(shard.part)
    assert [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)] == [1, 1, 3, 1, 2]
    assert 198 * 40 < most <= 5000 + 198 * 40 < file.read()["frames"].to_numpy().sum() * 40
    assert held == 0
    monkeypatch.setattr(shards, "VALUES", 1 << 28)
    assert shards.write(at_once).computed == 8
    assert pq.read_table(at_once.part, partitioning=None).equals(file.read())


def test_rows_of_the_old_store_are_lent_from_all_its_row_groups(monkeypatch, lab):
    monkeypatch.setattr(shards, "VALUES", 3000)  # two utterances
    (job,) = jobs({"lab": lab.manifest}, ["mfb40"])
    (before,) = job.shards(None, lab.folder / "before")
    assert shards.write(before).computed == 8
    lab.rows[0]["utterance_id"] = "z"  # the first row is now the last
    del lab.rows[3]
    (job,) = jobs({"lab": lab.list()}, ["mfb40"])
    values = pq.read_table(before.part, columns=shards.ROW_SCHEMA.names, partitioning=None).to_pylist()
    old = [shards.OldRow(part=before.part, number=n, rows=8, values=row) for n, row in enumerate(values)]
    (after,) = job.shards(None, lab.folder / "after")
    result = shards.write(dataclasses.replace(after, old=(tuple(old),) * 7))
    assert (result.computed, result.reused, result.unchanged) == (0, 7, False)
    was = {row["audio"]: row["features"] for row in pq.read_table(before.part, partitioning=None).to_pylist()}
    rows = pq.read_table(after.part, partitioning=None).to_pylist()
    assert [row["utterance_id"] for row in rows] == ["u01", "u02", "u04", "u05", "u06", "u07", "z"]
    assert all(row["features"] == was[row["audio"]] for row in rows)


def shard_of(lab, content="content"):
    (job,) = jobs({"lab": lab.list()}, ["mfb40"])
    (shard,) = job.shards(None, lab.folder / content)
    return shard


def test_a_corpus_of_which_nothing_can_be_used_is_an_error_and_changes_nothing(store, lab):
    refresh(store, lab)
    before = content(store)
    for file in lab.folder.glob("*.wav"):
        file.write_bytes(b"")
    with pytest.raises(
        InputError, match=r"lab: none of its 8 utterances in .* can be used; the first: u00\.wav: .*empty"
    ):
        refresh(store, lab)
    assert content(store) == before
    assert beside(store) == ["store"]


def test_a_folder_that_holds_other_things_is_not_touched(lab, tmp_path):
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(InputError, match="is there and is no feature store"):
        build(tmp_path, {"lab": lab.manifest}, quiet=True)
    with pytest.raises(InputError, match="is there and is no feature store"):
        build(tmp_path / "thesis.tex", {"lab": lab.manifest}, quiet=True)
    assert (tmp_path / "thesis.tex").exists()


def test_a_store_that_cannot_be_written_is_an_error_in_one_line(lab, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="file cannot be written"):
        build(tmp_path / "file" / "store", {"lab": lab.manifest}, quiet=True)


def test_a_second_build_waits_for_the_first_and_says_so(store, lab, capsys):
    first = FileLock(f"{store}.lock")
    first.acquire()
    second = threading.Thread(target=build, args=(store, {"lab": lab.manifest}))
    second.start()
    time.sleep(1)
    assert "another build is writing" in capsys.readouterr().err
    assert not store.exists()
    first.release()
    second.join()
    assert len(open_store(store).load("mfb40", ["lab"])) == 8


@contextlib.contextmanager
def small_disk(folder):
    """A disk of 1 MB, which takes the right to mount one."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("no right to mount a small disk")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_leaves_the_old_store_and_says_what_is_needed(lab, tmp_path, capfd):
    with small_disk(tmp_path / "disk") as disk:
        store = disk / "store"
        assert refresh(store, lab) == (8, 0, 0)
        before = content(store)
        lab.record("long", seed=9, seconds=120)
        for number in range(3):
            lab.add(f"n{number}", audio="long.wav")
        # 3 x 120 s x 100 frames x 40 values x 4 bytes = 5.8 MB, which is what the line must say.
        assert main(["--corpus", f"lab={lab.list()}", "--store", str(store)]) == 2
        error = capfd.readouterr().err.splitlines()[-1]
        assert error.startswith(f"error: no space left on the disk of {store}: about 6 MB are needed, 1 MB are free")
        assert content(store) == before
        assert beside(store) == ["store"]


def start_build(lab, store, utterances):
    """A build in a process of its own, once it has written its first shard."""
    for number in range(utterances):
        lab.add(f"n{number:05}", audio=f"u{number % 8:02}.wav")
    process = subprocess.Popen(
        [sys.executable, "-m", "data_prep.build", "--corpus", f"lab={lab.list()}", "--store", str(store)],
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not list(store.parent.glob("store.building/*/mfb40/*/*.parquet")):
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.002)
    return process


def test_a_build_that_is_killed_leaves_the_old_store_and_the_next_one_goes_on(store, lab, tmp_path):
    refresh(store, lab)
    before = content(store)
    process = start_build(lab, store, 6_000)
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert beside(store) == ["store", "store.building"]
    assert content(store) == before
    del lab.rows[9:]
    assert refresh(store, lab) == (0, 9, 0)  # n00000 is the audio of u00
    assert beside(store) == ["store"]
    refresh(tmp_path / "undisturbed", lab)
    assert content(store) == content(tmp_path / "undisturbed")


def test_ctrl_c_removes_what_was_begun_and_says_one_line(store, lab):
    process = start_build(lab, store, 6_000)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate()
    assert process.returncode == 130
    assert errors.splitlines()[-1].startswith(f"interrupted: nothing was changed in {store}")
    assert "Traceback" not in errors
    assert beside(store) == []


def test_the_command_builds_and_sums_up(store, lab, capsys):
    (lab.folder / "u01.wav").write_bytes(b"")
    command = ["--corpus", f"lab={lab.manifest}", "--store", str(store)]
    assert main(command) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed == [
        "lab mfb40: 7 utterances, 0.00 h; 7 computed, 0 reused, 1 quarantined",
        "  left out: lab u01.wav: the file is empty",
        f"store: {store}",
    ]
    assert main(command) == 0
    assert f"store: {store} (was up to date)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--corpus", "emodb"], "'emodb' must be NAME=PATH"),
        (["--corpus", "emod=there"], "unknown corpus 'emod'; known, nearest first: emodb"),
        (["--corpus", "../up=a.csv"], "corpus name '../up' must be letters"),
        (["--corpus", "a=1.csv", "--corpus", "a=2.csv"], "corpus a is given twice: 1.csv and 2.csv"),
        (["--corpus", "emodb=/nowhere"], "emodb: /nowhere does not exist"),
        (["--corpus", "emodb=/", "--feature", "mfb"], "unknown feature 'mfb'; known, nearest first: mfb40"),
    ],
)
def test_what_cannot_be_meant_is_one_line_and_status_2(store, capsys, arguments, message):
    assert main([*arguments, "--store", str(store)]) == 2
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 1
    assert errors[0].startswith("error: ")
    assert message in errors[0]
    assert not store.exists()


def test_a_cluster_that_is_not_there_is_one_line_and_not_minutes(store, lab):
    arguments = ["--corpus", f"lab={lab.manifest}", "--store", str(store), "--address", "127.0.0.1:9"]
    command = [sys.executable, "-m", "data_prep.build", *arguments]
    ended = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=60)
    assert ended.returncode == 2
    assert len(ended.stderr.splitlines()) == 1
    assert ended.stderr.startswith("error: no Ray cluster answers at '127.0.0.1:9'")
    assert beside(store) == []


def test_a_corpus_is_named_by_its_reader_or_freely_with_a_manifest():
    assert corpus_argument("emodb=/data/a=b") == ("emodb", Path("/data/a=b"))
    assert corpus_argument("lab-2=~/lab.csv") == ("lab-2", Path.home() / "lab.csv")


def test_help_names_the_corpora_and_features(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    printed = capsys.readouterr().out
    for word in ("examples:", "corpora: ", "emodb", "features: ", "mfb40", "quarantine.parquet"):
        assert word in printed


def test_real_emodb_builds_as_it_lies_on_disk(store, real_corpora, tmp_path):
    files = sorted((real_corpora / "emodb" / "wav").glob("*.wav"))[::25]
    (tmp_path / "emodb" / "wav").mkdir(parents=True)
    for file in files:
        (tmp_path / "emodb" / "wav" / file.name).symlink_to(file)
    summary = build(store, {"emodb": tmp_path / "emodb"}, quiet=True)
    assert (summary.computed, len(summary.quarantined)) == (len(files), 0)
    table = open_store(store).load("mfb40", ["emodb"])
    seconds = [soundfile.info(file).duration for file in files]
    assert table["seconds"].to_pylist() == seconds
    # Windows of 25 ms every 10 ms that fit wholly.
    assert table["frames"].to_pylist() == [1 + int((s * 16000 - 400) // 160) for s in seconds]


def test_a_recording_of_many_utterances_is_read_and_digested_once(store, lab, monkeypatch):
    lab.rows.clear()
    lab.record("session", seed=1, seconds=3)
    for number in range(6):
        lab.add(f"p{number}", "session.wav", start=str(number / 2), end=str((number + 1) / 2))
    lab.record("z", seed=2)
    lab.add("z")
    (job,) = jobs({"lab": lab.list()}, ["mfb40"])
    digested, digest = [], audio.digest
    monkeypatch.setattr(audio, "digest", lambda content: digested.append(len(content)) or digest(content))
    (shard,) = job.shards(None, store)
    assert shards.write(shard).computed == 7
    assert digested == [(lab.folder / f"{name}.wav").stat().st_size for name in ("session", "z")]
