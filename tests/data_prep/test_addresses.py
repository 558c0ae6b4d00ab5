"""Stores and corpora at addresses: what is promised of folders holds on an object store, here a local S3 server."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import boto3
import fsspec
import numpy as np
import pytest
import soundfile
from moto.server import ThreadedMotoServer

import data_prep
from data_prep import audio, generations, places, shards
from data_prep import build as command
from data_prep.build import build, main
from data_prep.datasheet import DATASHEET
from data_prep.errors import InputError
from data_prep.inspect import inspect
from data_prep.places import Address, Unreachable, place
from data_prep.plan import corpus_argument, corpus_at, jobs
from data_prep.store import MANIFEST, open_store

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def server():
    """An S3 server, where the environment says."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    names = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "tester",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in names.items():
            patch.setenv(name, value)
        yield
    server.stop()


class Bucket:
    """A bucket, seen with Amazon's own library."""

    def __init__(self, name: str) -> None:
        self.name, self._client = name, boto3.client("s3")
        self._client.create_bucket(Bucket=name)

    def keys(self, below: str = "") -> list[str]:
        """Its objects, but the empty ones that stand for folders."""
        listed = self._client.list_objects_v2(Bucket=self.name, Prefix=below).get("Contents", [])
        return sorted(item["Key"] for item in listed if not item["Key"].endswith("/"))

    def read(self, key: str) -> bytes:
        return self._client.get_object(Bucket=self.name, Key=key)["Body"].read()

    def write(self, key: str, content: bytes) -> None:
        self._client.put_object(Bucket=self.name, Key=key, Body=content)

    def upload(self, folder: Path, below: str) -> Address:
        for file in (path for path in folder.rglob("*") if path.is_file()):
            self.write(f"{below}/{file.relative_to(folder).as_posix()}", file.read_bytes())
        return Address(f"s3://{self.name}/{below}")

    def delete(self, key: str) -> None:
        self._client.delete_object(Bucket=self.name, Key=key)


@pytest.fixture
def bucket(server, request):
    """A bucket of the test's own."""
    return Bucket("b" + "".join(sign for sign in request.node.name.lower() if sign.isalnum())[:60])


@pytest.fixture
def store(bucket):
    return Address(f"s3://{bucket.name}/stores/mine")


@pytest.fixture
def in_process(monkeypatch):
    """Shards are computed here, one after another: whatever happens at a step happens in this process."""
    monkeypatch.setattr(command, "connected", lambda address: contextlib.nullcontext())
    monkeypatch.setattr(command, "on_all_cores", lambda todo: (shards.write(shard) for shard in todo))


def below(folder):
    """The files of a folder by their paths in it, but the two that hold the time of the build."""
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return {name: content for name, content in files.items() if name not in (MANIFEST, DATASHEET)}


def content(bucket, store):
    """The same of the store that is at an address; nothing may lie beside its one content."""
    key = store.text.removeprefix(f"s3://{bucket.name}/")
    named = json.loads(bucket.read(f"{key}/{MANIFEST}"))["content"]
    assert [name for name in bucket.keys(key) if not name.startswith(f"{key}/{named}/")] == [f"{key}/{MANIFEST}"]
    files = {name.removeprefix(f"{key}/{named}/"): bucket.read(name) for name in bucket.keys(f"{key}/{named}/")}
    return {name: content for name, content in files.items() if name not in (MANIFEST, DATASHEET)}


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-m", *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=250,
    )


