"""The numbers of attributes, by which methods tell corpora, genders, speakers and languages apart."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from trainables.batches import attribute_names, attribute_numbers


@pytest.fixture
def source(make_domain):
    return dataclasses.replace(
        make_domain(4, 0.0, 1),
        genders=("male", "unknown", "female", "male"),
        languages=("und", "it", "de", "sv"),
    )


def test_what_is_unknown_or_not_trained_on_is_no_class(source):
    names = attribute_names(source, np.array([0, 1, 2]))
    assert (names["gender"], names["language"]) == (["female", "male"], ["de", "it"])
    numbers = attribute_numbers(source, names, torch.device("cpu"))
    assert numbers["gender"].tolist() == [1, -1, 0, 1]
    assert numbers["language"].tolist() == [-1, 1, 0, -1]
    assert numbers["speaker"].tolist() == [0, 1, 2, -1]


def test_an_attribute_that_nothing_is_known_of_has_no_classes(source):
    bare = dataclasses.replace(source, genders=())
    names = attribute_names(bare, np.array([0, 1, 2]))
    assert names["gender"] == []
    assert attribute_numbers(bare, names, torch.device("cpu"))["gender"].tolist() == [-1] * 4
