"""The store: readable by anyone, and honest about what is in it."""

from __future__ import annotations

import json
import os
import shutil

import numpy as np
import pytest

from data_prep import audio, features
from data_prep.build import build
from data_prep.errors import InputError
from data_prep.store import MANIFEST, SCHEMA, open_store


@pytest.fixture(scope="module")
def built(ray_session, make_lab, tmp_path_factory):
    """A store of ``lab`` (8 utterances) and ``toy`` (3, of which one has no audio; a demo corpus)."""
    folder = tmp_path_factory.mktemp("built")
    toy = make_lab(folder / "toy", 3)
    (toy.folder / "DEMO_CORPUS.txt").touch()
    (toy.folder / "u01.wav").write_bytes(b"")
    lab = make_lab(folder / "lab", 8)
    build(folder / "store", {"toy": toy.manifest, "lab": lab.manifest}, quiet=True)
    return folder


@pytest.fixture
def store(built, tmp_path):
    """A copy of that store, to do things to."""
    shutil.copytree(built / "store", tmp_path / "store")
    return tmp_path / "store"


def change_manifest(store, **changes):
    """Rewrites the manifest's entry of ``lab`` as another build would have left it."""
    manifest = json.loads((store / MANIFEST).read_text())
    manifest["features"]["mfb40"]["lab"].update(changes)
    (store / MANIFEST).write_text(json.dumps(manifest))


def test_rows_come_in_the_order_of_the_corpora_and_by_utterance_id(store):
    table = open_store(store).load("mfb40", ["toy", "lab"])
    assert table.schema.remove(0).equals(SCHEMA)
    assert table["corpus"].to_pylist() == ["toy"] * 2 + ["lab"] * 8
    assert table["utterance_id"].to_pylist() == ["u00", "u02", *(f"u{number:02}" for number in range(8))]
    assert set(table["reader"].to_pylist()) == {"manifest"}


def test_features_are_those_of_the_audio_frame_after_frame(built, store):
    row = open_store(store).load("mfb40", ["lab"]).slice(3, 1).to_pylist()[0]
    waveform, seconds = audio.decode((built / "lab" / "u03.wav").read_bytes(), 16000)
    frames = features.load("mfb40").compute(waveform)
    assert (row["utterance_id"], row["emotion"], row["speaker"]) == ("u03", "sad", "s1")
    assert (row["frames"], row["seconds"]) == (len(frames), seconds)
    np.testing.assert_allclose(np.reshape(row["features"], (row["frames"], -1)), frames, atol=1e-5)


def test_what_was_left_out_is_a_table_with_reasons(store):
    assert open_store(store).quarantined().to_pylist() == [
        {
            "corpus": "toy",
            "reader": "manifest",
            "feature": "mfb40",
            "utterance_id": "u01",
            "audio": "u01.wav",
            "reason": "the file is empty",
        }
    ]


def test_the_manifest_says_what_each_corpus_is(built, store):
    opened = open_store(store)
    assert opened.corpora("mfb40") == ["lab", "toy"]
    assert opened.corpora("other") == []
    assert opened.roots() == {name: str(built / name / "lab.csv") for name in ("lab", "toy")}
    assert [opened.is_demo(names) for names in (["lab"], ["toy"], ["lab", "toy"], [])] == [False, True, True, False]
    entry = opened.entry("mfb40", "toy")
    assert (entry.utterances, entry.quarantined, entry.shards, entry.seconds) == (2, 1, 1, 0.6)


@pytest.mark.parametrize(
    ("feature", "corpus", "message"),
    [
        ("mfb40", "labb", "holds no corpus 'labb'; there, nearest first: lab, toy"),
        ("mfb4", "lab", "holds no feature 'mfb4'; there, nearest first: mfb40"),
    ],
)
def test_what_is_not_in_the_store_is_an_error_that_lists_what_is(store, feature, corpus, message):
    for ask in (open_store(store).load, open_store(store).fingerprint):
        with pytest.raises(InputError, match=message):
            ask(feature, [corpus])


def test_a_folder_without_a_store_is_an_error_that_says_how_to_make_one(tmp_path):
    with pytest.raises(InputError, match=r"no feature store at .*nothing; make one: python -m data_prep\.build"):
        open_store(tmp_path / "nothing")


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"format": 1, "features": {"mfb40": {"lab": {}}}}'])
def test_a_broken_manifest_is_an_error_that_names_it(store, text):
    (store / MANIFEST).write_text(text)
    with pytest.raises(InputError, match=r"store\.json is not a store's manifest"):
        open_store(store)


def test_a_store_of_another_format_is_an_error(store):
    (store / MANIFEST).write_text('{"format": 0}')
    with pytest.raises(InputError, match="has format 0, this version reads 1"):
        open_store(store)


def test_features_made_with_other_settings_are_refused_by_name(store):
    recipe = json.loads((store / MANIFEST).read_text())["features"]["mfb40"]["lab"]["recipe"]
    for changes, message in (
        (
            {"settings": {**recipe["settings"], "dither": 1.0}},
            r"settings\.dither = 1\.0, this version makes it with 0\.0",
        ),
        ({"version": 0}, "version = 0, this version makes it with 1"),
        ({"decoding": {**recipe["decoding"], "resampling": "none"}}, r"decoding\.resampling = 'none'"),
    ):
        change_manifest(store, recipe={**recipe, **changes})
        opened = open_store(store)
        with pytest.raises(InputError, match=rf"{message}.*rebuild it: .*--corpus lab=.* --feature mfb40"):
            opened.load("mfb40", ["lab"])
        assert len(opened.load("mfb40", ["toy"])) == 2


def test_a_store_made_with_another_version_of_a_library_can_be_read(store):
    recipe = json.loads((store / MANIFEST).read_text())["features"]["mfb40"]["lab"]["recipe"]
    change_manifest(store, recipe={**recipe, "libraries": {**recipe["libraries"], "torch": "1.0"}})
    assert len(open_store(store).load("mfb40", ["lab"])) == 8


def test_rows_that_are_missing_are_noticed(store):
    next((store / "mfb40" / "corpus=lab").iterdir()).unlink()
    with pytest.raises(InputError, match="is damaged"):
        open_store(store).load("mfb40", ["lab"])
    change_manifest(store, utterances=9)
    with pytest.raises(InputError, match="is damaged"):
        open_store(store).load("mfb40", ["lab"])


def test_a_cut_off_file_is_noticed(store):
    part = next((store / "mfb40" / "corpus=lab").iterdir())
    part.write_bytes(part.read_bytes()[:-100])
    with pytest.raises(InputError, match="is damaged"):
        open_store(store).load("mfb40", ["lab"])


def test_a_build_that_was_killed_between_its_two_renames_leaves_the_old_store(store):
    before = open_store(store).fingerprint("mfb40", ["lab"])
    building = store.with_name("store.building")
    (building / "1234").mkdir(parents=True)
    os.rename(store, building / "replaced")
    assert open_store(store).fingerprint("mfb40", ["lab"]) == before


def test_the_fingerprint_depends_on_which_corpora_and_not_on_their_order(store):
    fingerprint = open_store(store).fingerprint
    assert fingerprint("mfb40", ["lab", "toy"]) == fingerprint("mfb40", ["toy", "lab"])
    assert len({fingerprint("mfb40", names) for names in (["lab"], ["toy"], ["lab", "toy"])}) == 3
