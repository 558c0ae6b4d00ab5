"""Batches of several runs or steps gathered at once, and one update of several runs' weights: bit for bit what each is alone."""

from __future__ import annotations

import copy
import dataclasses

import numpy as np
import pytest
import torch
from torch import nn

from trainables.batches import Utterances
from trainables.config import TaskConfig
from trainables.data import draw
from trainables.feed import Feed
from trainables.pool import granted_pool
from trainables.recipe import Recipe
from trainables.sides import Batches, Sides
from trainables.stacked import Feeds, batch_of_one, step_together
from trainables.workers import Workers

STEPS = 3
FIELDS = ("features", "lengths", "labels", "likely")


@pytest.fixture
def task_data(task_data):
    """Each utterance by a speaker of its own, so that runs number those differently that they train on."""
    return dataclasses.replace(
        task_data, source=dataclasses.replace(task_data.source, speakers=task_data.source.utterances)
    )


@pytest.fixture
def make_feed(task_data):
    """Makes a run's feed, and the pool that it draws from."""

    def make(seed, data=task_data, protocol="labelled_target_20", crop=None, mixup=None):
        task = TaskConfig(sources=("made_up",), targets=("other",), protocol=protocol)
        granted = dataclasses.replace(draw(data, task, seed)[0], normalisation="corpus")
        feed = Feed(
            granted,
            seed=seed,
            batch_size=8,
            crop=crop,
            device=torch.device("cpu"),
            workers=Workers(),
            mixup=mixup,
        )
        return feed, granted_pool(granted)

    return make


def assert_gathered_as_by_itself(made, numbers, *, adapts):
    feeds = Feeds([feed for feed, _ in made])
    for step in range(STEPS):
        draws = {number: made[number][0].draw(made[number][1], step, adapts) for number in numbers}
        stacked = feeds.gather(draws)
        for place, number in enumerate(numbers):
            feed, _ = made[number]
            alone = feed.sides.gather(draws[number])
            run = {
                part: {name: _of(place, value) for name, value in fields.items()} for part, fields in stacked.items()
            }
            together = batch_of_one(run)
            assert (together.source is together.labelled) == (alone.source is alone.labelled)
            for part in ("labelled", "source", "target"):
                assert_equal(getattr(together, part), getattr(alone, part))


def _of(place, value):
    """What a run has of a field of all."""
    return {name: each[place] for name, each in value.items()} if isinstance(value, dict) else value[place]


def assert_equal(together, alone):
    assert (together is None) == (alone is None)
    if alone is None:
        return
    for name in FIELDS:
        values = getattr(together, name), getattr(alone, name)
        assert (values[0] is None and values[1] is None) or torch.equal(*values), name
    assert together.attributes.keys() == alone.attributes.keys()
    assert all(torch.equal(numbers, alone.attributes[name]) for name, numbers in together.attributes.items())


# Source alone, or source and target with labels.
WAYS = pytest.mark.parametrize(
    "given",
    [{"protocol": "random_80_20"}, {}, {"crop": 12}, {"mixup": 0.5}, {"crop": 12, "mixup": 0.5}],
    ids=str,
)


@pytest.mark.parametrize("crop", [None, 12])
def test_a_batch_of_both_sides_is_what_numpy_makes_of_them(crop, make_feed, task_data):
    feed, pool = make_feed(3, crop=crop)
    drawn = feed.draw(pool, 0, False).labelled.first
    speech = feed.sides.gather(feed.draw(pool, 0, False)).labelled
    assert drawn.of_target.any() and not drawn.of_target.all()
    likely = iter(drawn.likely)
    for place, row in enumerate(drawn.rows):
        side = drawn.of_target[place]
        domain, held = (task_data.target, feed.target) if side else (task_data.source, feed.source)
        values = domain.values[domain.starts[row] : domain.starts[row + 1]]
        if crop is not None:
            spare = max(len(values) - crop, 0)
            first = min(int(drawn.where[place] * (spare + 1)), spare)
            values = values[first : first + crop]
        expected = np.zeros((crop or feed.shape.frames, values.shape[1]), np.float32)
        scaler = held.scalers[domain.corpora[row]]
        expected[: len(values)] = (values - scaler.mean) / scaler.scale
        assert np.array_equal(speech.features[place], expected) and speech.lengths[place] == len(values)
        probabilities = next(likely) if side else np.eye(feed.shape.classes, dtype=np.float32)[domain.labels[row]]
        assert np.array_equal(speech.likely[place], probabilities) and speech.labels[place] == probabilities.argmax()
        for name, numbers in speech.attributes.items():
            assert numbers[place] == feed.sides.attributes[int(side)][name][row]


