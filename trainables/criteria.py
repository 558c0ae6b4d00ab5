"""How good is a model on a target that has no labels? Label-free criteria of the literature, for choosing among trials.

Each is a pure function of arrays, from one evaluation of the selected checkpoint; each is oriented so that **higher is
better**, whatever its paper does, and finite, down to one utterance and to predictions without any doubt. They look at
the target that the protocol grants without labels, never at a label of it. They are written here because the packages
that hold them ask for more than they give: pytorch-adapt 0.0.83 (January 2023) has had no release since and brings
torchvision, torchmetrics and a pre-release of ignite; skada's are scorers of scikit-learn estimators, not of arrays.
"""

from __future__ import annotations

import numpy as np
import scipy  # which imports its parts where they are used
from threadpoolctl import threadpool_limits

HELD_OUT = ("source_val", "target_dev")
"""Criteria that need labels: how well the parts do that a protocol holds out with them (:mod:`trainables.validation`)."""
CRITERIA = ("entropy", "information_maximisation", "soft_neighbourhood_density", "deep_embedded_validation")

_ROWS = 1000  # of the similarity matrix at once
_SURE = 1e-6  # a domain classifier is never taken to be surer than this


def evaluate(
    probabilities: np.ndarray,
    source_train: np.ndarray,
    source_validation: np.ndarray,
    target: np.ndarray,
    losses: np.ndarray,
) -> dict[str, float]:
    """Every criterion as a trial's metrics: ``criterion/<name>``, higher is better.

    Where no utterance of the source was held out there is no deep embedded validation, which rests on their losses; the
    others need predictions alone.

    Args:
        probabilities: class probabilities of unlabelled target utterances, of shape (utterances, classes).
        source_train, source_validation, target: the model's representations, each of shape (utterances, dimensions).
        losses: of the source's validation utterances, of shape (utterances,).

    Raises:
        ValueError: the arrays are not that.
    """
    values = [
        entropy(probabilities),
        information_maximisation(probabilities),
        soft_neighbourhood_density(probabilities),
    ]
    if len(losses):
        values.append(deep_embedded_validation(source_train, source_validation, target, losses))
    return {f"criterion/{name}": value for name, value in zip(CRITERIA, values, strict=False)}


def entropy(probabilities: np.ndarray) -> float:
    """Minus the mean entropy of the predictions, in nats: from -log(classes), all in doubt, to 0, all certain.

    Morerio et al. 2018, "Minimal-entropy correlation alignment", choose by the lowest entropy,
    - 1/n sum_i sum_c p_ic log p_ic. It is blind to a model that is sure of one class for everything.

    Args:
        probabilities: of target utterances, of shape (utterances, classes); each row sums to 1.
    """
    return 0.0 - float(scipy.special.entr(_probabilities(probabilities)).sum(axis=1).mean())


def information_maximisation(probabilities: np.ndarray) -> float:
    """The mutual information of utterances and predicted classes, in nats: from 0 to log(classes).

    The entropy of the mean prediction less the mean entropy of the predictions, H(1/n sum_i p_i) - 1/n sum_i H(p_i):
    a loss in Shi and Sha 2012, "Information-theoretical learning of discriminative clusters", a criterion in Musgrave
    et al. 2022, "Three new validators and a large-scale benchmark ranking". Certain predictions score only where they
    are spread over the classes; so it favours balanced predictions even of an unbalanced target.

    Args:
        probabilities: of target utterances, of shape (utterances, classes); each row sums to 1.
    """
    return float(scipy.special.entr(_probabilities(probabilities).mean(axis=0)).sum()) + entropy(probabilities)


def soft_neighbourhood_density(probabilities: np.ndarray, temperature: float = 0.05) -> float:
    """How many neighbours an utterance has among the predictions, as an entropy in nats: from 0 to log(utterances - 1).

    Saito et al. 2021, "Tune it the right way": with the predictions f scaled to length 1, the neighbourhood of i is
    P_ij = exp(f_i . f_j / T) / sum_{k != i} exp(f_i . f_k / T) over all j != i (equation 2), and the criterion is the
    mean over i of its entropy - sum_j P_ij log P_ij. Where target utterances form dense clusters it is high; it cannot
    tell them from a collapse into one class, the densest of all. Of one utterance, which has no neighbours, it is 0.

    Args:
        probabilities: of target utterances, of shape (utterances, classes); each row sums to 1.
        temperature: T; 0.05 in the paper.
    """
    values = _probabilities(probabilities)
    values = values / np.linalg.norm(values, axis=1, keepdims=True)
    if len(values) == 1:
        return 0.0
    total = 0.0
    for first in range(0, len(values), _ROWS):
        similarity = values[first : first + _ROWS] @ values.T / temperature
        rows = np.arange(len(similarity))
        similarity[rows, first + rows] = -np.inf
        total += float(scipy.special.entr(np.exp(scipy.special.log_softmax(similarity, axis=1))).sum())
    return total / len(values)


