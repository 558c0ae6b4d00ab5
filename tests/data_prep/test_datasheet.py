"""The data sheet: whoever is handed a store reads in it what went in, and how to make it again."""

from __future__ import annotations

import dataclasses
import re
import shlex
import shutil
from datetime import datetime

import pytest

from data_prep import corpora, datasheet
from data_prep.build import build, main
from data_prep.corpora import Expected
from data_prep.store import MANIFEST, Store, open_store

pytestmark = pytest.mark.usefixtures("ray_session")

# Six utterances of 0.3 s; the last has no audio.
MANIFEST_OF_THE_LAB = """\
audio,speaker,gender,language,session,emotion
u00.wav,anna,female,de,1,happy
u01.wav,anna,female,de,1,sad
u02.wav,anna,female,de,2,
u03.wav,bert|2,male,it,2,happy
u04.wav,bert|2,male,it,2,happy
u05.wav,bert|2,male,it,2,sad
"""


def record(lab):
    lab.manifest.write_text(MANIFEST_OF_THE_LAB)
    (lab.folder / "u05.wav").unlink()
    build(lab.folder.parent / "store", {"lab": lab.manifest}, quiet=True)
    return lab.folder.parent / "store"


@pytest.fixture(scope="module")
def built(ray_session, make_lab, tmp_path_factory):
    """A store of that lab, to read."""
    return record(make_lab(tmp_path_factory.mktemp("datasheet") / "lab", 6))


@pytest.fixture
def store(lab):
    """A store of ``lab``, to change."""
    return record(lab)


def sheet(store):
    return (store / datasheet.DATASHEET).read_text()


def table(text, *columns):
    """The rows of the table with these columns."""
    head = f"| {' | '.join(columns)} |\n| {' | '.join(['---'] * len(columns))} |\n"
    assert text.count(head) == 1
    lines = text.split(head)[1].split("\n\n")[0].splitlines()
    return [tuple(line[2:-2].split(" | ")) for line in lines]


def test_it_counts_by_class_speaker_gender_language_and_session(built):
    text = sheet(built)
    # 0.3 s are 0.005 minutes; ten utterances would be 0.1.
    assert table(text, "class", "meaning", "utterances", "minutes") == [
        ("happy", "happy", "3", "0.0"),
        ("sad", "sad", "1", "0.0"),
        ("unlabelled", "", "1", "0.0"),
    ]
    assert table(text, "speaker", "gender", "language", "utterances", "minutes") == [
        ("anna", "female", "de", "3", "0.0"),
        (r"bert\|2", "male", "it", "2", "0.0"),
    ]
    assert table(text, "gender", "utterances", "minutes") == [("female", "3", "0.0"), ("male", "2", "0.0")]
    assert table(text, "language", "utterances", "minutes") == [("de", "3", "0.0"), ("it", "2", "0.0")]
    assert table(text, "session", "utterances", "minutes") == [("1", "2", "0.0"), ("2", "3", "0.0")]


def test_it_says_whose_the_corpora_are_and_how_long(built):
    text = sheet(built)
    reader = corpora.load("manifest")
    assert f"## Corpus lab\n\n{reader.title}. Licence: {reader.licence}.\n" in text
    assert f"Read from `{built.parent / 'lab' / 'lab.csv'}` (reader `manifest`)." in text
    assert "5 utterances of 5 recordings, 0.00 h; an utterance lasts 0.30 to 0.30 s, median 0.30 s" in text


def test_it_says_how_many_the_whole_corpus_has_where_that_is_known(built, monkeypatch):
    opened = open_store(built)
    assert "The whole corpus" not in datasheet.text(opened, created="now", command="this")
    reader = dataclasses.replace(corpora.load("manifest"), expected=Expected(source="the lab's book", utterances=7))
    monkeypatch.setattr(corpora, "load", lambda _: reader)
    text = datasheet.text(opened, created="now", command="this")
    assert "The whole corpus has 7 utterances, by the lab's book." in text


def test_the_whole_corpus_is_that_of_the_form_in_which_it_is_there(built, monkeypatch):
    speakers = {one["speaker"] for one in open_store(built).rows("lab", feature="mfb40").to_pylist()}
    other = Expected(
        source="the other book", utterances=5, at_least=True, is_read=lambda read: {u.speaker for u in read} == speakers
    )
    known = Expected(source="the lab's book", utterances=7, others=(other,))
    reader = dataclasses.replace(corpora.load("manifest"), expected=known)
    monkeypatch.setattr(corpora, "load", lambda _: reader)
    text = datasheet.text(open_store(built), created="now", command="this")
    assert "The whole corpus has 5 utterances or more, by the other book." in text


def test_durations_are_those_of_the_utterances(lab, tmp_path):
    lab.record("long", seed=1, seconds=120)
    lab.rows.clear()
    for name, start, end in (("a", "0", "30"), ("b", "30", "120"), ("c", "0", "30"), ("d", "0", "12")):
        lab.add(name, audio="long.wav", start=start, end=end)
    build(tmp_path / "store", {"lab": lab.list()}, quiet=True)
    text = sheet(tmp_path / "store")
    # 30 + 90 + 30 + 12 = 162 s: 0.045 h, 40.5 s in the mean; sorted 12, 30, 30, 90.
    assert (
        "4 utterances of 1 recordings, 0.04 h; an utterance lasts 12.00 to 90.00 s, median 30.00 s, mean 40.50 s."
        in text
    )
    assert "1 of them repeat the audio of another, byte for byte." in text
    # s0 speaks a and c, s1 b and d.
    assert table(text, "speaker", "gender", "language", "utterances", "minutes") == [
        ("s0", "unknown", "und", "2", "1.0"),
        ("s1", "unknown", "und", "2", "1.7"),
    ]


