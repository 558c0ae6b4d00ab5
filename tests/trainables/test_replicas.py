"""Runs that are trained as one batch: each must be what it is by itself.

Compared in double precision. In single precision sums in another order differ in the seventh digit, and Adam makes a
whole step of a gradient that is nothing but such a difference (of a bias before batch normalisation, say), so that there
weights part by as much as the learning rate. In double precision the same differences are of the sixteenth digit, and
several epochs later still far below the tolerance; anything that one run took from another would be far above it.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from data_prep import features
from trainables import methods
from trainables.data import draw
from trainables.game import Method
from trainables.loop import Training
from trainables.replicas import Pack, alike, can_share

TOLERANCE = 1e-7
# Features in single and in double precision, by where the former are in memory.
_DOUBLE: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}
SEEDS = (3, 4)
# By method, ways of configuring it that go different ways through its loss, its networks or the loop.
WAYS = {
    "dann": [{"batch_norm": feed} for feed in ("BN1", "BN2", "BN3", "BN4", "none")],
    "pseudo_label": [{"labels": "hard"}, {"labels": "soft"}],
}
GAMES = [name for name in methods.known() if isinstance(methods.load(name), Method) and methods.load(name).supervised]


def in_double_precision(run: Training) -> Training:
    """The run with weights and features in double precision."""
    run.modules.double()
    for side in (run.feed.source, run.feed.target):
        # Runs that share their features share them in double precision, too.
        single = side._values.tensor
        _, whole = _DOUBLE.setdefault(single.data_ptr(), (single, single.double()))
        side._values = dataclasses.replace(side._values, tensor=whole)
        side._mean, side._scale = side._mean.double(), side._scale.double()
    return run


def with_events(run: Training) -> Training:
    """The run with a policy that does in a few epochs what it otherwise does in many."""
    for name, value in {"patience": 1, "every": 1, "factor": 0.5, "minimum": run.policy.learning_rate / 5}.items():
        if hasattr(run.policy, name):
            setattr(run.policy, name, value)
    return run


@pytest.fixture
def make_run(trial, make_speech):
    def make(name, *, double=True, without=(), epochs=3, seed=3, **given) -> Training:
        config = trial(name, without=without, epochs=epochs, seed=seed, **given)
        data = make_speech(features.load(methods.load(name).feature).dimensions)
        run = with_events(Training(config, draw(data, config.task, config.seed)[0]))
        return in_double_precision(run) if double else run

    return make


def train_as_a_batch(runs: list[Training]) -> None:
    pack = Pack(runs)
    while pack.runs:
        pack.change(go=[run for run, error in pack.advance() if error or run.ended])


def assert_the_same(alone: Training, packed: Training) -> None:
    assert len(alone.history) == len(packed.history)
    for mine, other in zip(alone.history, packed.history, strict=True):
        numbers = {name: value for name, value in mine.items() if name != "train_seconds"}
        assert {name: other[name] for name in numbers} == pytest.approx(numbers, abs=1e-6)
    assert alone.best.epoch == packed.best.epoch
    outcomes = alone.outcome(), packed.outcome()  # with the weights of the best epoch
    weights = packed.modules.state_dict()
    for name, value in alone.modules.state_dict().items():
        assert torch.allclose(weights[name], value, rtol=0, atol=TOLERANCE), name
    assert np.array_equal(outcomes[0].predicted, outcomes[1].predicted)
    for name, optimiser in alone.optimisers.items():
        mine, other = (each.state_dict() for each in (optimiser, packed.optimisers[name]))
        assert mine["param_groups"] == other["param_groups"]
        assert mine["state"].keys() == other["state"].keys()
        for weight, state in mine["state"].items():
            for key, value in state.items():
                assert torch.allclose(other["state"][weight][key], value, rtol=0, atol=TOLERANCE), (name, key)


@pytest.mark.parametrize(
    ("name", "given"), [(name, given) for name in GAMES for given in WAYS.get(name, [{}])], ids=str
)
def test_each_run_of_a_batch_is_what_it_is_by_itself(name, given, make_run):
    alone, packed = ([make_run(name, seed=seed, **given) for seed in SEEDS] for _ in range(2))
    if not can_share(packed[0]):
        assert any(isinstance(module, torch.nn.LSTM) for module in packed[0].modules.modules())
        return
    for run in alone:
        run.run()
    train_as_a_batch(packed)
    for one, other in zip(alone, packed, strict=True):
        assert_the_same(one, other)
    rates = {epoch["learning_rate"] for run in alone for epoch in run.history}
    assert len(rates) > 1, "the learning rate has fallen"


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("cnn", [{"learning_rate": rate} for rate in (1e-4, 1e-3, 1e-2)]),
        ("addi", [{"adversarial_weight": w, "adversarial_ramp": "linear"} for w in (0.0, 0.5, 2.0)]),
        ("dann", [{"alpha": 0.2, "beta": 0.5}, {"alpha": 0.9, "beta_gamma": 3.0}, {"penalty_weight": 0.1}]),
        (
            "pseudo_label",
            [{"labels": "soft", "mixup_least": m, "entropy_weight": 1 - m, "uniformity_weight": m} for m in (0.0, 0.5)],
        ),
    ],
)
def test_configurations_that_differ_in_numbers_are_trained_as_one_batch(name, given, make_run):
    alone, packed = ([make_run(name, **each) for each in given] for _ in range(2))
    assert all(can_share(run) and alike(run, packed[0]) for run in packed)
    for run in alone:
        run.run()
    train_as_a_batch(packed)
    for one, other in zip(alone, packed, strict=True):
        assert_the_same(one, other)


def test_batches_of_which_one_alone_has_pseudo_labels_go_their_own_ways(make_run):
    # At 1 no pseudo-label is admitted, at 0 every one.
    alone, packed = ([make_run("pseudo_label", epochs=2, threshold=tau) for tau in (0.0, 1.0, 0.0)] for _ in range(2))
    for run in alone:
        run.run()
    train_as_a_batch(packed)
    assert [len(run.pool.target) > 0 for run in packed] == [True, False, True]
    for one, other in zip(alone, packed, strict=True):
        assert_the_same(one, other)


def test_runs_may_come_and_go_between_two_steps(make_run):
    alone, packed = (
        [make_run("dann", seed=seed, epochs=epochs) for seed, epochs in ((3, 4), (4, 2), (5, 3))] for _ in range(2)
    )
    for run in alone:
        run.run()
    pack = Pack(packed[:2])
    pack.advance()
    pack.change(come=packed[2:], go=packed[:1])
    while not packed[1].ended:
        pack.advance()
    pack.change(come=packed[:1], go=packed[1:2])
    while pack.runs:
        pack.change(go=[run for run, _ in pack.advance() if run.ended])
    for one, other in zip(alone, packed, strict=True):
        assert_the_same(one, other)


def test_a_run_that_was_saved_in_a_batch_goes_on_from_there_alone_or_in_another(make_run):
    alone = make_run("dann", seed=3)
    alone.run()
    first = [make_run("dann", seed=seed) for seed in SEEDS]
    Pack(first).advance()
    by_itself, in_another = (make_run("dann", seed=3) for _ in range(2))
    for run in (by_itself, in_another):
        run.load_state_dict(first[0].state_dict())
    by_itself.run()
    train_as_a_batch([make_run("dann", seed=5), in_another])
    for run in (by_itself, in_another):
        assert_the_same(alone, run)


def test_what_a_removed_player_leaves_out_of_the_game_is_left_out_of_the_batch(make_run):
    without = ("target_discriminator",)
    alone, packed = ([make_run("addi", seed=seed, without=without) for seed in SEEDS] for _ in range(2))
    for run in alone:
        run.run()
    train_as_a_batch(packed)
    assert_the_same(alone[1], packed[1])


def test_a_run_that_diverges_ends_alone(make_run):
    runs = [make_run("cnn", seed=seed) for seed in SEEDS]
    with torch.no_grad():
        next(iter(runs[1].modules.parameters())).fill_(torch.nan)
    errors = dict(Pack(runs).advance())
    assert errors[runs[0]] is None
    assert "the loss of classifier is nan after epoch 1" in str(errors[runs[1]])


@pytest.mark.parametrize(
    ("name", "one", "other"),
    [
        ("dann", {}, {"dropout": 0.1}),
        ("dann", {}, {"batch_norm": "BN2"}),
        ("cnn", {}, {"batch_size": 4}),
        ("addi", {}, {"without": ("target_discriminator",)}),
    ],
)
def test_what_one_batch_cannot_be_is_not_alike(name, one, other, make_run):
    assert not alike(make_run(name, **one), make_run(name, **other))


def test_replicates_are_alike_and_methods_are_not(make_run):
    first = make_run("dann", seed=1)
    assert alike(first, make_run("dann", seed=2, learning_rate=0.1))
    assert not alike(first, make_run("cnn", seed=1))


def test_a_run_that_has_just_been_validated_is_like_one_that_is_yet_to_begin(make_run):
    first = make_run("dann", seed=1)
    first.run_epoch()
    assert alike(first, make_run("dann", seed=2))


def test_a_run_that_has_left_holds_no_memory_but_its_own(make_run):
    runs = [make_run("cnn", seed=seed) for seed in SEEDS]
    pack = Pack(runs)
    pack.step()
    pack.change(go=runs[:1])
    for weight in runs[0].modules.parameters():
        assert weight.grad is None
        assert weight.untyped_storage().nbytes() == weight.numel() * weight.element_size()


def test_what_is_kept_of_the_best_epoch_is_of_one_run_alone(make_run):
    runs = [make_run("cnn", seed=seed) for seed in SEEDS]
    Pack(runs).advance()
    for value in [*runs[0].best.weights.values(), *runs[0].state_dict()["weights"].values()]:
        assert value.untyped_storage().nbytes() == value.numel() * value.element_size()


def test_in_single_precision_an_epoch_is_the_same_within_rounding(make_run):
    alone, packed = ([make_run("cnn", seed=seed, double=False, epochs=1) for seed in SEEDS] for _ in range(2))
    for run in alone:
        run.run()
    train_as_a_batch(packed)
    for one, other in zip(alone, packed, strict=True):
        assert other.history[0]["loss/classifier"] == pytest.approx(one.history[0]["loss/classifier"], rel=1e-4)


def test_a_gradient_that_lies_otherwise_in_memory_moves_the_same_weights(make_run):
    # torch's fused optimisers go through both as they lie.
    rows, columns = (make_run("cnn", double=False) for _ in range(2))
    for run, lying in ((rows, torch.Tensor.contiguous), (columns, lambda values: values.mT.contiguous().mT)):
        run.begin_step()
        player = run.players[0]
        matrices = [weight for weight in run.weights(player) if weight.dim() == 2]
        gradients = [lying(torch.arange(weight.numel()).view(weight.shape).float()) for weight in matrices]
        run.weights = lambda player, matrices=matrices: matrices
        run.optimisers[player.name] = run.recipe.optimise(matrices, 1.0)
        run.move(player, torch.zeros(()), gradients)
    for one, other in zip(rows.modules.parameters(), columns.modules.parameters(), strict=True):
        assert torch.equal(one, other)


def test_hyperparameters_are_only_read(make_run):
    runs = [make_run("dann", alpha=alpha) for alpha in (0.1, 0.9)]
    train_as_a_batch(runs)
    assert [run.hyperparameters.alpha for run in runs] == [0.1, 0.9]
    assert all(dataclasses.asdict(run.hyperparameters) == run.config.hyperparameters for run in runs)
