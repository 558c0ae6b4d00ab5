"""What a build did, for people and for programs."""

from __future__ import annotations

from dataclasses import dataclass

from data_prep.places import Place
from data_prep.shards import Quarantined
from data_prep.store import QUARANTINE

# Reasons that a summary prints; all of them are in the store.
_REASONS = 5


@dataclass(frozen=True, kw_only=True)
class CorpusSummary:
    """What became of one feature of one corpus.

    Attributes:
        corpus, feature: names.
        utterances, seconds: what the store now has of it.
        computed, reused: utterances by where their features come from.
        quarantined: the utterances left out.
    """

    corpus: str
    feature: str
    utterances: int
    seconds: float
    computed: int
    reused: int
    quarantined: tuple[Quarantined, ...]

    def __str__(self) -> str:
        return (
            f"{self.corpus} {self.feature}: {self.utterances} utterances, {self.seconds / 3600:.2f} h; "
            f"{self.computed} computed, {self.reused} reused, {len(self.quarantined)} quarantined"
        )


@dataclass(frozen=True, kw_only=True)
class BuildSummary:
    """What a build did.

    Attributes:
        store: the store's folder.
        corpora: each feature of each corpus that was named.
        changed: whether the store is another one now; ``False`` when everything was up to date.
    """

    store: Place
    corpora: tuple[CorpusSummary, ...]
    changed: bool

    @property
    def computed(self) -> int:
        """Utterances whose features were computed."""
        return sum(part.computed for part in self.corpora)

    @property
    def reused(self) -> int:
        """Utterances whose features the old store had."""
        return sum(part.reused for part in self.corpora)

    @property
    def quarantined(self) -> tuple[Quarantined, ...]:
        """Utterances that were left out."""
        return tuple(left_out for part in self.corpora for left_out in part.quarantined)

    def __str__(self) -> str:
        lines = [str(part) for part in self.corpora]
        lines += [f"  left out: {one.corpus} {one.audio}: {one.reason}" for one in self.quarantined[:_REASONS]]
        if len(self.quarantined) > _REASONS:
            lines.append(f"  and {len(self.quarantined) - _REASONS} more; all are in {self.store / QUARANTINE}")
        return "\n".join([*lines, f"store: {self.store}{'' if self.changed else ' (was up to date)'}"])
