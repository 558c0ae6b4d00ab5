"""Logistic regression: what it minimises, whose statistics scale, and correlation alignment."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy.linalg import sqrtm
from scipy.optimize import minimize

from data_prep.errors import InputError
from trainables.data import draw
from trainables.estimator import Examples
from trainables.fitting import Fitting
from trainables.methods.logistic_regression import METHOD, Hyperparameters, alignment, fit
from trainables.trainable import train


def examples(classes: int = 3, seed: int = 0, target: np.ndarray | None = None, **given) -> Examples:
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(classes), [30, 20, 10, 5][:classes])
    features = (rng.normal(size=(len(labels), 4)) + labels[:, None] * [1, -1, 0, 0]).astype(np.float32)
    usual = {
        "features": features,
        "labels": labels,
        "sides": np.zeros(len(labels), bool),
        "target": features[:0] if target is None else target,
        "classes": classes,
        "seed": 0,
    }
    return Examples(**{**usual, **given})


@pytest.mark.parametrize("class_weight", ["balanced", "equal"])
def test_it_minimises_the_penalised_cross_entropy(class_weight):
    """Against a minimiser that knows nothing of scikit-learn: C times the weighted sum of losses, and half the squares."""
    given, C = examples(), 0.1
    counts = np.bincount(given.labels)
    weights = (len(given.labels) / (3 * counts) if class_weight == "balanced" else np.ones(3))[given.labels]

    def objective(flat):
        coefficients, intercepts = flat[:12].reshape(3, 4), flat[12:]
        logits = given.features @ coefficients.T + intercepts
        log_norm = np.log(np.exp(logits).sum(axis=1))
        losses = log_norm - logits[np.arange(len(logits)), given.labels]
        return C * (weights * losses).sum() + 0.5 * np.square(coefficients).sum()

    best = minimize(objective, np.zeros(15), method="BFGS", options={"gtol": 1e-6}).x
    fitted = fit(given, Hyperparameters(C=C, class_weight=class_weight))
    assert fitted.weights["coefficients"] == pytest.approx(best[:12].reshape(3, 4), abs=2e-3)
    logits = given.features @ best[:12].reshape(3, 4).T + best[12:]
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert fitted.probabilities(given.features, "source") == pytest.approx(expected, abs=2e-3)


def test_of_two_classes_the_probability_is_the_logistic_function():
    from sklearn.linear_model import LogisticRegression

    given = examples(classes=2)
    fitted = fit(given, Hyperparameters(C=1.0, class_weight="equal"))
    reference = LogisticRegression(C=1.0).fit(given.features.astype(float), given.labels)
    expected = reference.predict_proba(given.features.astype(float))
    assert fitted.probabilities(given.features, "target") == pytest.approx(expected, abs=1e-6)


def test_a_class_that_nothing_trains_is_never_predicted():
    fitted = fit(examples(classes=3)._replace(classes=5), Hyperparameters())
    probabilities = fitted.probabilities(examples().features, "source")
    assert probabilities.shape == (60, 5)
    assert (probabilities[:, 3:] == 0).all() and probabilities.sum(axis=1) == pytest.approx(1)


def test_alignment_gives_the_source_the_targets_correlations():
    rng = np.random.default_rng(1)
    source, target = (rng.normal(size=(500, 3)) @ rng.normal(size=(3, 3)) for _ in range(2))
    aligned = source @ alignment(source, target, 1e-9)
    assert np.cov(aligned, rowvar=False) == pytest.approx(np.cov(target, rowvar=False), abs=1e-6)


def test_alignment_is_algorithm_1_of_the_article():
    """Its four lines in MATLAB, with another library's matrix square root."""
    rng = np.random.default_rng(2)
    source, target = rng.normal(size=(40, 5)) * [1, 2, 3, 4, 5], rng.normal(size=(9, 5))
    whiten = np.cov(source, rowvar=False) + np.eye(5)
    colour = np.cov(target, rowvar=False) + np.eye(5)
    expected = source @ np.linalg.inv(sqrtm(whiten)) @ sqrtm(colour)
    assert source @ alignment(source, target, 1.0) == pytest.approx(expected.real, abs=1e-8)


def test_sides_that_are_alike_are_left_as_they_are():
    features = examples().features
    assert alignment(features, features, 1.0) == pytest.approx(np.eye(4), abs=1e-9)


def test_the_source_is_aligned_and_the_target_is_not():
    target = np.random.default_rng(3).normal(size=(50, 4)).astype(np.float32) * [1, 5, 1, 1]
    given = examples(target=target)
    fitted = fit(given, Hyperparameters(coral=True))
    assert fitted.represent(given.features, "source") == pytest.approx(
        given.features @ fitted.weights["alignment"], abs=1e-5
    )
    assert (fitted.represent(target, "target") == target).all()
    plain = fit(given, Hyperparameters())
    assert not np.allclose(fitted.weights["coefficients"], plain.weights["coefficients"])
    by_hand = fit(
        given._replace(features=fitted.represent(given.features, "source").astype(np.float32)), Hyperparameters()
    )
    assert fitted.weights["coefficients"] == pytest.approx(by_hand.weights["coefficients"], abs=1e-4)


