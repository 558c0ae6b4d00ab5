"""Logistic regression (multilingual.txt, 4.1), and with it what adaptation must beat: scaling and aligning features.

The paper's classifier is the multinomial one with an l2 penalty. It gives neither C nor the classes' weights: C = 0.01,
and each class weighs in inverse proportion to its utterances. ``scaling`` says whose statistics standardise, in place
of the protocol's. ``coral`` aligns correlations (Sun, Feng and Saenko 2016, "Return of frustratingly easy domain
adaptation", algorithm 1): with C_S and C_T the covariances of the source's and of the target's features, each plus
``coral_regularisation`` times the identity (1 there), the source's features X become

    X C_S^(-1/2) C_T^(1/2),

and the classifier is fitted on those. The target's stay as they are; its labels have no part in it. The article
standardises each domain by itself beforehand, which here is ``scaling = "corpus"``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data_prep.errors import InputError, unknown
from trainables import ranges
from trainables.estimator import Estimator, Examples, Fitted, Side
from trainables.methods import _linear

SCALINGS = {"protocol": None, "source": "source", "corpus": "corpus"}


@dataclass(frozen=True, kw_only=True)
class Hyperparameters:
    """What the classifier takes.

    Attributes:
        C: the inverse of the penalty's weight.
        class_weight: ``balanced``, in inverse proportion to a class's utterances, or ``equal``.
        scaling: ``source``, by the source's training part; ``corpus``, each corpus by its own unlabelled statistics;
            ``protocol``, as the protocol has it.
        coral: whether the source's correlations are aligned to the target's.
        coral_regularisation: what is added to the diagonals of both covariances.
    """

    C: float = 0.01
    class_weight: str = "balanced"
    scaling: str = "protocol"
    coral: bool = False
    coral_regularisation: float = 1.0

    def __post_init__(self) -> None:
        _linear.check(self.C, self.class_weight)
        if self.scaling not in SCALINGS:
            raise unknown("scaling", self.scaling, SCALINGS)
        ranges.positive(coral_regularisation=self.coral_regularisation)


def alignment(source: np.ndarray, target: np.ndarray, regularisation: float) -> np.ndarray:
    """The matrix that gives the source's features the target's correlations, float64 of shape (features, features).

    Args:
        source, target: features of shapes (utterances, features), two utterances of each or more.
        regularisation: what is added to the diagonals of both covariances.
    """
    with _linear.one_thread():
        return _power(source, regularisation, -0.5) @ _power(target, regularisation, 0.5)


def _power(features: np.ndarray, regularisation: float, exponent: float) -> np.ndarray:
    covariance = np.cov(features.astype(np.float64), rowvar=False).reshape(2 * features.shape[1:])
    values, vectors = np.linalg.eigh(covariance + regularisation * np.eye(len(covariance)))
    return (vectors * values**exponent) @ vectors.T


def fit(examples: Examples, hyperparameters: Hyperparameters) -> Fitted:
    """The classifier, on the source's features as they are or aligned, and on labelled ones of the target."""
    from sklearn.linear_model import LogisticRegression  # here, for whoever only asks what the method is

    aligning: np.ndarray | None = None
    if hyperparameters.coral:
        own = examples.features[~examples.sides]
        if min(len(own), len(examples.target)) < 2:
            raise InputError("correlations can only be aligned where there are two utterances or more of both sides")
        aligning = alignment(own, examples.target, hyperparameters.coral_regularisation)

    def represent(features: np.ndarray, side: Side) -> np.ndarray:
        if aligning is None or side == "target":
            return features
        with _linear.one_thread():
            return features.astype(np.float64) @ aligning

    seen = examples.features.astype(np.float64)
    seen[~examples.sides] = represent(examples.features[~examples.sides], "source")
    model = LogisticRegression(
        C=hyperparameters.C,
        class_weight=_linear.BALANCE[hyperparameters.class_weight],
        max_iter=10_000,
    )
    with _linear.one_thread():
        model.fit(seen, examples.labels)
    halves = 0.5 if len(model.classes_) == 2 else 1.0  # of two classes scikit-learn gives the difference
    coefficients, intercepts = _linear.of_every_class(
        halves * model.coef_, halves * model.intercept_, model.classes_, examples.classes
    )

    def probabilities(features: np.ndarray, side: Side) -> np.ndarray:
        return _linear.softmax(_linear.scores(represent(features, side), coefficients, intercepts))

    weights = {"coefficients": coefficients, "intercepts": intercepts}
    return Fitted(
        probabilities=probabilities,
        represent=represent,
        weights=weights if aligning is None else {**weights, "alignment": aligning},
    )


METHOD = Estimator(
    title="Logistic regression (multilingual.txt, 4.1), with scaling and correlation alignment (Sun et al. 2016)",
    hyperparameters=Hyperparameters,
    fit=fit,
    normalisation=lambda hyperparameters: SCALINGS[hyperparameters.scaling],
    adapts=lambda hyperparameters: hyperparameters.coral or hyperparameters.scaling == "corpus",
)
