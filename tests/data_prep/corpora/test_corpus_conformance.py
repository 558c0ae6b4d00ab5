"""What every reader must hold to. A new reader is under these tests because it exists."""

from __future__ import annotations

import re

import pytest

from data_prep import corpora
from data_prep.errors import InputError

every_corpus = pytest.mark.parametrize("name", corpora.known())


@every_corpus
def test_it_reads_its_layout_without_opening_audio(name, lay_out):
    path = lay_out(name)
    utterances = corpora.read(name, path)
    root = path if path.is_dir() else path.parent
    assert len(utterances) >= 2
    for utterance in utterances:
        assert (root / utterance.audio).is_file()
        assert "\\" not in utterance.audio and not utterance.audio.startswith("/")
        assert utterance.gender in ("female", "male", "unknown") and utterance.speaker
        assert re.fullmatch(r"[a-z]{2,3}(-[A-Z]{2})?", utterance.language)


@every_corpus
def test_utterance_ids_are_unique_and_sorted_and_a_second_reading_is_the_same(name, lay_out):
    path = lay_out(name)
    first, again = corpora.read(name, path), corpora.read(name, path)
    ids = [utterance.utterance_id for utterance in first]
    assert ids == sorted(set(ids))
    assert first == again


@every_corpus
def test_every_label_is_raw_in_the_closed_vocabulary_and_has_a_known_meaning(name, lay_out):
    corpus = corpora.load(name)
    assert set(corpus.labels.values()) <= corpora.EMOTIONS
    found = {utterance.emotion for utterance in corpora.read(name, lay_out(name))} - {None}
    assert found and found <= set(corpus.labels)


@every_corpus
@pytest.mark.parametrize("wrong", ["no such folder", "an empty folder", "a folder of something else"])
def test_what_is_not_that_corpus_is_said_in_one_line_that_names_the_place(name, wrong, tmp_path):
    path = tmp_path / "elsewhere"
    if wrong != "no such folder":
        path.mkdir()
    if wrong == "a folder of something else":
        (path / "holiday.wav").write_bytes(b"")
        (path / "notes.txt").write_text("milk, eggs")
    with pytest.raises(InputError) as caught:
        corpora.read(name, path)
    message = str(caught.value)
    assert "\n" not in message and str(path) in message and name in message and "expected" in message


def test_an_unknown_corpus_lists_the_known_ones_nearest_first():
    with pytest.raises(InputError, match="unknown corpus 'emo_db'; known, nearest first: emodb, "):
        corpora.load("emo_db")
