"""What a sceptic would ask of every cross-corpus table: IS09 and logistic regression, with the target as free help.

Three rows of fixed settings (C = 0.01, balanced), in which nothing is searched: scaled by the source alone; each corpus
scaled by its own unlabelled statistics; and that with correlation alignment. A cure that does not beat the second is
none. They look at the unlabelled target as adapting methods do, so they need a protocol that grants it::

    variants=(..., *BASELINES)
"""

from __future__ import annotations

from dataclasses import replace

from search_spaces._sweep import Variant
from trainables.config import TaskConfig


def _is09(task: TaskConfig) -> TaskConfig:
    return replace(task, feature="is09")


def _row(name: str, title: str, scaling: str, coral: bool = False) -> Variant:
    settings = {"C": 0.01, "class_weight": "balanced", "scaling": scaling, "coral": coral, "coral_regularisation": 1.0}
    return Variant(name, "logistic_regression", title=title, settings=settings, task=_is09)


BASELINES = (
    _row("is09_source", "IS09 + LR, scaled by the source", "source"),
    _row("is09_corpus", "IS09 + LR, each corpus scaled", "corpus"),
    _row("is09_coral", "IS09 + LR, scaled, CORAL", "corpus", coral=True),
)
