"""The official counts are those of the real file lists; what holds for all of them is in test_conformance.py."""

from __future__ import annotations

from collections import Counter

import pytest

from data_prep import corpora

LISTS = {"emodb": "EMO-DB", "ravdess": "RAVDESS", "savee": "SAVEE", "tess": "TESS", "crema_d": "CREMA-D"}


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