def test_the_commands_build_at_an_address_what_they_build_in_a_folder_and_a_sweep_reads_it(
    bucket, store, make_lab, tmp_path
):
    names = [
        f"{who}a0{text}{emotion}a" for who in ("03", "08", "09", "10", "11") for text in "12" for emotion in "WFTN"
    ]
    wav = tmp_path / "emodb" / "wav"
    wav.mkdir(parents=True)
    for number, name in enumerate(names):
        soundfile.write(wav / f"{name}.wav", np.random.default_rng(100 + number).normal(0, 0.1, 8000), 16000)
    (wav / "16a01Wa.wav").write_bytes(b"")
    make_lab(tmp_path / "lab", 16)
    corpora = {
        "emodb": bucket.upload(tmp_path / "emodb", "emodb"),
        "lab": bucket.upload(tmp_path / "lab", "lab") / "lab.csv",
    }
    built = run("data_prep.build", *(f"--corpus={name}={root}" for name, root in corpora.items()), "--store", store)
    assert built.returncode == 0, built.stderr
    assert "16a01Wa.wav: the file is empty" in built.stdout
    here = [f"--corpus=emodb={tmp_path / 'emodb'}", f"--corpus=lab={tmp_path / 'lab' / 'lab.csv'}"]
    built = run("data_prep.build", *here, "--store", tmp_path / "store")
    assert built.returncode == 0, built.stderr
    assert content(bucket, store) == below(tmp_path / "store")

    opened, local = data_prep.open(str(store)), data_prep.open(tmp_path / "store")
    assert opened.roots() == {name: str(root) for name, root in corpora.items()}
    assert opened.fingerprint("mfb40", ["emodb"]) == local.fingerprint("mfb40", ["emodb"])
    assert opened.rows().equals(local.rows()) and len(opened.rows()) == 40 + 16
    assert opened.load("mfb40", ["lab", "emodb"]).equals(local.load("mfb40", ["lab", "emodb"]))
    assert np.array_equal(opened.features("emodb")["03a01Wa"], local.features("emodb")["03a01Wa"])
    assert opened.quarantined().equals(local.quarantined()) and opened.summary().equals(local.summary())
    assert f"Read from `{corpora['emodb']}`" in bucket.read(f"stores/mine/{opened.files.name}/{DATASHEET}").decode()

    task = ("--cells=full/*", "--source", "emodb", "--target", "lab", "--runs", tmp_path / "runs")
    swept = run("orchestrator.sweep", "ablation_addi", "--dry-run", "--preset=smoke", *task, "--store", store)
    assert swept.returncode == 0, swept.stderr
    assert "full/emodb-lab" in swept.stdout + swept.stderr


@pytest.mark.usefixtures("in_process")
def test_only_what_has_changed_is_computed_and_the_store_is_that_of_a_folder(bucket, store, lab, tmp_path):
    def refresh(at, root):
        summary = build(at, {"lab": root}, quiet=True)
        return summary.computed, summary.reused, summary.changed

    def at_address():
        return bucket.upload(lab.folder, "lab") / "lab.csv"

    assert refresh(store, at_address()) == (8, 0, True)
    manifest = bucket.read("stores/mine/store.json")
    assert refresh(store, at_address()) == (0, 8, False)
    assert bucket.read("stores/mine/store.json") == manifest
    lab.record("u03", seed=99)
    assert refresh(store, at_address()) == (1, 7, True)
    bucket.delete("lab/u05.wav")
    (lab.folder / "u05.wav").unlink()
    assert refresh(store, at_address()) == (0, 7, True)
    assert open_store(store).quarantined()["reason"].to_pylist() == ["there is no such file"]
    build(store, {"other": lab.manifest}, quiet=True)  # from a folder; lab is kept
    for name in ("lab", "other"):
        build(tmp_path / "store", {name: lab.manifest}, quiet=True)
    assert content(bucket, store) == below(tmp_path / "store")


@pytest.mark.usefixtures("in_process")
def test_a_folders_store_that_was_copied_to_an_address_is_one_and_a_build_leaves_nothing_of_it(bucket, lab, tmp_path):
    build(tmp_path / "store", {"lab": lab.manifest}, quiet=True)
    store = bucket.upload(tmp_path / "store", "copied")
    assert open_store(store).rows().equals(open_store(tmp_path / "store").rows())
    assert not build(store, {"lab": lab.manifest}, quiet=True).changed
    lab.rows[0]["emotion"] = "fear"
    summary = build(store, {"lab": lab.list()}, quiet=True)
    assert (summary.computed, summary.reused) == (0, 8)
    assert open_store(store).rows()["emotion"][0].as_py() == "fear"
    assert sorted(content(bucket, store)) == ["mfb40/corpus=lab/part-00000.parquet", "quarantine.parquet"]


