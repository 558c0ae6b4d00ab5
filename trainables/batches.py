"""From ragged utterances to standardised, padded batches on the device that trains."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from trainables.data import Domain, Granted
from trainables.game import ATTRIBUTES
from trainables.resident import RESIDENTS
from trainables.streams import stream

# As corpora say that a gender, or a language, is not known.
_UNKNOWN = {"unknown", "und"}


@dataclass(frozen=True, eq=False)
class Scaler:
    """Standardises each feature dimension: less the mean, over the scale.

    Attributes:
        mean, scale: float32 of shape (dimensions,).
    """

    mean: np.ndarray
    scale: np.ndarray

    @classmethod
    def fit(cls, domain: Domain, rows: np.ndarray) -> Scaler:
        """Mean and standard deviation of the utterances ``rows`` of ``domain``, every frame counting once."""
        # One utterance at a time: the values of a whole corpus in double precision would be a copy for every trial.
        parts = [domain.values[domain.starts[row] : domain.starts[row + 1]] for row in rows]
        frames = sum(len(part) for part in parts)
        mean = sum(part.sum(axis=0, dtype=np.float64) for part in parts) / frames
        variance = sum(np.square(part - mean).sum(axis=0) for part in parts) / frames
        return cls(mean.astype(np.float32), np.maximum(np.sqrt(variance), 1e-8).astype(np.float32))

    @classmethod
    def identity(cls, dimensions: int) -> Scaler:
        """Leaves features as they are."""
        return cls(np.zeros(dimensions, np.float32), np.ones(dimensions, np.float32))


class Frames(NamedTuple):
    """Where the frames of utterances are.

    Attributes:
        places: numbers of rows in their domain's values, int64 of shape (utterances, frames).
        inside: which are not after the utterance's end, bool of shape (utterances, frames).
        lengths: how many are not, int64 of shape (utterances,).
        corpora: the number of each utterance's corpus, int64 of shape (utterances,).
    """

    places: Tensor
    inside: Tensor
    lengths: Tensor
    corpora: Tensor


def find_frames(index: Tensor, frames: int, crop: int | None = None, where: Tensor | None = None) -> Frames:
    """The frames of utterances.

    Args:
        index: of the utterances (:attr:`Utterances.index`).
        frames: that an utterance is padded to.
        crop: how many to take of each; ``None`` for the whole utterance.
        where: where a longer utterance's crop lies, from 0 (its beginning) to 1 (its end), shape (utterances,).
    """
    starts, lengths, corpora = index.unbind()
    if crop is not None and where is not None:
        spare = (lengths - crop).clamp(min=0)
        starts = starts + (where * (spare + 1)).long().clamp(max=spare)
        lengths, frames = lengths.clamp(max=crop), min(crop, frames)
    positions = torch.arange(frames, device=index.device)
    inside = positions < lengths.unsqueeze(1)
    return Frames(torch.where(inside, starts.unsqueeze(1) + positions, 0), inside, lengths, corpora)


class Utterances:
    """One domain's utterances on a device; a batch is gathered from them by row numbers and standardised.

    Attributes:
        index: where each begins among the domain's frames, how many it has, and the number of its corpus, int64 of shape
            (3, utterances).
        labels: class numbers, int64 of shape (utterances,).
        scalers: of each corpus.
    """

    def __init__(self, domain: Domain, scalers: Mapping[str, Scaler], frames: int, device: torch.device) -> None:
        """Takes a domain, with the scaler of each of its corpora."""
        self._frames = frames
        self._values = RESIDENTS.on(domain.values, device)
        self.scalers = scalers
        names = sorted(scalers)
        self._mean = torch.from_numpy(np.stack([scalers[name].mean for name in names])).to(device)
        self._scale = torch.from_numpy(np.stack([scalers[name].scale for name in names])).to(device)
        lengths = np.diff(domain.starts)
        # A longer utterance is cut in its middle: both its ends go.
        starts = domain.starts[:-1] + np.maximum(lengths - frames, 0) // 2
        corpora = np.array([names.index(name) for name in domain.corpora], np.int64)
        self._shortest = int(lengths.min(initial=frames))
        self.index = torch.from_numpy(np.stack([starts, np.minimum(lengths, frames), corpora])).to(device)
        self.labels = torch.from_numpy(np.array(domain.labels)).to(device)

    @classmethod
    def together(cls, runs: Sequence[Utterances]) -> Utterances:
        """The utterances of runs that have the same :attr:`features`, one run's after another's, each scaled as its run's.

        Features are not copied.
        """
        whole = copy.copy(runs[0])
        whole.scalers = {}  # the same corpus has another in each run
        whole._shortest = min(run._shortest for run in runs)
        for name in ("_mean", "_scale", "labels"):
            setattr(whole, name, torch.cat([getattr(run, name) for run in runs]))
        first = [run.index.new_tensor([[0], [0], [number * len(run._mean)]]) for number, run in enumerate(runs)]
        whole.index = torch.cat([run.index + corpus for run, corpus in zip(runs, first, strict=True)], dim=1)
        return whole

    @property
    def features(self) -> Hashable:
        """Where in memory their features are, how many utterances they are of, and how much is read of each."""
        values = self._values.tensor
        return values.data_ptr(), values.shape, values.dtype, len(self), self._frames

    @property
    def shape(self) -> tuple[int, int]:
        """The frames that an utterance is padded to, and their dimensions."""
        return self._frames, self._values.tensor.shape[1]

    def __len__(self) -> int:
        return len(self.labels)

    def gather(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Features of the utterances ``rows``, zeros after an utterance's end, and how many frames each has.

        Args:
            rows: int64 of shape (rows,).

        Returns:
            Float32 of shape (rows, frames, dimensions), and int64 of shape (rows,).
        """
        frames = find_frames(self.index.index_select(1, rows), self._frames)
        return self.read(frames), frames.lengths

    def read(self, frames: Frames) -> Tensor:
        """The features in those places, standardised, zeros after an utterance's end."""
        values, places = self._values.tensor, frames.places
        # Whole rows: indexing with a matrix takes four times as long.
        features = values.index_select(0, places.flatten().to(values.device)).view(*places.shape, values.shape[1])
        features = features.to(places.device)
        features.sub_(self._of(self._mean, frames.corpora)).div_(self._of(self._scale, frames.corpora))
        return features if self._shortest >= places.shape[1] else features.mul_(frames.inside.unsqueeze(2))

    @staticmethod
    def _of(statistics: Tensor, corpora: Tensor) -> Tensor:
        """Each utterance's, as far as its corpus makes a difference, to be spread over its frames."""
        return statistics if len(statistics) == 1 else statistics[corpora].unsqueeze(1)