@pytest.fixture
def at_once(monkeypatch):
    """Sets how many batches like those of ``draws`` are found, and read, at once, and lists the calls."""

    def set_up(sides, draws, found, read):
        frames, dimensions = sides.shape
        monkeypatch.setattr("trainables.sides._FRAMES_AT_ONCE", found * draws[0].rows * frames)
        monkeypatch.setattr("trainables.sides._VALUES_AT_ONCE", read * draws[0].rows * frames * dimensions)
        calls = {"find": [], "read": []}
        for name, listed in calls.items():
            method = getattr(Sides, name)
            monkeypatch.setattr(Sides, name, lambda *given, of=method, to=listed: to.append(given) or of(*given))
        return calls

    return set_up


@pytest.mark.parametrize(
    ("found", "read", "finds", "reads"), [(3, 3, 3, 3), (6, 2, 2, 3), (100, 1, 1, 5), (1, 1, 5, 5), (1, 3, 3, 3)]
)
@pytest.mark.parametrize("adapts", [False, True])
@WAYS
def test_batches_of_steps_are_gathered_several_at_a_time_bit_for_bit(
    given, adapts, found, read, finds, reads, make_feed, at_once
):
    feed, pool = make_feed(3, **given)
    draws = [feed.draw(pool, step, adapts) for step in range(7)]
    single = [feed.sides.gather(draw) for draw in draws]
    calls = at_once(feed.sides, draws, found, read)
    batches = Batches(feed.sides, draws)
    for step in (0, 1, 3, 5, 6):  # a step may be taken elsewhere, with other runs
        together, alone = batches.take(step), single[step]
        assert (together.source is together.labelled) == (alone.source is alone.labelled)
        for part in ("labelled", "source", "target"):
            assert_equal(getattr(together, part), getattr(alone, part))
    assert (len(calls["find"]), len(calls["read"])) == (finds, reads)


def test_a_batch_that_is_larger_is_gathered_by_itself(make_feed, at_once):
    feed, pool = make_feed(3, mixup=0.5)
    draws = [feed.draw(pool, step, True) for step in range(2)]
    # Eight of the source, as many with labels of either side, each mixed with another, and eight of the target.
    assert draws[0].rows == 5 * 8 and feed.sides.shape == (feed.shape.frames, feed.shape.dimensions)
    calls = at_once(feed.sides, draws, 0.5, 0.5)
    batches = Batches(feed.sides, draws)
    batches.take(0), batches.take(1)
    assert len(calls["find"]) == len(calls["read"]) == 2


@pytest.mark.parametrize("adapts", [False, True])
@WAYS
def test_batches_of_runs_that_share_their_features_are_gathered_at_once_bit_for_bit(given, adapts, make_feed):
    made = [make_feed(seed, **given) for seed in (3, 4, 5)]
    means = [feed.source.scalers["made_up"].mean for feed, _ in made]
    assert (means[0] != means[1]).any(), "each run is standardised by what it trains on"
    speakers = [feed.sides.attributes[0]["speaker"] for feed, _ in made]
    assert (speakers[0] != speakers[1]).any(), "each run numbers the speakers that it trains on"
    assert_gathered_as_by_itself(made, [0, 1, 2], adapts=adapts)
    assert_gathered_as_by_itself(made, [2, 0], adapts=adapts)


def test_one_side_is_read_once_for_all_runs_that_share_it(make_feed, monkeypatch):
    made = [make_feed(seed, protocol="random_80_20") for seed in (3, 4, 5)]
    feeds, read = Feeds([feed for feed, _ in made]), []
    values = Utterances.read
    monkeypatch.setattr(Utterances, "read", lambda *given: read.append(given) or values(*given))
    feeds.gather({number: feed.draw(pool, 0, True) for number, (feed, pool) in enumerate(made)})
    assert len(read) == 2, "source and target"


