"""What a trial is, fully resolved: everything that its numbers depend on, and nothing else.

A :class:`TrialConfig` is what the searcher hands out, what a worker trains, what MLflow keeps and what ``reproduce``
trains again. Its identity is the hash of the whole of it, so two runs that differ in anything are never taken as one.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from data_prep.errors import InputError, unknown

# What begins the names of the hyperparameters of the run that a run starts from.
START = "start."
# How far apart the seeds of one trial are: further than anybody's replicates, whose seeds follow each other. It is a
# prime, so that where consecutive seeds take turns at what is tested, these take turns too.
_STRIDE = 1_000_003


@dataclass(frozen=True, kw_only=True)
class TaskConfig:
    """Source corpora to target corpora, a label scheme and an evaluation protocol.

    Attributes:
        sources, targets: names of corpora in the feature store.
        scheme: the label scheme (:mod:`data_prep.labels`).
        protocol: who may see what (:mod:`data_prep.splits`).
        feature: the feature type (:mod:`data_prep.features`).
        max_frames: utterances are padded with zeros to the longest one of the task, but to no more than this many
            frames; a longer one is cut in its middle. ``None`` cuts nothing (addi.txt, 4.2). Where the feature's paper
            gives every utterance one length (:class:`~data_prep.features.Length`), this can only shorten it.
    """

    sources: tuple[str, ...]
    targets: tuple[str, ...]
    scheme: str = "emotion4"
    protocol: str = "random_80_20"
    feature: str = "mfb40"
    max_frames: int | None = None

    def __post_init__(self) -> None:
        for side, corpora in (("sources", self.sources), ("targets", self.targets)):
            if isinstance(corpora, str) or not all(isinstance(name, str) and name for name in corpora) or not corpora:
                raise InputError(f"{side} of a task is {corpora!r}; it must be a tuple of one or more corpora's names")
        if self.max_frames is not None and self.max_frames < 1:
            raise InputError(f"max_frames of a task is {self.max_frames}; it must be 1 or more, or None to cut nothing")

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> TaskConfig:
        """The task of plain JSON types; an unknown key is an error that names the nearest known one."""
        return construct(
            cls, {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
        )

    @property
    def corpora(self) -> tuple[str, ...]:
        """All that it needs."""
        return (*self.sources, *self.targets)

    @property
    def name(self) -> str:
        """Short and fit for a path or a pattern: ``iemocap-emodb``, followed by what is not as usual in it."""
        return "-".join(["+".join(self.sources), "+".join(self.targets), *self._unusual])

    @property
    def title(self) -> str:
        """For people: ``iemocap → emodb``, and what is not as usual in it."""
        unusual = f" ({', '.join(self._unusual)})" if self._unusual else ""
        return f"{'+'.join(self.sources)} → {'+'.join(self.targets)}{unusual}"

    @property
    def _unusual(self) -> list[str]:
        usual = {item.name: item.default for item in dataclasses.fields(self)}
        return [getattr(self, key) for key in ("scheme", "protocol", "feature") if getattr(self, key) != usual[key]]


@dataclass(frozen=True, kw_only=True)
class TrialConfig:
    """One training run, or the mean of several that differ in their seeds alone.

    Attributes:
        method: a module of :mod:`trainables.methods`.
        without: players and networks of the method's game that this variant removes.
        task: what it is trained and tested on.
        hyperparameters: the method's hyperparameters by name, every one of them.
        epochs: passes over the source training set at the most; schedules run over these.
        seed: of the four random streams (split, initialisation, order, noise).
        data: fingerprint of the features and labels it is trained on.
        start: the run whose weights this one begins with (a pretext task, or another corpus); ``None`` for none.
        seeds: how many seeds it is trained under, ``seed`` the first of them (:func:`seeds_of`); its numbers are means
            over them. All start from the same weights.
    """

    method: str
    task: TaskConfig
    hyperparameters: Mapping[str, Any]
    epochs: int
    seed: int
    data: str
    without: tuple[str, ...] = field(default=())
    start: TrialConfig | None = None
    seeds: int = 1

    def __post_init__(self) -> None:
        if self.seeds < 1:
            raise InputError(f"seeds of a trial is {self.seeds}; it must be 1 or more")

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON types; :meth:`from_dict` gives it back. A single run has no ``seeds``."""
        values = json.loads(json.dumps(dataclasses.asdict(self)))
        values["start"] = None if self.start is None else self.start.to_dict()
        if self.seeds == 1:
            del values["seeds"]
        return values

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> TrialConfig:
        """The configuration of :meth:`to_dict`; an unknown key is an error that names the nearest known one."""
        task = TaskConfig.from_dict(values["task"])
        start = None if values.get("start") is None else cls.from_dict(values["start"])
        return construct(cls, {**values, "task": task, "without": tuple(values.get("without", ())), "start": start})

    @property
    def values(self) -> dict[str, Any]:
        """All hyperparameters; those of the run that it starts from are called ``start.<name>``."""
        before = {} if self.start is None else self.start.hyperparameters
        return {**self.hyperparameters, **{f"{START}{name}": value for name, value in before.items()}}

    @property
    def runs(self) -> tuple[TrialConfig, ...]:
        """The runs that it is the mean of, one for each seed; of a single run, itself."""
        return tuple(dataclasses.replace(self, seed=seed, seeds=1) for seed in seeds_of(self.seed, self.seeds))

    @property
    def identity(self) -> str:
        """Hex digest of the whole configuration."""
        canonical = json.dumps(self.to_dict(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()[:16]


def seeds_of(first: int, count: int) -> range:
    """The seeds of a trial that is trained under ``count`` of them; ``first`` is one of them, its successors are not."""
    return range(first, first + count * _STRIDE, _STRIDE)


def construct(kind: type, values: Mapping[str, Any]) -> Any:
    """``kind(**values)`` for a data class, with an error for people where a key is unknown or missing."""
    fields = {item.name: item for item in dataclasses.fields(kind)}
    for key in values:
        if key not in fields:
            raise unknown(f"{kind.__name__} key", key, fields)
    for name, item in fields.items():
        if name not in values and item.default is dataclasses.MISSING and item.default_factory is dataclasses.MISSING:
            raise InputError(f"{kind.__name__} lacks {name!r}; it has {', '.join(sorted(values))}")
    return kind(**values)
