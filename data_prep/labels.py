"""Label schemes: from a corpus's own labels to the classes of a task.

A corpus module says what each of its raw labels means (:data:`data_prep.corpora.EMOTIONS`); a scheme says which
meanings are which class. So a new corpus works with every scheme, and a new scheme with every corpus. A scheme of the
halves of a rating's scale also says where each corpus's scale is halved; a rating on it comes before the label.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from data_prep import corpora
from data_prep.errors import unknown


@dataclass(frozen=True)
class LabelScheme:
    """A named mapping from what labels mean to the classes of a task; a meaning it does not hold is left out.

    Attributes:
        classes: the task's classes in their fixed order: metrics and networks number them so.
        meanings: each meaning that takes part to its class.
        rating: the rating whose halves the two classes are, if they are.
        boundaries: by corpus reader, the highest ``rating`` of the first class. An utterance that is not rated, and
            any of another corpus, goes by its label.
    """

    name: str
    classes: tuple[str, ...]
    meanings: Mapping[str, str]
    rating: Literal["arousal", "valence"] | None = None
    boundaries: Mapping[str, float] = field(default_factory=dict)

    def target(
        self, reader: str, emotion: str | None, *, arousal: float | None = None, valence: float | None = None
    ) -> int | None:
        """The class number of an utterance of the corpus reader ``reader``; ``None`` if it takes no part.

        Args:
            emotion: its raw label.
            arousal, valence: its raw ratings.

        Raises:
            InputError: the reader has no such label.
        """
        value = arousal if self.rating == "arousal" else valence
        if reader in self.boundaries and value is not None and not math.isnan(value):
            return int(value > self.boundaries[reader])
        if emotion is None:
            return None
        labels = corpora.load(reader).labels
        if emotion not in labels:
            raise unknown(f"label of {reader}", emotion, labels)
        name = self.meanings.get(labels[emotion])
        return None if name is None else self.classes.index(name)


def _meanings(**classes: str) -> dict[str, str]:
    """Each word of a class's list to the class."""
    return {meaning: name for name, meanings in classes.items() for meaning in meanings.split()}


# multilingual.txt, 4.1, has anger, fear, happiness, neutral and sadness in all of its corpora, and in table 1 elation and
# panic among the five states of MASC: there, elation is its happiness and panic its fear.
_FOUR = {"angry": "angry", "neutral": "neutral", "sad": "sad", **dict.fromkeys(("happy", "excited", "elated"), "happy")}

# addi.txt, Table 2, and dann.txt, 3.3: IEMOCAP [1, 2.5] and (2.5, 5], RECOLA [-1, 0] and (0, 1].
_BOUNDARIES = {"iemocap": 2.5, "recola": 0.0}

SCHEMES = {
    scheme.name: scheme
    for scheme in (
        # addi.txt 4.1.1: "excited" is merged into "happy"; on IEMOCAP 1,103 / 1,636 / 1,708 / 1,084.
        LabelScheme("emotion4", ("angry", "happy", "neutral", "sad"), _FOUR),
        LabelScheme(
            "emotion5", ("angry", "fear", "happy", "neutral", "sad"), _FOUR | {"fear": "fear", "panic": "fear"}
        ),
        # No paper says how categories halve arousal: this is by sense, and leaves out what could be either.
        LabelScheme(
            "arousal2",
            ("low", "high"),
            _meanings(
                low="bored calm disgusted neutral sad",
                high="angry anxious despair elated emphatic excited fear frustrated happy panic surprised",
            ),
            rating="arousal",
            boundaries=_BOUNDARIES,
        ),
        # FAU-AIBO (addi.txt, 4.1.5 and 5.6) has a labelling of its own in two classes, which its reader gives as the
        # valence -1 or 1; without that, angry and emphatic are negative and all the rest is not, as in those classes.
        # The other categories are by sense, with neutral where FAU-AIBO has it.
        LabelScheme(
            "valence2",
            ("negative", "positive"),
            _meanings(
                negative="angry anxious bored contempt despair disgusted emphatic fear frustrated negative panic sad shame",
                positive="calm elated excited happy interested neutral non_negative positive pride rest surprised",
            ),
            rating="valence",
            boundaries=_BOUNDARIES | {"fau_aibo": 0.0},
        ),
        # attributes.txt, 4.1, discards no data, gives CREMA-D's classes and refers to another paper for the other
        # corpora's. These are CREMA-D's, and for the rest by sense: calm is RAVDESS's second neutral. Surprise takes
        # part (the paper's 1 h 36 min of TESS are all its 2,800 files), as the pleasant one that it is in TESS.
        LabelScheme(
            "valence3",
            ("negative", "neutral", "positive"),
            _meanings(
                negative="angry anxious bored contempt despair disgusted fear frustrated negative panic sad shame",
                neutral="calm neutral",
                positive="elated excited happy interested positive pride surprised",
            ),
        ),
    )
}


def load(name: str) -> LabelScheme:
    """The scheme called ``name``; an unknown one is an error that lists the known ones, nearest first."""
    if name not in SCHEMES:
        raise unknown("label scheme", name, SCHEMES)
    return SCHEMES[name]
