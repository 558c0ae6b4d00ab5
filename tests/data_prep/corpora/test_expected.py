"""The official counts: consistent in themselves, in the readers' own words, and those of the real file lists."""

from __future__ import annotations

from collections import Counter

import pytest

from data_prep import corpora

COUNTED = [name for name in corpora.known() if corpora.load(name).expected is not None]
LISTS = {"emodb": "EMO-DB", "ravdess": "RAVDESS", "savee": "SAVEE", "tess": "TESS", "crema_d": "CREMA-D"}


@pytest.mark.parametrize("name", COUNTED)
def test_they_name_labels_that_the_corpus_has_and_are_no_more_than_the_whole(name):
    corpus, expected = corpora.load(name), corpora.load(name).expected
    assert set(expected.labels) <= set(corpus.labels) and expected.source
    for counts in (expected.labels, expected.speakers):
        assert all(count > 0 for count in counts.values()) and sum(counts.values()) <= expected.utterances


@pytest.mark.parametrize("name", LISTS)
def test_they_are_what_is_found_in_the_real_file_list(name, real_names, folder):
    folder.audio(*real_names(LISTS[name]))
    utterances, expected = corpora.read(name, folder.path), corpora.load(name).expected
    assert len(utterances) == expected.utterances
    assert Counter(u.emotion for u in utterances) == expected.labels
    assert Counter(u.speaker for u in utterances) == expected.speakers


def test_they_are_what_is_found_in_the_real_emovo(real_corpora):
    utterances, expected = corpora.read("emovo", real_corpora / "emovo"), corpora.load("emovo").expected
    assert Counter(u.emotion for u in utterances) == expected.labels
    assert Counter(u.speaker for u in utterances) == expected.speakers
