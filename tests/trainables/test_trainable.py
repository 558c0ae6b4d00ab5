"""From a configuration to scores, in this process or on several data-parallel workers."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from data_prep.errors import InputError
from trainables.batches import digest
from trainables.config import TrialConfig
from trainables.criteria import CRITERIA
from trainables.data import draw
from trainables.trainable import train


def test_the_scores_are_those_of_the_whole_target(trial, task_data):
    result = train(trial("cnn"), task_data)
    assert result.confusion.sum() == len(task_data.target)
    assert result.confusion.sum(axis=1).tolist() == [10, 10, 10, 10]
    recalls = [result.metrics[f"test_recall/{name}"] for name in task_data.classes]
    assert result.metrics["test_uar"] == pytest.approx(np.mean(recalls))


def test_every_epoch_is_reported_as_it_ends(trial, task_data):
    reported = []
    result = train(trial("addi", epochs=3), task_data, reported.append)
    assert [epoch["epoch"] for epoch in reported] == [1, 2, 3]
    assert reported == list(result.history)


def test_a_learnable_task_is_learnt(trial, task_data):
    assert train(trial("cnn", epochs=20, learning_rate=3e-3), task_data).metrics["validation_uar"] > 0.6


def test_permuted_source_labels_give_chance_on_the_target(trial, task_data, make_domain):
    rng = np.random.default_rng(0)
    source = make_domain(120, 0.0, 5)
    data = dataclasses.replace(task_data, source=dataclasses.replace(source, labels=rng.permutation(source.labels)))
    scores = [train(trial("cnn", epochs=10, seed=seed), data).metrics["test_uar"] for seed in range(6)]
    # The mean of six runs on 40 utterances of four classes: 0.25, give or take about 0.04.
    assert abs(np.mean(scores) - 0.25) < 0.12


def test_a_class_that_is_missing_from_a_part_of_the_split_is_said_before_training(trial, task_data):
    labels = np.where(task_data.source.labels == 3, 0, task_data.source.labels)
    labels[7] = 3
    data = dataclasses.replace(task_data, source=dataclasses.replace(task_data.source, labels=labels))
    with pytest.raises(
        InputError,
        match=r"random_80_20 with seed 3 leaves no sad utterance in the (train|validation) part .* in each of 100 draws",
    ):
        train(trial("cnn"), data)


def test_a_configuration_survives_json_and_its_identity_is_the_whole_of_it(trial):
    config = trial("addi", without=("decoder",))
    assert TrialConfig.from_dict(config.to_dict()) == config
    others = [dataclasses.replace(config, seed=9), dataclasses.replace(config, data="other data")]
    others.append(dataclasses.replace(config, hyperparameters={**config.hyperparameters, "batch_size": 9}))
    assert len({config.identity, *(other.identity for other in others)}) == 4


def test_a_misspelt_key_of_a_configuration_is_named_with_the_nearest(trial):
    values = {**trial("cnn").to_dict(), "sede": 3}
    with pytest.raises(InputError, match="unknown TrialConfig key 'sede'; known, nearest first: seed"):
        TrialConfig.from_dict(values)


def test_two_data_parallel_workers_give_what_one_gives(ray_session, trial, task_data):
    config = trial("addi", epochs=2)
    one, two = train(config, task_data), train(config, task_data, workers=2)
    # Only the order of floating-point sums differs; Adam's first steps amplify that where a gradient is near zero.
    for name, weight in one.weights.items():
        assert two.weights[name].numpy() == pytest.approx(weight.numpy(), abs=2e-4)
    for name in ("loss/autoencoder", "loss/generator", "loss/discriminators", "loss/classifier"):
        assert two.history[-1][name] == pytest.approx(one.history[-1][name], rel=1e-3)


def test_a_batch_that_workers_cannot_share_equally_is_refused():
    from trainables.workers import Workers

    with pytest.raises(InputError, match="a batch of 8 cannot be shared equally by 3 workers"):
        Workers(0, 3).part(np.arange(8))


def test_a_trial_says_what_standardised_its_features_and_no_test_utterance_had_a_part_in_it(trial, task_data):
    config = trial("cnn", epochs=1)
    result = train(config, task_data)
    rows = draw(task_data, config.task, config.seed)[0].split.train
    source = task_data.source
    seen = np.concatenate([source.values[source.starts[row] : source.starts[row + 1]] for row in rows])
    for corpus in ("source/made_up", "target/other"):
        assert result.normalisation[f"{corpus}.mean"].numpy() == pytest.approx(seen.mean(axis=0), abs=1e-6)
        assert result.normalisation[f"{corpus}.scale"].numpy() == pytest.approx(seen.std(axis=0), abs=1e-6)
    louder = dataclasses.replace(task_data.target, values=task_data.target.values * 2)
    assert digest(train(config, dataclasses.replace(task_data, target=louder)).normalisation) == digest(
        result.normalisation
    )
    other = train(trial("cnn", epochs=1, seed=config.seed + 1), task_data)
    assert digest(other.normalisation) != digest(result.normalisation), "another split, other statistics"


@pytest.mark.parametrize(
    ("protocol", "held_out", "missing"),
    [
        ("random_80_20", {"source_val"}, set()),
        ("target_dev_30", {"target_dev"}, {"deep_embedded_validation"}),
        ("labelled_target_20", {"source_val", "target_dev"}, set()),
        # It grants nothing of the target: the features of the test set tell.
        ("pooled_80_10_10", {"source_val"}, set()),
        # The training set validates: nothing is held out whose losses deep embedded validation could weigh.
        ("whole_source", {"source_val"}, {"deep_embedded_validation"}),
    ],
)
@pytest.mark.parametrize("method", ["cnn", "logistic_regression"])
def test_every_trial_says_what_every_criterion_makes_of_it_as_far_as_its_protocol_lets(
    method, protocol, held_out, missing, trial, task_data
):
    config = trial(method, epochs=1)
    config = dataclasses.replace(config, task=dataclasses.replace(config.task, protocol=protocol))
    # Twelve speakers, of whom each says something of every class.
    source = dataclasses.replace(task_data.source, speakers=tuple(f"made_up/{row // 4}" for row in range(48)))
    known = train(config, dataclasses.replace(task_data, source=source)).metrics
    found = {name.removeprefix("criterion/") for name in known if name.startswith("criterion/")}
    assert found == held_out | set(CRITERIA) - missing
    assert {"domain_accuracy/raw", "domain_accuracy/representation"} <= known.keys()
    if len(held_out) == 1:
        assert known[f"criterion/{next(iter(held_out))}"] == known["validation_uar"]