def test_what_was_left_out_is_listed_with_the_reason(built):
    columns = ("feature", "corpus", "utterance_id", "audio", "reason")
    assert table(sheet(built), *columns) == [("mfb40", "lab", "u05", "u05.wav", "there is no such file")]


def test_settings_units_versions_and_fingerprints_are_those_of_the_manifest(built):
    text, entry = sheet(built), open_store(built).entry("mfb40", "lab")
    settings = {name: (value, unit) for name, value, unit in table(text, "setting", "value", "unit")}
    assert settings["sample_rate"] == ("`16000`", "Hz")
    assert settings["frame_shift"] == ("`0.01`", "s")
    assert settings["dimensions"] == ("`40`", "values per frame")
    assert {name: value for name, (value, _) in settings.items() if name.startswith("settings.")} == {
        f"settings.{name}": f"`{value}`" for name, value in entry.recipe["settings"].items()
    }
    assert "A Povey window of 25 ms every 10 ms" in text
    assert all(f"{name} {version}" in text for name, version in entry.recipe["libraries"].items())
    assert table(text, "corpus", "fingerprint") == [("lab", f"`{entry.fingerprint}`")]


def test_features_made_with_other_settings_are_not_described_as_todays(built):
    opened = open_store(built)
    entry = opened.entry("mfb40", "lab")
    older = dataclasses.replace(entry, recipe={**entry.recipe, "settings": {"window": "hann"}})
    text = datasheet.text(Store(built, {"mfb40": {"lab": older}}), created="now", command="this")
    assert "| settings.window | `hann` |" in text
    assert "A Povey window" not in text


def test_a_demo_corpus_is_said_at_the_top(lab, store):
    assert "DEMO" not in sheet(store)
    (lab.folder / "DEMO_CORPUS.txt").touch()
    build(store, {"lab": lab.manifest}, quiet=True)
    title, first, *_ = sheet(store).split("\n\n")
    assert title == "# Data sheet"
    assert first.startswith("> **DEMO: lab.** Synthetic speech for trying the software")
    assert "No scientific conclusion can be drawn" in first


def test_the_text_is_the_same_but_for_the_time(store, lab, tmp_path):
    build(tmp_path / "again", {"lab": lab.manifest}, quiet=True)
    one, other = (sheet(place).splitlines() for place in (store, tmp_path / "again"))
    (built,) = [line for line in one if line.startswith("Built ")]
    assert datetime.fromisoformat(built.split()[1]).tzinfo is not None
    assert [line for line in one if line != built] == [line for line in other if not line.startswith("Built ")]


def test_the_commands_in_it_make_the_store_again(store, make_lab, tmp_path):
    build(store, {"other": make_lab(tmp_path / "the other", 3).manifest}, quiet=True)
    commands = re.findall(r"^    python -m data_prep\.build (.*)$", sheet(store), re.MULTILINE)
    again = tmp_path / "again"
    for command in commands:
        assert main([str(again) if word == "DIR" else word for word in shlex.split(command)]) == 0
    assert open_store(again).entries == open_store(store).entries


def test_a_corpus_that_an_earlier_build_left_stays_in_it(store, make_lab, tmp_path):
    build(store, {"other": make_lab(tmp_path / "other", 3).manifest}, quiet=True)
    columns = ("feature", "corpus", "utterances", "hours", "speakers", "languages", "left out")
    assert table(sheet(store), *columns) == [
        ("mfb40", "lab", "5", "0.00", "2", "de, it", "1"),
        ("mfb40", "other", "3", "0.00", "2", "und", "0"),
    ]


def test_several_features_of_a_corpus_share_its_section_and_have_their_own(store):
    opened = open_store(store)
    shutil.copytree(store / "mfb40", store / "other")
    text = datasheet.text(
        Store(store, {**opened.entries, "other": opened.entries["mfb40"]}), created="now", command="this"
    )
    assert re.findall("^## .*", text, re.MULTILINE) == [
        "## Contents",
        "## Corpus lab",
        "## Left out",
        "## Feature mfb40",
        "## Feature other",
    ]


def test_a_store_that_has_none_gets_one_and_nothing_is_computed(store, lab):
    before = sheet(store)
    (store / datasheet.DATASHEET).unlink()
    summary = build(store, {"lab": lab.manifest}, quiet=True)
    assert (summary.changed, summary.computed) == (True, 0)
    assert sheet(store).split("\n\n")[2:] == before.split("\n\n")[2:]


def test_an_up_to_date_store_keeps_the_one_that_it_has(store, lab):
    before, manifest = sheet(store), (store / MANIFEST).read_text()
    assert not build(store, {"lab": lab.manifest}, quiet=True).changed
    assert (sheet(store), (store / MANIFEST).read_text()) == (before, manifest)