class Killed(BaseException):
    """Stands for the end of the process: nothing that it does afterwards changes anything."""


def kill_at(step, patch):
    """From the ``step``-th change to the object store on, none is made any more."""
    taken = 0

    def dying(change):
        def work(*arguments, **options):
            nonlocal taken
            if threading.current_thread() is threading.main_thread():
                taken += 1
            if taken >= step:
                raise Killed if threading.current_thread() is threading.main_thread() else OSError("killed")
            return change(*arguments, **options)

        return work

    for name in ("write_text", "copy", "remove"):
        patch.setattr(Address, name, dying(getattr(Address, name)))
    patch.setattr(shards, "write_tables", dying(places.write_tables))
    patch.setattr(command, "write_table", dying(places.write_table))


@pytest.mark.usefixtures("in_process")
def test_a_build_that_is_killed_at_any_step_leaves_a_whole_store_and_the_next_one_finishes_it(
    bucket, store, lab, monkeypatch
):
    monkeypatch.setattr(generations, "BEAT", 0.1)
    monkeypatch.setattr(generations, "DEAD", 0.5)
    build(store, {"lab": lab.manifest, "other": lab.manifest}, quiet=True)
    was = content(bucket, store)
    start = {key: bucket.read(key) for key in bucket.keys("stores/")}
    lab.rows[2]["emotion"] = "fear"
    build(store, {"lab": lab.list()}, quiet=True)
    right = content(bucket, store)
    outcomes = []
    for step in range(1, 100):
        for key in bucket.keys("stores/"):
            bucket.delete(key)
        for key, held in start.items():
            bucket.write(key, held)
        with pytest.MonkeyPatch.context() as patch:
            kill_at(step, patch)
            try:
                build(store, {"lab": lab.manifest}, quiet=True)
                break
            except Killed:
                pass
        found = open_store(store).load("mfb40", ["lab", "other"])["emotion"].to_pylist()
        outcomes.append(found[2])
        assert found[2] in ("neutral", "fear") and len(found) == 16
        build(store, {"lab": lab.manifest}, quiet=True)
        assert content(bucket, store) == right != was
        assert bucket.keys("stores/mine.building") == []
    # claim, part, its neighbour's copy, quarantine, manifest and data sheet of the content; then the manifest that counts
    assert outcomes == sorted(outcomes, reverse=True) and outcomes.count("neutral") >= 6 and outcomes.count("fear") >= 2


@pytest.mark.usefixtures("in_process")
def test_builds_of_one_store_at_once_all_arrive(bucket, store, lab, monkeypatch):
    monkeypatch.setattr(generations, "BEAT", 0.5)
    failed = []

    def work(names):
        try:
            for name in names:
                build(store, {name: lab.manifest}, quiet=True)
        except BaseException as error:
            failed.append(error)

    builds = [threading.Thread(target=work, args=([f"{letter}{number}" for number in range(2)],)) for letter in "abc"]
    for one in builds:
        one.start()
    for one in builds:
        one.join()
    assert failed == []
    assert open_store(store).corpora("mfb40") == [f"{letter}{number}" for letter in "abc" for number in range(2)]
    assert len(content(bucket, store)) == 6 + 1


def test_a_second_build_waits_while_the_first_lives_and_says_so(store, monkeypatch):
    monkeypatch.setattr(generations, "BEAT", 0.1)
    monkeypatch.setattr(generations, "DEAD", 1.5)
    said, entered = [], []

    def second():
        with generations.locked(store, said.append):
            entered.append(time.monotonic())

    with generations.locked(store):
        waiting = threading.Thread(target=second)
        waiting.start()
        time.sleep(3)  # longer than a claim that nobody renews would last
        assert not entered and len(said) == 1 and str(store) in said[0]
        left = time.monotonic()
    waiting.join(timeout=30)
    assert entered and entered[0] >= left


def test_a_build_that_stood_still_changes_nothing(store, monkeypatch):
    monkeypatch.setattr(generations, "DEAD", 1)
    with generations.locked(store) as check:
        check()
        time.sleep(1.5)  # the next beat is seconds away
        with pytest.raises(InputError, match="another may have begun; nothing was changed"):
            check()