def attribute_names(source: Domain, rows: np.ndarray) -> dict[str, list[str]]:
    """The classes of each attribute that the source utterances ``rows`` have, in alphabetical order.

    What a corpus says is unknown is no class: all that it would tell is the corpus.
    """
    return {
        name: sorted({values[row] for row in rows if values} - _UNKNOWN) for name, values in _attributes(source).items()
    }


def attribute_numbers(domain: Domain, names: Mapping[str, Sequence[str]], device: torch.device) -> dict[str, Tensor]:
    """Class numbers of each attribute, int64 of shape (utterances,); -1 for what is not among ``names``."""
    numbers = {}
    for attribute, values in _attributes(domain).items():
        number_of = {name: number for number, name in enumerate(names[attribute])}
        listed = [number_of.get(value, -1) for value in values or ["unknown"] * len(domain)]
        numbers[attribute] = torch.tensor(listed, dtype=torch.int64, device=device)
    return numbers


def _attributes(domain: Domain) -> dict[str, Sequence[str]]:
    return dict(zip(ATTRIBUTES, (domain.corpora, domain.genders, domain.speakers, domain.languages), strict=True))


def utterances(granted: Granted, device: torch.device) -> tuple[Utterances, Utterances]:
    """Source and target on ``device``, standardised by what the protocol grants.

    With ``corpus`` the target's statistics are over its ``adaptation`` part alone. A transductive protocol grants the test
    set's features there, and then they count; with any other, no feature of a tested utterance is in any statistic.
    """
    source, target = granted.source, granted.target
    if granted.normalisation == "corpus":
        fitted = _scalers(source, granted.split.train), _scalers(target, granted.split.adaptation)
    else:
        as_it_is = granted.normalisation == "none"
        scaler = Scaler.identity(source.values.shape[1]) if as_it_is else Scaler.fit(source, granted.split.train)
        fitted = dict.fromkeys(source.corpora, scaler), dict.fromkeys(target.corpora, scaler)
    return (
        Utterances(source, fitted[0], granted.frames, device),
        Utterances(target, fitted[1], granted.frames, device),
    )


def statistics(source: Utterances, target: Utterances) -> dict[str, Tensor]:
    """What standardised each corpus of each side.

    Returns:
        Float32 of shape (dimensions,) by name: ``source/emodb.mean`` and ``source/emodb.scale``.
    """
    return {
        f"{side}/{corpus}.{name}": torch.from_numpy(getattr(scaler, name))
        for side, held in (("source", source), ("target", target))
        for corpus, scaler in held.scalers.items()
        for name in ("mean", "scale")
    }


def digest(normalisation: Mapping[str, Tensor]) -> str:
    """Hex digest of :func:`statistics`, every bit of it."""
    hashed = hashlib.sha256()
    for name in sorted(normalisation):
        hashed.update(name.encode())
        hashed.update(normalisation[name].numpy().tobytes())
    return hashed.hexdigest()[:16]


def _scalers(domain: Domain, rows: np.ndarray) -> dict[str, Scaler]:
    """A scaler for each corpus of a domain, fitted on those of ``rows`` that are of it.

    A split by speaker may leave training nothing of a small corpus among others: that one has the scaler of all ``rows``.
    """
    of = np.array(domain.corpora)[rows]
    return {
        name: Scaler.fit(domain, own if len(own := rows[of == name]) else rows)
        for name in dict.fromkeys(domain.corpora)
    }


def batch_rows(rows: np.ndarray, size: int, step: int, seed: int, name: str) -> np.ndarray:
    """The utterances of batch number ``step`` (from 0): an endless cycle through ``rows``, shuffled anew each time round.

    Every batch has ``size`` utterances, and source and target each cycle at their own length, so neither is cut to
    the other's. What a step draws depends on the seed, the name of what is drawn from (``source``) and the step alone.
    """
    first, last = step * size, (step + 1) * size
    rounds = range(first // len(rows), (last - 1) // len(rows) + 1)
    ordered = np.concatenate([_shuffled(len(rows), seed, name, number) for number in rounds])
    offset = rounds[0] * len(rows)
    return rows[ordered[first - offset : last - offset]]


@lru_cache(maxsize=256)  # for the runs of a batch, each with an order for either side
def _shuffled(count: int, seed: int, name: str, number: int) -> np.ndarray:
    return stream(seed, "order", name, number).permutation(count)
