"""The support vector classifier of multilingual.txt, 4.1: one linear machine for each class against the rest.

What the paper leaves open, and what was chosen:

- *The kernel.* Linear: 384 functionals of a few hundred utterances are parted well enough by planes, and 25,636
  utterances still fit in minutes. The loss is the squared hinge, with which a fit depends on nothing random.
- *C and the classes' weights.* C = 0.01, and each class's errors weigh in inverse proportion to its utterances.
- *Standardisation.* As the protocol has it.

The probabilities are the softmax of the machines' scores. They rank the classes as the scores do and are not
calibrated: Platt's cross-validation would cost five more fits, and would learn from the few utterances left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trainables.estimator import Estimator, Examples, Fitted, Side
from trainables.methods import _linear


@dataclass(frozen=True, kw_only=True)
class Hyperparameters:
    """What the classifier takes.

    Attributes:
        C: how much an error costs, against a wide margin.
        class_weight: ``balanced``, in inverse proportion to a class's utterances, or ``equal``.
    """

    C: float = 0.01
    class_weight: str = "balanced"

    def __post_init__(self) -> None:
        _linear.check(self.C, self.class_weight)


def fit(examples: Examples, hyperparameters: Hyperparameters) -> Fitted:
    """One machine for each class."""
    from sklearn.svm import LinearSVC  # here, for whoever only asks what the method is

    # The primal problem is solved without drawing anything; it is also the faster one unless features far outnumber
    # utterances.
    machine = LinearSVC(
        C=hyperparameters.C,
        class_weight=_linear.BALANCE[hyperparameters.class_weight],
        dual=False,
        max_iter=10_000,
    )
    with _linear.one_thread():
        machine.fit(examples.features.astype(np.float64), examples.labels)
    coefficients, intercepts = _linear.of_every_class(
        machine.coef_, machine.intercept_, machine.classes_, examples.classes
    )

    def probabilities(features: np.ndarray, side: Side) -> np.ndarray:
        return _linear.softmax(_linear.scores(features, coefficients, intercepts))

    return Fitted(
        probabilities=probabilities,
        represent=lambda features, side: features,
        weights={"coefficients": coefficients, "intercepts": intercepts},
    )


METHOD = Estimator(
    title="Linear support vector machines, one against the rest (multilingual.txt, 4.1)",
    hyperparameters=Hyperparameters,
    fit=fit,
)