@pytest.mark.usefixtures("in_process")
def test_a_build_that_lost_its_claim_leaves_alone_what_the_next_one_writes(bucket, store, lab, monkeypatch):
    build(store, {"lab": lab.manifest}, quiet=True)
    before = bucket.keys("stores/mine/")
    other = f"stores/mine/content-{'0' * 32}/quarantine.parquet"
    monkeypatch.setattr(generations, "DEAD", 1)

    def slowly(todo):
        for shard in todo:
            yield shards.write(shard)
        time.sleep(1.5)
        bucket.write(other, b"of the next build")

    monkeypatch.setattr(command, "on_all_cores", slowly)
    lab.rows[0]["emotion"] = "fear"
    with pytest.raises(InputError, match="could not hold on to"):
        build(store, {"lab": lab.list()}, quiet=True)
    assert bucket.keys("stores/mine/") == sorted([*before, other])


@pytest.mark.usefixtures("in_process")
def test_a_service_that_fails_ends_the_build_and_quarantines_nothing(bucket, store, lab, monkeypatch):
    root = bucket.upload(lab.folder, "lab") / "lab.csv"
    build(store, {"lab": root}, quiet=True)
    before = content(bucket, store)
    lab.rows[0]["emotion"] = "fear"
    root = bucket.upload(lab.list().parent, "lab") / "lab.csv"
    read = Address.read_bytes

    def failing(self):
        if self.name == "u04.wav":
            raise Unreachable(f"{self} cannot be read: the network is down")
        return read(self)

    monkeypatch.setattr(Address, "read_bytes", failing)
    with pytest.raises(InputError, match=r"u04.wav cannot be read: the network is down \(nothing was changed"):
        build(store, {"lab": root}, quiet=True)
    monkeypatch.undo()
    assert content(bucket, store) == before and open_store(store).quarantined().num_rows == 0


def test_mistakes_are_one_line(bucket, store, lab):
    for text, said in (
        ("emodb=s3://", "is no address that can be used; expected one such as s3://bucket/folder"),
        ("emodb=s3://bucket/emodb?region=eu", "endpoint and credentials in the environment"),
    ):
        with pytest.raises(InputError, match=said):
            corpus_argument(text)
    for root, said in (
        (Address(f"s3://{bucket.name}/nothing"), "emodb: there is nothing at s3://"),
        (Address("nosuch://bucket/emodb"), "nosuch://bucket cannot be opened"),
        (bucket.upload(lab.folder, "lab"), f"emodb: s3://{bucket.name}/lab holds no files such as 03a01Fa.wav"),
    ):
        with pytest.raises(InputError, match=said):
            jobs({"emodb": root}, ["mfb40"])
    with pytest.raises(InputError, match="there is no feature store at s3://"):
        open_store(store)
    for at, said in (
        (Address(f"s3://{bucket.name}"), "is a whole bucket"),
        (bucket.upload(lab.folder, "x"), "no feature store"),
    ):
        with pytest.raises(InputError, match=said):
            build(at, {"lab": lab.manifest}, quiet=True)
    assert main(["--corpus", f"lab={lab.manifest}", "--store", "s3://no-such-bucket-here/store"]) == 2
    assert bucket.keys("x") == sorted(f"x/{path.name}" for path in lab.folder.iterdir())


def test_nothing_but_labels_is_fetched_to_read_a_corpus_with_label_files(bucket, tmp_path, monkeypatch):
    """Two ratings of 0.2 and 0.4 at 0.04 s and of 0.6 and 0.8 at 1.04 s: means 0.3 and 0.7."""
    session = tmp_path / "RECOLA"
    for folder in ("RECOLA-Audio_timings", "RECOLA-Audio-recordings"):
        (session / folder).mkdir(parents=True)
    (session / "RECOLA-Audio_timings" / "P16.csv").write_text("0;1\n1;2\n")
    (session / "RECOLA-Audio-recordings" / "P16.wav").write_bytes(b"never opened")
    for dimension in ("arousal", "valence"):
        file = session / "RECOLA-Annotation" / "emotional_behaviour" / dimension / "P16.csv"
        file.parent.mkdir(parents=True)
        file.write_text("time;FM1 ;FM2 \n0.04;0.2;0.4\n1.04;0.6;0.8\n")
    root = bucket.upload(session, "RECOLA")
    fetched, read = [], Address.read_bytes
    monkeypatch.setattr(Address, "read_bytes", lambda self: fetched.append(self.name) or read(self))
    (job,) = jobs({"recola": root}, ["mfb40"])
    (local,) = jobs({"recola": session}, ["mfb40"])
    assert job.utterances == local.utterances and job.root == root
    assert [round(one.arousal, 6) for one in job.utterances] == [0.3, 0.7]
    assert fetched == ["P16.csv"] * 3


