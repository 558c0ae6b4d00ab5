"""A store in a notebook: with two lines of this code, or with none of it, as ``docs/feature_store.md`` says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import polars
import pyarrow.dataset as ds
import pytest

import data_prep
from data_prep import audio, features
from data_prep.build import build
from data_prep.errors import InputError
from data_prep.store import QUARANTINE_SCHEMA, ROW_SCHEMA, SCHEMA

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "feature_store.md").read_text()


@pytest.fixture(scope="module")
def built(ray_session, make_lab, tmp_path_factory):
    """``stores/mine`` of ``lab`` (8 utterances) and ``toy`` (3, of which one has no audio; a demo corpus)."""
    folder = tmp_path_factory.mktemp("open")
    toy = make_lab(folder / "toy", 3)
    (toy.folder / "DEMO_CORPUS.txt").touch()
    (toy.folder / "u01.wav").write_bytes(b"")
    toy.rows[2]["emotion"] = ""
    lab = make_lab(folder / "lab", 8)
    build(folder / "stores" / "mine", {"toy": toy.list(), "lab": lab.manifest}, quiet=True)
    return folder


@pytest.fixture
def notebook(built):
    """Runs the block of the document that holds some text, on that store; returns the block's names."""

    def run(text: str) -> dict[str, object]:
        (block,) = (found for found in re.findall(r"```python\n(.*?)```", DOCUMENT, re.DOTALL) if text in found)
        names: dict[str, object] = {}
        exec(block.replace("stores/mine", str(built / "stores" / "mine")), names)
        return names

    return run


@pytest.fixture
def store(built):
    return data_prep.open(built / "stores" / "mine")


def expected(built, corpus, utterance):
    """An utterance's features and length, computed again from its audio."""
    waveform, seconds = audio.decode((built / corpus / f"{utterance}.wav").read_bytes(), 16000)
    return features.load("mfb40").compute(waveform), seconds


def test_a_notebook_opens_a_store_in_two_lines(notebook):
    assert notebook("data_prep.open")["store"].corpora("mfb40") == ["lab", "toy"]


def test_opening_what_is_no_store_says_how_to_make_one(tmp_path):
    with pytest.raises(InputError, match=r"no feature store at .*; make one: python -m data_prep\.build"):
        data_prep.open(str(tmp_path / "nothing"))


def test_importing_the_package_loads_no_library():
    code = "import sys, data_prep; print({'pyarrow', 'numpy', 'torch', 'ray'} & set(sys.modules))"
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ended.stdout == "set()\n"


def test_rows_are_all_columns_but_the_features(store):
    rows = store.rows()
    assert rows.column_names == ["corpus", *ROW_SCHEMA.names]
    assert rows["corpus"].to_pylist() == ["lab"] * 8 + ["toy"] * 2
    assert store.rows("toy", "lab")["corpus"].to_pylist() == ["toy"] * 2 + ["lab"] * 8
    assert store.rows("toy")["utterance_id"].to_pylist() == ["u00", "u02"]
    assert store.rows("toy")["emotion"].to_pylist() == ["angry", None]


def test_features_of_an_utterance_are_those_of_its_audio(built, store):
    frames, _ = expected(built, "lab", "u03")
    found = store.features("lab")["u03"]
    assert (found.shape, found.dtype) == (frames.shape, np.float32)
    np.testing.assert_allclose(found, frames, atol=1e-5)


def test_features_of_a_corpus_come_by_utterance_in_the_order_of_its_rows(store):
    found = store.features("lab")
    rows = store.rows("lab")
    assert len(found) == 8
    assert list(found) == rows["utterance_id"].to_pylist()
    assert [len(frames) for frames in found.values()] == rows["frames"].to_pylist()
    with pytest.raises(KeyError, match="u08"):
        found["u08"]


def test_features_of_several_files_are_found_in_theirs(ray_session, make_lab, tmp_path):
    lab = make_lab(tmp_path / "lab", 8)
    lab.rows.clear()
    for number in range(300):
        lab.add(f"n{number:03}", audio=f"u{number % 8:02}.wav")
    build(tmp_path / "store", {"lab": lab.list()}, quiet=True)
    found = data_prep.open(tmp_path / "store").features("lab")
    assert len(found) == 300
    for number in (299, 0, 255, 256):
        frames, _ = expected(tmp_path, "lab", f"u{number % 8:02}")
        np.testing.assert_allclose(found[f"n{number:03}"], frames, atol=1e-5)