def deep_embedded_validation(
    source_train: np.ndarray, source_validation: np.ndarray, target: np.ndarray, losses: np.ndarray
) -> float:
    """Minus the risk on the target, estimated from the source's validation losses.

    You et al. 2019, "Towards accurate model selection in deep unsupervised domain adaptation": :func:`density_ratio`
    weights the losses, and :func:`controlled_risk` tames the variance of that. The paper leaves the loss open.

    Args:
        source_train, source_validation, target: the model's representations, each of shape (utterances, dimensions).
        losses: of the source's validation utterances, of shape (utterances,): cross-entropy, or 0 where right and 1
            where wrong.
    """
    return -controlled_risk(density_ratio(source_train, source_validation, target), losses)


def density_ratio(source_train: np.ndarray, source_validation: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The density of the target over that of the source at each of the source's validation utterances.

    You et al. 2019: w(f) = n_source / n_target * P(target | f) / P(source | f), by a classifier of the source's training
    utterances against the target's. The authors' code takes the best of nine small networks, which differ in weight
    decay. Here: logistic regression on standardised representations with C = 1, which is deterministic. Where the
    domains do not overlap the ratio has no bound; the probabilities stop short of 0 and 1 by a millionth.

    Args:
        source_train, source_validation, target: the model's representations, each of shape (utterances, dimensions).

    Returns:
        float64 of shape (source validation utterances,), above 0.
    """
    from sklearn.linear_model import LogisticRegression  # here, for the criteria's names are a command's arguments
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    source, held_out, other = (
        _finite(name, values, 2)
        for name, values in (
            ("source_train", source_train),
            ("source_validation", source_validation),
            ("target", target),
        )
    )
    classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    with threadpool_limits(1, user_api="blas"):  # the fastest at these sizes
        classifier.fit(np.concatenate([source, other]), np.repeat([0, 1], [len(source), len(other)]))
        of_target = np.clip(scipy.special.expit(classifier.decision_function(held_out)), _SURE, 1 - _SURE)
    return len(source) / len(other) * of_target / (1 - of_target)


def controlled_risk(weights: np.ndarray, losses: np.ndarray) -> float:
    """The mean of the weighted losses, corrected by the weights' own mean, which should have been 1.

    You et al. 2019: mean(w l) + eta mean(w) - eta with eta = - Cov(w l, w) / Var(w), the control variate
    that leaves the least variance. Where the weights do not vary (one utterance, or domains that cannot be told apart)
    there is nothing to control: eta = 0.

    Args:
        weights, losses: of the source's validation utterances, of shape (utterances,).
    """
    weights, losses = _finite("weights", weights, 1), _finite("losses", losses, 1)
    if len(weights) != len(losses):
        raise ValueError(f"there are {len(weights)} weights and {len(losses)} losses; each utterance has one of each")
    weighted, excess = weights * losses, weights - weights.mean()
    variance = float(np.mean(excess**2))
    eta = 0.0 if variance < 1e-12 else -float(np.mean(weighted * excess)) / variance
    return float(weighted.mean()) + eta * (float(weights.mean()) - 1.0)


def _probabilities(given: np.ndarray) -> np.ndarray:
    values = _finite("probabilities", given, 2)
    if values.min() < 0 or np.abs(values.sum(axis=1) - 1).max() > 1e-3:
        raise ValueError("probabilities must be 0 or more, and those of an utterance must sum to 1; are they logits?")
    return values


def _finite(name: str, given: np.ndarray, dimensions: int) -> np.ndarray:
    values = np.asarray(given, dtype=np.float64)
    if values.ndim != dimensions or not values.size or not np.isfinite(values).all():
        shape = "(utterances,)" if dimensions == 1 else "(utterances, dimensions)"
        raise ValueError(
            f"{name} must be finite, of shape {shape} and of one or more utterances; it is of {values.shape}"
        )
    return values
