"""The support vector classifier: what it minimises, and what stands in for probabilities."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from data_prep.errors import InputError
from trainables.estimator import Examples
from trainables.methods.svm import Hyperparameters, fit


def examples(counts: tuple[int, ...]) -> Examples:
    labels = np.repeat(np.arange(len(counts)), counts)
    features = np.random.default_rng(0).normal(size=(len(labels), 2)) + labels[:, None] * [1, -1]
    return Examples(
        features.astype(np.float32), labels, labels < 0, features[:0].astype(np.float32), len(counts), seed=0
    )


@pytest.mark.parametrize("class_weight", ["balanced", "equal"])
def test_each_machine_minimises_the_squared_hinge_of_its_class_against_the_rest(class_weight):
    """Its class's errors weigh by the class; the intercept is penalised as LIBLINEAR does it."""
    given, C = examples((12, 8, 6)), 0.2
    fitted = fit(given, Hyperparameters(C=C, class_weight=class_weight))
    for number, count in enumerate((12, 8, 6)):
        sign = np.where(given.labels == number, 1.0, -1.0)
        own = 26 / (3 * count) if class_weight == "balanced" else 1.0
        costs = C * np.where(given.labels == number, own, 1.0)

        def objective(weights, sign=sign, costs=costs):
            short = np.maximum(1 - sign * (given.features @ weights[:2] + weights[2]), 0)
            return (costs * short**2).sum() + 0.5 * np.square(weights).sum()

        best = minimize(objective, np.zeros(3), method="BFGS", options={"gtol": 1e-8}).x
        found = [*fitted.weights["coefficients"][number], fitted.weights["intercepts"][number]]
        # LIBLINEAR stops when the gradient is 1e-4 of what it was.
        assert found == pytest.approx(best, abs=2e-3)


def test_probabilities_are_the_softmax_of_the_scores():
    given = examples((12, 8, 6))
    fitted = fit(given, Hyperparameters())
    scores = given.features @ fitted.weights["coefficients"].T + fitted.weights["intercepts"]
    probabilities = fitted.probabilities(given.features, "target")
    assert probabilities == pytest.approx(np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True))
    assert (probabilities.argmax(axis=1) == scores.argmax(axis=1)).all()


def test_of_two_classes_either_can_be_predicted():
    given = examples((15, 15))
    predicted = fit(given, Hyperparameters(C=1.0)).probabilities(given.features, "source").argmax(axis=1)
    assert (predicted == given.labels).mean() > 0.7 and set(predicted) == {0, 1}


def test_what_it_reads_is_what_it_is_given():
    given = examples((5, 5))
    assert fit(given, Hyperparameters()).represent(given.features, "source") is given.features


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"C": float("inf")}, "C is inf; it must be above 0 and finite"),
        ({"class_weight": "none"}, "unknown class_weight 'none'; known, nearest first: balanced"),
    ],
)
def test_a_setting_out_of_its_range_is_refused(given, message):
    with pytest.raises(InputError, match=message):
        Hyperparameters(**given)
