"""The data of a sweep, made ready: the store it is given, the corpora it is given, or demo corpora of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from data_prep import demo
from data_prep.build import build
from data_prep.errors import InputError, nearest_first
from data_prep.places import Place, place
from data_prep.progress import counted
from data_prep.store import Store, open_store

STORE = Path("stores/corpora")


@dataclass(frozen=True, kw_only=True)
class DataSource:
    """Where a sweep's data comes from: enough to make the same store again.

    Attributes:
        store: the feature store.
        corpora: folders to build from, by corpus name; empty when the store is used as it is.
        demo: size and seed of the demo corpora; ``None`` with corpora of one's own.
    """

    store: str
    corpora: Mapping[str, str]
    demo: Mapping[str, Any] | None = None

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON types."""
        return asdict(self)


def choose(store: Place | None, corpora: Mapping[str, Place], size: str, needed: Sequence[str]) -> DataSource:
    """Where the data of a sweep comes from, by what its user gave: a store, corpora, both, or neither.

    Args:
        store: the feature store, or ``None``.
        corpora: folders by corpus name.
        size: of the demo corpora that are used where there is neither.
        needed: the corpora of the sweep's tasks.

    Raises:
        InputError: there is no demo corpus of a needed one.
    """
    if store is None and not corpora:
        if missing := [name for name in needed if name not in demo.layouts.known()]:
            raise InputError(
                f"there is no demo corpus of {', '.join(missing)} (there is of {', '.join(demo.layouts.known())}); "
                f"give the real one with --corpus {missing[0]}=PATH, or a --store that holds it"
            )
        return DataSource(store=f"stores/demo-{size}-0", corpora={}, demo={"size": size, "seed": 0})
    return DataSource(
        store=str((store or STORE).resolve()),
        corpora={name: str(path.resolve()) for name, path in corpora.items()},
    )


def make_ready(source: DataSource, features: Mapping[str, Sequence[str]], console: Console) -> Store:
    """The store, with everything that is missing in it built.

    Args:
        source: where the data comes from.
        features: the corpora that are needed of each feature.
        console: where progress is shown.

    Raises:
        InputError: a needed corpus is neither in the store nor given.
    """
    corpora = {name: place(path) for name, path in source.corpora.items()}
    if source.demo is not None:
        size, seed = source.demo["size"], source.demo["seed"]
        needed = {name for names in features.values() for name in names}
        with counted("speaking demo corpora", console) as progress:
            folder = Path(f"demo_corpora/{size}-{seed}")
            corpora = dict(demo.speak(folder, size=size, seed=seed, corpora=needed, progress=progress))
    path = place(source.store)
    if corpora:
        build(path, corpora, list(features))
    store = open_store(path)
    for feature, names in features.items():
        there = store.corpora(feature)
        if missing := [name for name in names if name not in there]:
            raise InputError(
                f"the store {path} holds no {feature} of {', '.join(missing)}; it holds, nearest first: "
                f"{', '.join(nearest_first(missing[0], there)) or 'nothing'}; add it with --corpus {missing[0]}=PATH"
            )
    return store