def test_a_second_file_of_an_utterance_is_compared_where_it_lies(bucket, monkeypatch):
    """A reader sees empty files in place of audio, which are all the same."""
    for folder, content in {"": b"one", "a copy/": b"one", "another/": b"two"}.items():
        bucket.write(f"tess/{folder}OAF_back_sad.wav", content)
    address = place(f"s3://{bucket.name}/tess")
    (utterance,), (one,) = corpus_at("tess", address)
    assert (utterance.audio, one.audio) == ("OAF_back_sad.wav", "another/OAF_back_sad.wav")
    assert one.reason == "OAF_back_sad.wav was taken for this utterance, and this file is no copy of it"

    def down(self):
        raise Unreachable(f"{self} cannot be read: the network is down")

    monkeypatch.setattr(Address, "read_bytes", down)
    with pytest.raises(InputError, match=r"OAF_back_sad\.wav cannot be read: the network is down"):
        corpus_at("tess", address)


@pytest.mark.usefixtures("in_process")
def test_whatever_fsspec_opens_is_an_address(lab, tmp_path):
    memory = fsspec.filesystem("memory")
    memory.put(f"{lab.folder}/", "/lab", recursive=True)
    build(place("memory://stores/mine"), {"lab": place("memory://lab/lab.csv")}, quiet=True)
    build(place("memory://stores/mine"), {"other": place("memory://lab/lab.csv")}, quiet=True)
    build(tmp_path / "store", {"lab": lab.manifest, "other": lab.manifest}, quiet=True)
    opened = data_prep.open("memory://stores/mine")
    assert opened.rows("lab", "other").equals(open_store(tmp_path / "store").rows("lab", "other"))
    assert len(memory.ls("/stores/mine")) == 2 and not memory.exists("/stores/mine.building")


def test_a_corpus_at_an_address_is_inspected_as_one_in_a_folder_is(bucket, lab):
    (lab.folder / "u02.wav").unlink()
    (lab.folder / "u03.wav").write_bytes(b"no audio")
    here, there = inspect("lab", lab.manifest), inspect("lab", bucket.upload(lab.folder, "lab") / "lab.csv")
    assert str(there).replace(str(there.root), str(here.root)) == str(here)
    assert (there.files, there.lost, there.unreadable["u02.wav"]) == (6, 2, "there is no such file")


def test_a_manifest_that_is_written_anew_while_it_is_read_is_not_read_in_part(bucket, monkeypatch):
    bucket.write("store.json", b"much longer")
    read, parts = Address.read_bytes, [b"much "]  # as many bytes as the old one had
    monkeypatch.setattr(Address, "read_bytes", lambda self: parts.pop() if parts else read(self))
    assert Address(f"s3://{bucket.name}/store.json").read_text() == "much longer"


def test_names_may_hold_signs_that_addresses_may_not(bucket):
    bucket.write("a folder/Überraschung 100% #1.wav", b"sound")
    folder = place(f"s3://{bucket.name}/a folder/")
    assert folder.files() == ["Überraschung 100% #1.wav"]
    assert audio.read(places.within(folder, "Überraschung 100% #1.wav")) == b"sound"
    assert places.within(folder, "/data/a.wav") == Path("/data/a.wav")
    assert places.within(Path("/data"), f"{folder}/a.wav") == folder / "a.wav"
    assert place("file:///data/a") == Path("/data/a")
