"""Features that do not fit into memory: the same numbers out of a file that the store is streamed into."""

from __future__ import annotations

import os
import pickle
import shutil
import signal
import time
import tracemalloc
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
import ray
import torch

from data_prep import features
from data_prep.errors import InputError
from data_prep.places import write_tables
from data_prep.recipes import recipe
from data_prep.store import SCHEMA, Entry, Store, folder, open_store, parts, write_manifest
from trainables.config import TaskConfig
from trainables.data import TaskData
from trainables.loading import Room, load_task, load_tasks, stream
from trainables.streamed import Streamed
from trainables.trainable import train

TASK = TaskConfig(sources=("one", "another"), targets=("other",), protocol="random_80_20_corpus_normalised")
EMOTIONS = "angry bored happy neutral sad".split()  # of which a scheme of four classes has four


def make_store(path: Path, feature: str, longest: int, utterances: int = 50, in_a_group: int = 7) -> Store:
    """A store of three corpora: two files of each, of several row groups, with utterances of 1 to ``longest`` frames."""
    made, shift = recipe(feature), features.load(feature).frame_shift
    entries = {}
    for seed, corpus in enumerate(("another", "one", "other")):
        rng = np.random.default_rng(seed)
        rows = [
            {
                "utterance_id": f"u{number:04}",
                "audio": f"u{number:04}.wav",
                "speaker": f"s{number % 8}",
                "gender": "unknown",
                "language": "und",
                "emotion": EMOTIONS[number % len(EMOTIONS)],
                "reader": "manifest",
                "audio_sha256": f"{corpus} {number}",
                "frames": (frames := int(rng.integers(1, longest + 1))),
                "features": rng.normal(number % 5, 1, size=frames * made["dimensions"]).astype(np.float32),
            }
            for number in range(utterances)
        ]
        folder(path, feature, corpus).mkdir(parents=True)
        for half, some in enumerate((rows[: utterances // 2], rows[utterances // 2 :])):
            groups = [some[first : first + in_a_group] for first in range(0, len(some), in_a_group)]
            tables = [pa.Table.from_pylist(group, SCHEMA) for group in groups]
            write_tables(tables, SCHEMA, folder(path, feature, corpus) / f"part-{half:05}.parquet")
        seconds = sum(row["frames"] for row in rows) * (shift or 0)
        entries[corpus] = Entry(
            reader="manifest",
            root="",
            demo=False,
            recipe=made,
            fingerprint=f"{feature} of {corpus}",
            utterances=utterances,
            seconds=seconds,
            shards=2,
            quarantined=0,
        )
    write_manifest(path, {feature: entries}, "", "")
    return open_store(path)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return make_store(tmp_path / "store", "mfb40", 40)


@pytest.fixture
def nothing_in_memory(tmp_path: Path) -> Room:
    return Room(0, tmp_path / "kept", lambda line: None)


def streamed(data: TaskData) -> Streamed:
    """The source's features, which are not in memory."""
    assert isinstance(data.source.values, Streamed)
    return data.source.values


@pytest.mark.parametrize(
    ("feature", "longest", "why"),
    [("mfb40", 40, "not cut"), ("mfcc13", 200, "cut, and padded later"), ("logmel26", 900, "cut and padded")],
)
def test_what_is_streamed_is_what_memory_holds_bit_for_bit(
    tmp_path, ray_session, nothing_in_memory, feature, longest, why
):
    store = make_store(tmp_path / "store", feature, longest, utterances=12, in_a_group=5)
    task = TaskConfig(sources=TASK.sources, targets=TASK.targets, feature=feature)
    there, here = load_task(store, task), load_task(store, task, nothing_in_memory)
    assert here.source.utterances == there.source.utterances
    np.testing.assert_array_equal(here.source.starts, there.source.starts)
    assert here.source.values.shape == there.source.values.shape
    assert np.asarray(here.source.values).tobytes() == np.asarray(there.source.values).tobytes()
    assert here.source.values[3:9].tobytes() == there.source.values[3:9].tobytes()


def test_a_run_on_what_is_streamed_is_the_run_in_memory_bit_for_bit(store, ray_session, nothing_in_memory, trial):
    config = trial("cnn", epochs=3)
    config = type(config).from_dict({**config.to_dict(), "task": {**config.to_dict()["task"], **vars(TASK)}})
    in_memory, read = (train(config, load_task(store, TASK, room)) for room in (None, nothing_in_memory))
    assert all(torch.equal(in_memory.weights[name], read.weights[name]) for name in in_memory.weights)
    drop = {"train_seconds": 0, "seconds": 0}
    assert {**in_memory.metrics, **drop} == {**read.metrics, **drop}
    assert in_memory.metrics["epochs_run"] == 3


def test_the_largest_is_streamed_the_rest_is_in_memory_and_the_user_is_told(store, tmp_path):
    frames = {corpus: store.rows(corpus)["frames"].to_numpy().sum() for corpus in ("one", "another", "other")}
    one, pool = (160 * sum(frames[name] for name in names) for names in (("other",), ("one", "another")))
    said: list[str] = []
    data = load_task(store, TASK, Room(one + pool - 1000, tmp_path / "kept", said.append))
    assert isinstance(data.target.values, np.ndarray)
    assert not streamed(data).path.exists(), "what is only planned is not written"
    (line,) = said
    assert line == (
        f"mfb40 of one+another: {pool / 2**30:.3g} GiB do not fit into {(pool - 1000) / 2**30:.3g} GiB of memory: "
        f"streamed from the store, kept in {tmp_path / 'kept'}"
    )
    assert isinstance(load_task(store, TASK, Room(one + pool + 1000, tmp_path, said.append)).source.values, np.ndarray)
    assert len(said) == 1


def test_tasks_share_what_they_have_in_common(store):
    others = TaskConfig(sources=("other",), targets=("one",))
    data = load_tasks(store, [TASK, TaskConfig(sources=TASK.sources, targets=TASK.targets, max_frames=9), others])
    first, second, third = data.values()
    assert first is second, "what cuts utterances in the batch alone leaves them as they are"
    assert third.source is first.target


def test_it_travels_as_a_recipe_and_is_written_where_it_is_needed(store, ray_session, nothing_in_memory):
    data = load_task(store, TASK, nothing_in_memory)
    assert len(pickle.dumps(data)) < streamed(data).nbytes / 5

    @ray.remote(num_cpus=2)  # all that there are
    def total(data):
        assert not data.source.values.path.exists()
        return float(np.asarray(data.source.values).sum(dtype=np.float64))

    expected = load_task(store, TASK).source.values
    assert ray.get(total.remote(data), timeout=120) == float(np.asarray(expected).sum(dtype=np.float64))
    written = streamed(data).path.stat().st_mtime_ns
    assert streamed(data)[0:2].tobytes() == expected[0:2].tobytes()
    assert len(pickle.dumps(data)) < streamed(data).nbytes / 5, "neither does what has been read of it travel"
    again = streamed(load_task(store, TASK, nothing_in_memory))
    again.write()
    assert again.path.stat().st_mtime_ns == written, "a later launch finds it"
    os.truncate(again.path, 100)
    assert np.asarray(again).tobytes() == expected.tobytes(), "and writes it again where it is not whole"


def test_what_is_killed_while_it_streams_leaves_nothing_that_is_used(store, ray_session, nothing_in_memory):
    values = streamed(load_task(store, TASK, nothing_in_memory))

    @ray.remote(num_cpus=0)
    class Victim:
        def pid(self):
            return os.getpid()

        def write(self, values):
            values.write()

    victim = Victim.remote()
    pid = ray.get(victim.pid.remote())
    writing = victim.write.remote(values)
    beside = values.path.with_suffix(".part")
    deadline = time.monotonic() + 60
    while not beside.exists():
        assert time.monotonic() < deadline
        time.sleep(0.005)
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(ray.exceptions.RayActorError):
        ray.get(writing)
    assert beside.exists() and not values.path.exists()
    assert np.asarray(values).tobytes() == np.asarray(load_task(store, TASK).source.values).tobytes()
    assert not beside.exists()


def test_a_disk_without_room_is_said_before_anything_is_written(store, nothing_in_memory, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=1234))
    data = load_task(store, TASK, nothing_in_memory)
    needed = streamed(data).nbytes
    with pytest.raises(InputError, match=rf"mfb40 of one\+another needs {needed} bytes in .*kept, where 1234 are free"):
        stream([data])
    assert [path.suffix for path in nothing_in_memory.folder.iterdir()] == [".lock"]


def test_a_store_that_is_rebuilt_meanwhile_is_not_taken_for_the_old_one(store, ray_session, nothing_in_memory):
    data = load_task(store, TASK, nothing_in_memory)
    (damaged, *_) = parts(store.path, "mfb40", "one")
    shutil.copy(parts(store.path, "mfb40", "another")[0], damaged)
    with pytest.raises(
        InputError, match=r"part-00000.parquet cannot be streamed to .*: .* other utterances than it did"
    ):
        stream([data])
    shutil.rmtree(store.path)
    make_store(store.path, "mfb40", 30)
    with pytest.raises(InputError, match="damaged or was rebuilt just now"):
        stream([data])
    assert [path.suffix for path in nothing_in_memory.folder.iterdir()] == [".lock"]


def test_a_worker_holds_a_row_group_at_a_time_however_many_there_are(tmp_path, nothing_in_memory):
    store = make_store(tmp_path / "store", "mfb40", 200, utterances=400, in_a_group=10)
    values = streamed(load_task(store, TASK, nothing_in_memory))
    nothing_in_memory.folder.mkdir()
    values.path.with_suffix(".part").touch()
    arrow, usual = pa.proxy_memory_pool(pa.default_memory_pool()), pa.default_memory_pool()
    pa.set_memory_pool(arrow)
    tracemalloc.start()
    try:
        count = values.write_part("one", parts(store.files, "mfb40", "one")[0])
        peak = tracemalloc.get_traced_memory()[1] + arrow.max_memory()
    finally:
        tracemalloc.stop()
        pa.set_memory_pool(usual)
    assert count == 160
    assert peak < 160 * store.rows("one")["frames"].to_numpy()[:200].sum() / 2, "half of the file"
