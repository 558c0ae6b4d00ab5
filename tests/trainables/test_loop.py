"""The loop and what it is made of: policy, schedules, streams, batches, scaling."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from data_prep.errors import InputError
from trainables.batches import Scaler, Utterances, batch_rows
from trainables.data import draw
from trainables.loop import Training, TrainingDiverged
from trainables.metrics import score
from trainables.policies import RestoreAndHalve, Verdict
from trainables.schedules import ramp
from trainables.streams import stream_seed
from trainables.validation import predict


def make_training(config, data):
    return Training(config, draw(data, config.task, config.seed)[0])


def test_five_epochs_without_improvement_restore_and_halve_until_the_rate_is_below_1e_5():
    policy = RestoreAndHalve(3e-5)
    verdicts = [policy.judge(score) for score in [0.4, 0.5] + [0.5] * 10]
    waiting = [Verdict.CONTINUE] * 4
    # 3e-5 is halved to 1.5e-5, and then to 7.5e-6, which is below 1e-5.
    assert verdicts == [Verdict.BEST, Verdict.BEST, *waiting, Verdict.RESTORE, *waiting, Verdict.STOP]
    assert policy.learning_rate == pytest.approx(7.5e-6)


def test_an_improvement_starts_the_waiting_anew():
    policy = RestoreAndHalve(1e-4)
    verdicts = [policy.judge(score) for score in [0.5, 0.4, 0.4, 0.4, 0.4, 0.6, 0.4, 0.4, 0.4, 0.4]]
    assert Verdict.RESTORE not in verdicts


def test_restoring_brings_back_the_best_weights_with_half_the_rate(trial, task_data):
    run = make_training(trial("addi"), task_data)
    run.run_epoch()
    best = {name: value.clone() for name, value in run.modules.state_dict().items()}
    run.policy.best = 2.0  # nothing beats this any more
    for _ in range(5):
        run.run_epoch()
    assert all(torch.equal(best[name], value) for name, value in run.modules.state_dict().items())
    assert {group["lr"] for o in run.optimisers.values() for group in o.param_groups} == {5e-4}


def test_what_is_reported_is_the_selected_epoch_and_not_the_last(trial, task_data):
    outcome = make_training(trial("cnn", epochs=6, learning_rate=0.01), task_data).run()
    scores = [epoch["validation_uar"] for epoch in outcome.history]
    assert outcome.best_epoch == 1 + int(np.argmax(scores))
    assert outcome.validation.unweighted_average_recall == max(scores)


def test_a_loss_that_is_no_number_ends_the_run_and_says_whose(trial, task_data):
    task_data.source.values[:] = np.nan
    with pytest.raises(TrainingDiverged, match="loss of classifier is nan after epoch 1"):
        make_training(trial("cnn"), task_data).run()


def test_the_dann_sigmoid_is_at_0_85_after_a_quarter_of_training():
    sigmoid = ramp("sigmoid", 2.0, gamma=10.0)
    assert sigmoid(0.0) == 0.0
    assert sigmoid(0.25) / 2.0 == pytest.approx(0.848, abs=5e-4)
    assert sigmoid(1.0) / 2.0 == pytest.approx(1.0, abs=1e-4)


def test_the_other_ramps_are_constant_and_linear():
    assert [ramp("constant", 0.3)(p) for p in (0, 0.5, 1)] == [0.3, 0.3, 0.3]
    assert [ramp("linear", 0.3)(p) for p in (0, 0.5, 1)] == pytest.approx([0, 0.15, 0.3])


def test_a_schedules_progress_is_steps_done_over_steps_planned(trial, task_data):
    run = make_training(trial("addi", epochs=2, adversarial_ramp="linear"), task_data)
    assert run.steps_per_epoch == 5, "38 training utterances in batches of 8"
    history = run.run().history
    assert [epoch["schedule/adversarial_weight"] for epoch in history] == pytest.approx([4 / 10, 9 / 10])


def test_streams_are_separate_and_named():
    seeds = {stream_seed(seed, name) for seed in (0, 1) for name in ("split", "initialisation", "order", "noise")}
    assert len(seeds) == 8
    assert stream_seed(7, "order", "source", 3) == stream_seed(7, "order", "source", 3)


def test_batches_cycle_through_every_utterance_once_a_round_whatever_the_batch_size():
    rows = np.arange(100, 110)
    drawn = np.concatenate([batch_rows(rows, 4, step, 0, "source") for step in range(5)])
    assert sorted(drawn[:10]) == sorted(drawn[10:20]) == rows.tolist()
    assert drawn[:10].tolist() != drawn[10:20].tolist(), "each round has an order of its own"


def test_a_batch_larger_than_the_corpus_goes_round_it_several_times():
    counts = np.bincount(batch_rows(np.arange(3), 8, 0, 0, "target"))
    assert counts.sum() == 8 and counts.min() >= 2


def test_source_and_target_are_drawn_in_orders_of_their_own():
    rows = np.arange(50)
    assert batch_rows(rows, 50, 0, 0, "source").tolist() != batch_rows(rows, 50, 0, 0, "target").tolist()


def test_the_scaler_is_fitted_on_the_rows_it_is_given_alone(task_data):
    domain = task_data.source
    scaler = Scaler.fit(domain, np.array([2, 5]))
    seen = np.concatenate([domain.values[domain.starts[row] : domain.starts[row + 1]] for row in (2, 5)])
    assert scaler.mean == pytest.approx(seen.mean(axis=0), abs=1e-6)
    assert scaler.scale == pytest.approx(seen.std(axis=0), abs=1e-6)


def test_a_batch_is_padded_with_zeros_after_standardising_and_a_long_utterance_is_cut_in_its_middle(task_data):
    domain, scaler = task_data.source, Scaler.fit(task_data.source, np.arange(48))
    gathered, lengths = Utterances(domain, {"made_up": scaler}, 30, torch.device("cpu")).gather(torch.arange(48))
    assert lengths.tolist() == np.minimum(np.diff(domain.starts), 30).tolist()
    for row, length in enumerate(np.diff(domain.starts)):
        values = (domain.values[domain.starts[row] : domain.starts[row + 1]] - scaler.mean) / scaler.scale
        if length <= 30:
            assert gathered[row, :length].numpy() == pytest.approx(values, abs=1e-5)
            assert not gathered[row, length:].any()
        else:
            cut = (length - 30) // 2
            assert gathered[row].numpy() == pytest.approx(values[cut : cut + 30], abs=1e-5)


def with_protocol(trial, protocol: str, **given):
    config = trial("cnn", **given)
    return dataclasses.replace(config, task=dataclasses.replace(config.task, protocol=protocol))


def test_the_granted_part_of_the_target_selects_the_checkpoint(trial, task_data):
    run = make_training(with_protocol(trial, "target_dev_30", epochs=6, learning_rate=0.01), task_data)
    outcome = run.run()
    rows = run.granted.split.development
    expected = score(task_data.target.labels[rows], predict(run, rows, "target"), 4)
    assert outcome.validation.confusion.tolist() == expected.confusion.tolist()
    assert outcome.best_epoch == 1 + int(np.argmax([epoch["validation_uar"] for epoch in outcome.history]))


def test_held_out_parts_of_source_and_target_select_together(trial, task_data):
    run = make_training(with_protocol(trial, "labelled_target_20"), task_data)
    validation, development = run.granted.split.validation, run.granted.split.development
    confusion = run.run().validation.confusion
    assert confusion.sum() == len(validation) + len(development) == 10 + 4
    parts = (task_data.source, validation, "source"), (task_data.target, development, "target")
    assert (
        confusion.tolist()
        == sum(
            score(domain.labels[rows], predict(run, rows, side), 4).confusion for domain, rows, side in parts
        ).tolist()
    )


@pytest.mark.parametrize("protocol", ["target_dev_30", "labelled_target_20"])
def test_the_targets_other_labels_change_nothing_and_the_granted_ones_what_is_selected(protocol, trial, task_data):
    config = with_protocol(trial, protocol, epochs=5, learning_rate=0.01)
    honest = make_training(config, task_data)
    split = honest.granted.split

    def relabelled(rows):
        labels = task_data.target.labels.copy()
        labels[rows] = (labels[rows] + 1) % 4
        target = dataclasses.replace(task_data.target, labels=labels)
        return make_training(config, dataclasses.replace(task_data, target=target))

    others = np.setdiff1d(np.arange(40), [*split.labelled, *split.development])
    outcome, other, granted = honest.run(), relabelled(others).run(), relabelled(split.development).run()
    assert all(torch.equal(weight, other.weights[name]) for name, weight in outcome.weights.items())
    assert [epoch["validation_uar"] for epoch in outcome.history] == [
        epoch["validation_uar"] for epoch in other.history
    ]
    assert [epoch["validation_uar"] for epoch in outcome.history] != [
        epoch["validation_uar"] for epoch in granted.history
    ]
    # The CNN trains on the source alone: selecting is all that the granted labels do.
    assert [epoch["loss/classifier"] for epoch in outcome.history] == [
        epoch["loss/classifier"] for epoch in granted.history
    ]


def test_a_run_within_a_corpus_never_sees_the_labels_that_it_is_tested_on(trial, task_data):
    inside = dataclasses.replace(task_data, target=task_data.source)
    config = with_protocol(trial, "within_70_25_5", epochs=3)
    honest = make_training(config, inside)
    labels = task_data.source.labels.copy()
    labels[honest.granted.split.test] = labels[honest.granted.split.test][::-1]
    source = dataclasses.replace(task_data.source, labels=labels)
    shuffled = make_training(config, dataclasses.replace(task_data, source=source, target=source))
    assert (labels != task_data.source.labels).any()
    first, second = honest.run(), shuffled.run()
    assert all(torch.equal(weight, second.weights[name]) for name, weight in first.weights.items())


def test_a_method_that_adapts_says_that_there_is_nothing_to_adapt_to(trial, task_data):
    speakers = tuple(f"made_up/{row // 4 % 4}" for row in range(48))
    data = dataclasses.replace(task_data, source=dataclasses.replace(task_data.source, speakers=speakers))
    config = with_protocol(trial, "pooled_80_10_10")
    assert make_training(config, data).run().predicted.shape == (40,)
    with pytest.raises(InputError, match="addi adapts to the target, of which protocol pooled_80_10_10 grants nothing"):
        make_training(dataclasses.replace(trial("addi"), task=config.task), data)
