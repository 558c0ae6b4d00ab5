"""The batches of several runs as one, and one update of the weights of several runs."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from trainables.draws import Draw
from trainables.feed import Feed
from trainables.game import Batch, Speech
from trainables.recipe import Recipe
from trainables.sides import Sides
from trainables.trees import joined

# A batch of every run: by part and field of it, tensors of which the first dimension is of runs.
StackedBatch = Mapping[str, Mapping[str, Any]]


class Feeds:
    """The feeds of several runs, by their number; of those that read the same features, batches are gathered at once."""

    def __init__(self, feeds: Sequence[Feed]) -> None:
        self._feeds = feeds
        groups: dict[Hashable, list[int]] = defaultdict(list)
        for number, feed in enumerate(feeds):
            groups[feed.sides.features].append(number)
        self._groups = [(Sides.together([feeds[number].sides for number in group]), group) for group in groups.values()]

    def form(self, number: int, draw: Draw) -> Hashable:
        """What the batches of runs must have in common to be one."""
        return self._feeds[number].shape.frames, draw.form

    def gather(self, draws: Mapping[int, Draw]) -> StackedBatch:
        """The batches that some of the runs have drawn, all of one form, in the order in which ``draws`` has them."""
        batches, gathered = [], []
        for sides, group in self._groups:
            here = [number for number in group if number in draws]
            if here:
                sizes = self._feeds[group[0]].sides.sizes
                drawn = joined([draws[number].of_run(group.index(number), sizes) for number in here])
                batches.append(sides.gather(drawn))
                gathered += here
        order = None if gathered == list(draws) else [gathered.index(number) for number in draws]
        return _stack(batches, len(draws), order)


def batch_of_one(stacked: StackedBatch) -> Batch:
    """The batch of one run, where ``torch.func.vmap`` hides the dimension of runs."""
    parts = {name: Speech(**fields) for name, fields in stacked.items()}
    return Batch(parts["labelled"], parts.get("source", parts["labelled"]), parts.get("target"))


def step_together(recipe: Recipe, optimisers: Sequence[Optimizer]) -> None:
    """One step of each of several optimisers that the recipe has made, each of weights of its own.

    Those of one learning rate take it in one operator: a fused optimiser goes through any number of weights, with the
    state and the number of steps that there is of each.
    """
    groups: dict[tuple[float, bool], list[Optimizer]] = defaultdict(list)
    for optimiser in optimisers:
        # With momentum the first step is another than those that follow, for all weights or for none.
        groups[optimiser.param_groups[0]["lr"], bool(optimiser.state)].append(optimiser)
    for (rate, _), alike in groups.items():
        weights = [optimiser.param_groups[0]["params"] for optimiser in alike]
        whole = recipe.optimise(itertools.chain(*weights), rate)
        for optimiser in alike:
            whole.state.update(optimiser.state)
        whole.step()
        for optimiser, own in zip(alike, weights, strict=True):
            optimiser.state.update({weight: whole.state[weight] for weight in own if weight in whole.state})


def _stack(batches: Sequence[Batch], runs: int, order: Sequence[int] | None) -> StackedBatch:
    """Batches, each of one run or several, as one of so many ``runs``, in another order of them if one is given."""

    def stacked(parts: Sequence[Tensor]) -> Tensor:
        whole = (parts[0] if len(parts) == 1 else torch.cat(list(parts))).unflatten(0, (runs, -1))
        return whole if order is None else whole[order]

    def stacked_speech(parts: Sequence[Speech]) -> dict[str, Any]:
        there = [name for name in ("features", "lengths", "labels", "likely") if getattr(parts[0], name) is not None]
        return {
            **{name: stacked([getattr(part, name) for part in parts]) for name in there},
            "attributes": {name: stacked([part.attributes[name] for part in parts]) for name in parts[0].attributes},
        }

    speech = {"labelled": [batch.labelled for batch in batches]}
    if batches[0].source is not batches[0].labelled:
        speech["source"] = [batch.source for batch in batches]
    if batches[0].target is not None:
        speech["target"] = [batch.adaptation for batch in batches]
    return {name: stacked_speech(parts) for name, parts in speech.items()}
