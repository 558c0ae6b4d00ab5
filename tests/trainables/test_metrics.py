"""Unweighted average recall over a fixed list of classes."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, recall_score

from trainables.metrics import score


def test_uar_counts_every_class_of_the_task_even_where_balanced_accuracy_does_not():
    truth, predicted = np.array([0, 0, 1]), np.array([0, 2, 1])
    assert balanced_accuracy_score(truth, predicted) == pytest.approx(0.75)
    assert score(truth, predicted, 3).unweighted_average_recall == pytest.approx(0.5)


@pytest.mark.parametrize("classes", [2, 4, 7])
def test_it_is_scikit_learns_bit_for_bit(classes):
    rng = np.random.default_rng(classes)
    for utterances in (1, 3, 10, 500):
        truth, predicted = rng.integers(classes, size=(2, utterances))
        usual = recall_score(truth, predicted, labels=range(classes), average="macro", zero_division=0)
        assert score(truth, predicted, classes).unweighted_average_recall == usual


def test_it_is_recall_and_not_precision():
    # Class 0: 3 of 4 found; class 1: 2 of 2 found. Precision would be (3/3 + 2/3) / 2.
    scores = score(np.array([0, 0, 0, 0, 1, 1]), np.array([0, 0, 0, 1, 1, 1]), 2)
    assert scores.unweighted_average_recall == pytest.approx((3 / 4 + 2 / 2) / 2)
    assert scores.accuracy == pytest.approx(5 / 6)


def test_the_confusion_matrix_has_the_true_class_in_its_rows():
    assert score(np.array([0, 0, 1]), np.array([1, 0, 1]), 3).confusion.tolist() == [[1, 1, 0], [0, 1, 0], [0, 0, 0]]