def test_the_summary_counts_what_is_there(store):
    assert store.summary().to_pylist() == [
        {
            "feature": "mfb40",
            "corpus": "lab",
            "utterances": 8,
            "hours": pytest.approx(8 * 0.3 / 3600),
            "speakers": 2,
            "languages": ["und"],
            "classes": ["angry", "happy", "neutral", "sad"],
            "quarantined": 0,
            "demo": False,
        },
        {
            "feature": "mfb40",
            "corpus": "toy",
            "utterances": 2,
            "hours": pytest.approx(2 * 0.3 / 3600),
            "speakers": 1,
            "languages": ["und"],
            "classes": ["angry"],
            "quarantined": 1,
            "demo": True,
        },
    ]


@pytest.mark.parametrize("ask", ["rows", "features"])
def test_a_corpus_that_is_not_there_is_an_error_that_lists_what_is(store, ask):
    with pytest.raises(InputError, match="holds no corpus 'labb'; there, nearest first: lab, toy"):
        getattr(store, ask)("labb")


def test_of_several_features_one_must_be_named(store):
    several = type(store)(store.path, {**store.entries, "other": {}})
    with pytest.raises(InputError, match="holds several features; say which: mfb40, other"):
        several.rows()
    assert len(several.rows(feature="mfb40")) == 10


def test_a_store_that_was_rebuilt_meanwhile_is_an_error(ray_session, make_lab, tmp_path):
    lab = make_lab(tmp_path / "lab", 2)
    build(tmp_path / "store", {"lab": lab.manifest}, quiet=True)
    found = data_prep.open(tmp_path / "store").features("lab")
    next((tmp_path / "store" / "mfb40" / "corpus=lab").iterdir()).unlink()
    with pytest.raises(InputError, match="is damaged or was rebuilt just now"):
        found["u00"]


def test_every_column_is_documented_with_its_type():
    table = DOCUMENT.split("## Columns")[1].split("\n\n")[2]
    documented = re.findall(r"^\| `(\w+)` \| ([^|]+) \|", table, re.MULTILINE)
    assert documented == [(field.name, str(field.type).replace("item: ", "")) for field in SCHEMA]
    assert all(f"`{name}`" in DOCUMENT for name in QUARANTINE_SCHEMA.names)


def check_rows(built, rows):
    """``rows`` are dictionaries as a reader that knows nothing of this code gives them."""
    by_name = {(row["corpus"], row["utterance_id"]): row for row in rows}
    assert len(rows) == len(by_name) == 10
    assert all(set(row) == {"corpus", *SCHEMA.names} for row in rows)
    for corpus, utterance in (("lab", "u03"), ("toy", "u02")):
        row = by_name[corpus, utterance]
        frames, seconds = expected(built, corpus, utterance)
        assert row["seconds"] == seconds
        np.testing.assert_allclose(np.reshape(row["features"], (row["frames"], -1)), frames, atol=1e-5)
    assert by_name["lab", "u01"]["emotion"] == "happy"


def test_it_reads_in_plain_pandas(built, notebook):
    rows = notebook("import pandas")["rows"]
    assert isinstance(rows, pd.DataFrame)
    check_rows(built, rows.to_dict("records"))


def test_it_reads_in_plain_ray_data(built, notebook):
    check_rows(built, notebook("import ray")["rows"].take_all())


def test_it_reads_in_plain_polars(built, notebook):
    rows = notebook("import polars")["rows"]
    assert isinstance(rows, polars.DataFrame)
    check_rows(built, rows.to_dicts())


def test_it_reads_in_plain_duckdb(built, notebook):
    rows = notebook("import duckdb")["rows"]
    assert isinstance(rows, duckdb.DuckDBPyRelation)
    check_rows(built, [dict(zip(rows.columns, row, strict=True)) for row in rows.fetchall()])


def test_part_of_it_reads_in_plain_arrow(built):
    rows = ds.dataset(built / "stores" / "mine" / "mfb40", partitioning="hive")
    assert rows.to_table(filter=ds.field("corpus") == "lab").num_rows == 8