def test_labelled_target_utterances_are_not_aligned():
    target = np.random.default_rng(3).normal(size=(50, 4)).astype(np.float32) * 3
    given = examples(target=target)
    both = given._replace(
        features=np.concatenate([given.features, target]),
        labels=np.concatenate([given.labels, np.arange(50) % 3]),
        sides=np.arange(110) >= 60,
    )
    aligned = fit(both, Hyperparameters(coral=True))
    assert aligned.weights["alignment"] == pytest.approx(fit(given, Hyperparameters(coral=True)).weights["alignment"])
    by_hand = both.features.copy()
    by_hand[:60] = aligned.represent(given.features, "source")
    plain = fit(both._replace(features=by_hand), Hyperparameters())
    assert aligned.weights["coefficients"] == pytest.approx(plain.weights["coefficients"], abs=1e-4)


def test_on_a_channel_that_turns_the_features_alignment_recovers_what_scaling_cannot():
    """The same speech through a channel that mixes features: the known shift that correlations describe."""
    rng = np.random.default_rng(5)
    labels = np.arange(400) % 4
    centres = np.array([[2, 0, 0], [0, 1, 0], [-2, 0, 0], [0, -1, 0]])
    source, hidden = ((centres[labels] + rng.normal(size=(400, 3)) * [0.6, 0.3, 3.0]).astype(np.float32) for _ in "ab")
    mixing = np.array([[1.0, 0.0, 1.2], [0.0, 1.0, 0.0], [1.2, 0.0, 1.0]])
    target = (hidden @ mixing).astype(np.float32)
    given = Examples(source, labels, np.zeros(400, bool), target, 4, 0)

    def accuracy(**settings):
        fitted = fit(given, Hyperparameters(C=1.0, **settings))
        return (fitted.probabilities(target, "target").argmax(axis=1) == labels).mean()

    assert accuracy(coral=True, coral_regularisation=1e-3) > accuracy() + 0.05


def statistics(run, side):
    split = run.granted.split
    rows = split.train if side == "source" else split.adaptation
    frames = run._features(rows, side).reshape(-1, 6)
    frames = frames[frames.any(axis=1)]
    return frames.mean(axis=0), frames.std(axis=0)


@pytest.mark.parametrize(("scaling", "own"), [("protocol", False), ("source", False), ("corpus", True)])
def test_the_target_is_scaled_by_whose_statistics_it_says(scaling, own, task_data, trial):
    config = trial("logistic_regression", scaling=scaling)
    run = Fitting(config, draw(task_data, config.task, config.seed)[0])
    mean, deviation = statistics(run, "source")
    assert mean == pytest.approx(0, abs=1e-5) and deviation == pytest.approx(1, abs=1e-4)
    mean, deviation = statistics(run, "target")
    assert (np.abs(mean).max() < 1e-5) == own, "the made-up target lies 0.5 above the source"


def test_what_looks_at_the_target_needs_a_protocol_that_grants_it(task_data, trial):
    adapting = {"coral": (True, True), "scaling": ("corpus", True), "C": (0.1, False)}
    for name, (value, adapts) in adapting.items():
        config = trial("logistic_regression", **{name: value})
        assert METHOD.adapts(Hyperparameters(**{name: value})) == adapts
        granted, _ = draw(task_data, config.task, config.seed)
        nothing = dataclasses.replace(granted, split=dataclasses.replace(granted.split, adaptation=np.array([], int)))
        if adapts:
            with pytest.raises(InputError, match="adapts to the target, of which protocol random_80_20 grants nothing"):
                Fitting(config, nothing)
        else:
            assert len(Fitting(config, nothing).run().predicted) == 40


def test_other_target_inputs_move_an_aligned_model_and_other_labels_do_not(task_data, trial):
    config = trial("logistic_regression", coral=True, scaling="corpus")
    before = train(config, task_data).weights
    target = task_data.target
    turned = dataclasses.replace(target, values=np.roll(target.values, 1, axis=0).cumsum(axis=1))
    relabelled = dataclasses.replace(target, labels=target.labels[::-1].copy())
    for changed, same in ((turned, False), (relabelled, True)):
        after = train(config, dataclasses.replace(task_data, target=changed)).weights
        assert all((before[name] == after[name]).all() for name in before) == same


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"C": 0.0}, r"C is 0\.0; it must be above 0 and finite"),
        ({"class_weight": "balance"}, "unknown class_weight 'balance'; known, nearest first: balanced"),
        ({"scaling": "corpora"}, "unknown scaling 'corpora'; known, nearest first: corpus"),
        ({"coral_regularisation": -1.0}, r"coral_regularisation is -1\.0; it must be above 0"),
    ],
)
def test_a_setting_out_of_its_range_is_refused(given, message):
    with pytest.raises(InputError, match=message):
        Hyperparameters(**given)
