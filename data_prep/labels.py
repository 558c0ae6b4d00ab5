"""Label schemes: from a corpus's own labels to the classes of a task.

A corpus module says what each of its raw labels means (:data:`data_prep.corpora.EMOTIONS`); a scheme says which
meanings are which class. So a new corpus works with every scheme, and a new scheme with every corpus.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from data_prep import corpora
from data_prep.errors import unknown


@dataclass(frozen=True)
class LabelScheme:
    """A named mapping from what labels mean to the classes of a task; a meaning it does not hold is left out.

    Attributes:
        classes: the task's classes in their fixed order: metrics and networks number them so.
        meanings: each meaning that takes part to its class.
    """

    name: str
    classes: tuple[str, ...]
    meanings: Mapping[str, str]

    def target(self, reader: str, emotion: str | None) -> int | None:
        """The class number of a raw label of the corpus reader ``reader``; ``None`` if it takes no part.

        Raises:
            InputError: the reader has no such label.
        """
        if emotion is None:
            return None
        labels = corpora.load(reader).labels
        if emotion not in labels:
            raise unknown(f"label of {reader}", emotion, labels)
        name = self.meanings.get(labels[emotion])
        return None if name is None else self.classes.index(name)


_FOUR = {"angry": "angry", "happy": "happy", "excited": "happy", "neutral": "neutral", "sad": "sad"}

SCHEMES = {
    scheme.name: scheme
    for scheme in (
        # addi.txt 4.1.1: "excited" is merged into "happy"; on IEMOCAP 1,103 / 1,636 / 1,708 / 1,084.
        LabelScheme("emotion4", ("angry", "happy", "neutral", "sad"), _FOUR),
        LabelScheme("emotion5", ("angry", "fear", "happy", "neutral", "sad"), _FOUR | {"fear": "fear"}),
    )
}


def load(name: str) -> LabelScheme:
    """The scheme called ``name``; an unknown one is an error that lists the known ones, nearest first."""
    if name not in SCHEMES:
        raise unknown("label scheme", name, SCHEMES)
    return SCHEMES[name]