def test_runs_of_other_features_may_be_among_them(make_feed, make_domain, task_data):
    # Of each domain as many utterances, of each corpus a batch from its own.
    other = dataclasses.replace(task_data, target=make_domain(40, 1.5, 7, "third"))
    made = [make_feed(seed, data) for seed, data in ((3, task_data), (4, other), (5, task_data), (6, other))]
    assert_gathered_as_by_itself(made, [0, 1, 2, 3], adapts=True)
    assert_gathered_as_by_itself(made, [3, 1, 2], adapts=True)


def test_batches_that_differ_in_frames_or_in_what_is_labelled_are_of_different_forms(make_feed, make_domain, task_data):
    longer = dataclasses.replace(task_data, source=make_domain(48, 0.0, 1, shortest=30))
    made = [make_feed(3), make_feed(4), make_feed(3, protocol="random_80_20"), make_feed(3, longer)]
    feeds = Feeds([feed for feed, _ in made])
    forms = [feeds.form(number, feed.draw(pool, 0, True)) for number, (feed, pool) in enumerate(made)]
    assert forms[0] == forms[1] and len(set(forms)) == 3


SHAPES = ((7, 5), (5,), (33,))
MOMENTUM = Recipe(optimiser="sgd", momentum=0.9)


def train(recipe: Recipe, dtype: torch.dtype, together: bool) -> tuple[list, list]:
    """Three runs' weights and optimisers after some steps in which all happens that may happen to an optimiser.

    The runs come at different times, each at its own learning rate or that of another, which is halved and has a run go
    back to what it was; one weight has no gradient, in one of the runs.
    """
    generator = torch.Generator().manual_seed(1)

    def random(shape):
        return torch.randn(shape, generator=generator, dtype=dtype)

    runs = [[nn.Parameter(random(shape)) for shape in SHAPES] for _ in range(3)]
    optimisers = [recipe.optimise(weights, rate) for weights, rate in zip(runs, (0.1, 0.1, 0.02), strict=True)]
    best = None
    for step in range(8):
        training = [number for number in range(3) if step >= 2 * number and not (number == 0 and step in (4, 5))]
        for number in training:
            for place, weight in enumerate(runs[number]):
                weight.grad = None if (number, place) == (1, 2) else random(weight.shape)
        if together:
            step_together(recipe, [optimisers[number] for number in training])
        else:
            for number in training:
                optimisers[number].step()
        if step == 3:
            best = copy.deepcopy(optimisers[1].state_dict())
        if step == 5:
            optimisers[1].load_state_dict(best)
            optimisers[1].param_groups[0]["lr"] = 0.05
        if step == 6:
            optimisers[2].param_groups[0]["lr"] = 0.05
    return runs, [optimiser.state_dict() for optimiser in optimisers]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("recipe", [Recipe(), MOMENTUM, Recipe(optimiser="sgd")], ids=["adam", "momentum", "sgd"])
def test_optimisers_that_step_together_do_bit_for_bit_what_each_does_by_itself(recipe, dtype):
    (alone, states), (packed, packed_states) = (train(recipe, dtype, together) for together in (False, True))
    for mine, other in zip(alone, packed, strict=True):
        assert all(torch.equal(weight, same) for weight, same in zip(mine, other, strict=True))
    for mine, other in zip(states, packed_states, strict=True):
        assert mine["param_groups"] == other["param_groups"]
        assert mine["state"].keys() == other["state"].keys()
        for place, state in mine["state"].items():
            assert state.keys() == other["state"][place].keys()
            assert all(
                value is other["state"][place][name] or torch.equal(value, other["state"][place][name])
                for name, value in state.items()
            )


def test_optimisers_of_one_learning_rate_step_in_one_operator(monkeypatch):
    recipe, calls = Recipe(), []
    runs = [nn.Linear(3, 2) for _ in range(4)]
    optimisers = [recipe.optimise(run.parameters(), rate) for run, rate in zip(runs, (0.1, 0.2, 0.1, 0.1), strict=True)]
    for run in runs:
        run(torch.ones(1, 3)).sum().backward()
    adam = torch._fused_adam_
    monkeypatch.setattr(
        torch,
        "_fused_adam_",
        lambda weights, *rest, **named: calls.append(len(weights)) or adam(weights, *rest, **named),
    )
    step_together(recipe, optimisers)
    assert calls == [6, 2]
