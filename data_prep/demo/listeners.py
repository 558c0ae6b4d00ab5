"""What listeners make of an acted emotion: other ones than were meant, votes that disagree, ratings that scatter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

# Valence, activation, dominance from 1 to 5, about where published corpora rate what is called by these names.
AFFECT: Mapping[str, tuple[float, float, float]] = {
    "neutral": (3.0, 2.6, 2.9),
    "angry": (1.9, 3.7, 3.9),
    "happy": (3.9, 3.2, 3.2),
    "sad": (2.1, 2.3, 2.6),
    "excited": (4.1, 3.8, 3.5),
    "frustrated": (2.3, 3.1, 3.3),
    "fear": (2.2, 3.6, 2.4),
    "bored": (2.4, 1.9, 2.5),
    "disgusted": (2.1, 2.9, 3.2),
    "surprised": (3.3, 3.4, 3.0),
    "calm": (3.4, 2.0, 3.0),
    "anxious": (2.3, 3.3, 2.3),
    "panic": (1.6, 4.5, 2.2),
    "despair": (1.7, 3.2, 2.0),
    "shame": (2.0, 2.3, 1.9),
    "contempt": (2.2, 2.8, 3.8),
    "emphatic": (2.8, 3.4, 3.7),
    "elated": (4.4, 4.1, 3.8),
    "interested": (3.7, 3.3, 3.2),
    "pride": (4.0, 3.2, 4.1),
}


def acted(heard: str, doubt: float, mistaken_for: Mapping[str, Sequence[str]], rng: np.random.Generator) -> str:
    """The emotion that was acted when ``heard`` was heard: with probability ``doubt`` one that is taken for it."""
    return str(rng.choice(mistaken_for[heard])) if rng.random() < doubt else heard


def ratings(emotion: str, raters: int, rng: np.random.Generator) -> np.ndarray:
    """Valence, activation and dominance of an utterance from 1 to 5, as ``raters`` listeners tick them: (raters, 3)."""
    opinion = np.array(AFFECT[emotion]) + 0.4 * rng.standard_normal(3) + 0.5 * rng.standard_normal((raters, 3))
    return np.clip(np.round(opinion), 1, 5).astype(int)


def votes(label: str | None, raters: int, labels: Sequence[str], rng: np.random.Generator) -> list[str]:
    """One label per listener: a majority for ``label``, or no majority at all when it is ``None``."""
    if label is None:
        return [str(vote) for vote in rng.permutation(labels)[:raters]]
    dissenters = rng.integers(0, (raters + 1) // 2)
    others = rng.permutation([other for other in labels if other != label])[:dissenters]
    return [str(vote) for vote in rng.permutation([label] * (raters - dissenters) + others.tolist())]
