"""How well can a domain classifier tell source from target? Near one half nothing tells them apart, 1 is certainty.

A corpus is known by its room, its microphone and its codec; a method that adapts ought to forget them. So the same probe
looks at the raw features, averaged over each utterance, and at a method's representation of them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from data_prep.errors import InputError
from trainables.data import Domain
from trainables.streams import stream, stream_seed

FOLDS = 5


def frame_statistics(domain: Domain, rows: np.ndarray) -> np.ndarray:
    """Mean and standard deviation over the frames of each dimension: float64 of shape (rows, 2 * dimensions).

    Args:
        rows: row numbers of utterances, of shape (rows,).
    """
    utterances = (domain.values[domain.starts[row] : domain.starts[row + 1]].astype(np.float64) for row in rows)
    return np.stack([np.concatenate([frames.mean(axis=0), frames.std(axis=0)]) for frames in utterances])


def domain_accuracy(
    source: np.ndarray,
    target: np.ndarray,
    *,
    groups: tuple[Sequence[str], Sequence[str]] | None = None,
    most: int = 500,
    seed: int = 0,
) -> float:
    """Balanced accuracy, in [0, 1], of a logistic regression that tells source from target.

    Standardised on the training folds, C = 0.01, both domains of equal weight, predictions pooled over five folds. The
    same input gives the same number. The algebra runs on one core, where it is fastest at these sizes.

    Args:
        source, target: one vector for each utterance, each of shape (utterances, dimensions).
        groups: of each utterance of the source and of the target, such as its speaker or its recording: a group is never
            in a training and in a test fold. Without speakers as groups, two halves of one corpus with different
            speakers differ, since their voices do; and where source and target share recordings, a recording's twin in
            the other domain misleads, and the accuracy falls below one half.
        most: no more than so many utterances of a domain, drawn from the stream ``probe`` of ``seed``.

    Raises:
        InputError: a domain has fewer than two utterances, or groups.
    """
    domains = {"source": source, "target": target}
    drawn = {name: _draw(len(values), most, seed, name) for name, values in domains.items()}
    labels = np.repeat([0, 1], [len(rows) for rows in drawn.values()])
    members, sizes = None, [len(rows) for rows in drawn.values()]
    if groups is not None:
        parts = [np.asarray(names)[rows] for names, rows in zip(groups, drawn.values(), strict=True)]
        members, sizes = np.concatenate(parts), [len(np.unique(part)) for part in parts]
    for name, size in zip(domains, sizes, strict=True):
        if size < 2:
            what = "utterance" if groups is None else "group of utterances, such as a speaker,"
            raise InputError(f"the {name} has {size} {what} to tell domains apart by; a domain needs 2 or more")
    kind = StratifiedKFold if groups is None else StratifiedGroupKFold
    classifier = LogisticRegression(C=0.01, class_weight="balanced", max_iter=1000)
    with threadpool_limits(1, user_api="blas"):
        predicted = cross_val_predict(
            make_pipeline(StandardScaler(), classifier),
            np.concatenate([np.asarray(domains[name], dtype=np.float64)[rows] for name, rows in drawn.items()]),
            labels,
            groups=members,
            cv=kind(min(FOLDS, *sizes), shuffle=True, random_state=stream_seed(seed, "probe", "folds") % 2**32),
        )
    return float(balanced_accuracy_score(labels, predicted))


def _draw(utterances: int, most: int, seed: int, domain: str) -> np.ndarray:
    """Row numbers of at most so many utterances, ascending."""
    if utterances <= most:
        return np.arange(utterances)
    return np.sort(stream(seed, "probe", domain).choice(utterances, most, replace=False))
