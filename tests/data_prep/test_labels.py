"""Label schemes: what a corpus's own labels become in a task."""

from __future__ import annotations

import pytest

from data_prep import corpora, labels
from data_prep.errors import InputError


@pytest.mark.parametrize("scheme", labels.SCHEMES.values(), ids=lambda scheme: scheme.name)
def test_a_scheme_holds_known_meanings_and_uses_all_its_classes(scheme):
    assert set(scheme.meanings) <= corpora.EMOTIONS
    assert set(scheme.meanings.values()) == set(scheme.classes)


def test_excited_is_merged_into_happy_and_frustrated_left_out():
    emotion4 = labels.load("emotion4")
    assert emotion4.target("iemocap", "exc") == emotion4.target("iemocap", "hap") == emotion4.classes.index("happy")
    assert emotion4.target("iemocap", "fru") is None
    assert emotion4.target("iemocap", None) is None


def test_calm_is_not_neutral():
    emotion4 = labels.load("emotion4")
    assert emotion4.target("ravdess", "02") is None
    assert emotion4.target("ravdess", "01") == emotion4.classes.index("neutral")


def test_emotion5_adds_fear_alone():
    assert set(labels.load("emotion5").classes) == set(labels.load("emotion4").classes) | {"fear"}
    assert labels.load("emotion5").target("emodb", "A") == labels.load("emotion5").classes.index("fear")


def test_an_unknown_scheme_lists_the_known_ones():
    with pytest.raises(InputError, match="unknown label scheme 'emotions4'; known, nearest first: emotion4"):
        labels.load("emotions4")


def test_a_label_that_the_reader_does_not_have_is_an_error_that_lists_those_it_has():
    with pytest.raises(InputError, match="unknown label of emodb 'Q'; known, nearest first: W, L, E, A, F, T, N"):
        labels.load("emotion4").target("emodb", "Q")
