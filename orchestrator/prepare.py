"""The data of a sweep, made ready: the store it is given, the corpora it is given, or demo corpora of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from data_prep import demo
from data_prep.build import build
from data_prep.errors import InputError, nearest_first
from data_prep.store import Store, open_store

STORE = Path("stores/corpora")
DEMO_SIZES = {"smoke": "tiny", "demo": "small", "paper": "full"}


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


def choose(store: Path | None, corpora: Mapping[str, Path], preset: str) -> DataSource:
    """Where the data of a sweep comes from, by what its user gave: a store, corpora, both, or neither."""
    if store is None and not corpora:
        size = DEMO_SIZES[preset]
        return DataSource(store=f"stores/demo-{size}-0", corpora={}, demo={"size": size, "seed": 0})
    return DataSource(
        store=str((store or STORE).resolve()),
        corpora={name: str(path.resolve()) for name, path in corpora.items()},
    )


def make_ready(source: DataSource, feature: str, needed: Sequence[str]) -> Store:
    """The store, with everything that is missing in it built.

    Raises:
        InputError: a needed corpus is neither in the store nor given.
    """
    corpora = {name: Path(path) for name, path in source.corpora.items()}
    if source.demo is not None:
        size, seed = source.demo["size"], source.demo["seed"]
        spoken = demo.speak(Path(f"demo_corpora/{size}-{seed}"), size=size, seed=seed)
        corpora = {name: path for name, path in spoken.items() if name in needed}
    path = Path(source.store)
    if corpora:
        build(path, corpora, [feature])
    store = open_store(path)
    there = store.corpora(feature)
    missing = [name for name in needed if name not in there]
    if missing and source.demo is not None:
        raise InputError(
            f"there is no demo corpus of {', '.join(missing)}; give the real one with --corpus {missing[0]}=PATH"
        )
    if missing:
        raise InputError(
            f"the store {path} holds no {feature} of {', '.join(missing)}; it holds, nearest first: "
            f"{', '.join(nearest_first(missing[0], there)) or 'nothing'}; add it with --corpus {missing[0]}=PATH"
        )
    return store
