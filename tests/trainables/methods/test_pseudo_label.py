"""Pseudo-labels: the equations against numbers worked by hand, and what is labelled when, by whom, and how often."""

from __future__ import annotations

import dataclasses
import math
from collections import Counter

import numpy as np
import pytest
import torch
from torch import multiprocessing, nn

from data_prep.errors import InputError
from trainables.config import TaskConfig
from trainables.data import TaskData, draw
from trainables.game import Batch, Shape, Speech, build, noise, play
from trainables.loop import Training
from trainables.methods import pseudo_label
from trainables.networks import emotion_cnn
from trainables.networks.normalisation import BatchMean
from trainables.pool import unlabelled
from trainables.sides import mix
from trainables.workers import Workers

WORKERS = 2
PROTOCOL = "labelled_target_20"


@pytest.fixture(autouse=True)
def small_encoder(monkeypatch):
    """In place of EmotionCNN, the mean of an utterance's own frames: quick, and the same weights on all workers."""

    class Mean(nn.Linear):
        def forward(self, features, lengths):
            return super().forward(features.sum(dim=1) / lengths.unsqueeze(1))

    encoder = pseudo_label.ENCODERS["emotion_cnn"]._replace(build=lambda weights: Mean(6, emotion_cnn.FEATURES))
    monkeypatch.setitem(pseudo_label.ENCODERS, "emotion_cnn", encoder)


@pytest.fixture
def make(trial, task_data):
    """Makes a training run on the small made-up task."""

    def make(protocol: str = PROTOCOL, data: TaskData = task_data, **given) -> Training:
        config = trial("pseudo_label", **given)
        task = TaskConfig(sources=("made_up",), targets=("other",), protocol=protocol)
        return Training(dataclasses.replace(config, task=task), draw(data, task, config.seed)[0])

    return make


def labelled(run: Training, step: int) -> Speech:
    """What a step of a run trains on with labels."""
    return run.feed.sides.gather(run.feed.draw(run.pool, step, adapts=False)).labelled


def test_an_utterance_is_admitted_where_its_likeliest_class_is_at_least_as_likely_as_tau():
    probabilities = np.array([[0.5, 0.3, 0.2], [0.2, 0.49, 0.31], [0.1, 0.1, 0.8]], dtype=np.float32)
    admitted, likely = pseudo_label.hard_labels(probabilities, 0.5)
    assert admitted.tolist() == [True, False, True]
    assert likely.tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 1]]


@pytest.mark.parametrize(("threshold", "admitted"), [(0.0, 3), (1.0, 0)])
def test_tau_1_admits_no_label_not_even_a_rounded_certainty_and_tau_0_admits_all(threshold, admitted):
    probabilities = np.array([[1.0, 0.0], [0.5, 0.5], [0.3, 0.7]], dtype=np.float32)
    assert pseudo_label.hard_labels(probabilities, threshold)[0].sum() == admitted


def test_soft_labels_are_the_probabilities_of_every_utterance():
    probabilities = np.array([[0.5, 0.5], [0.3, 0.7]], dtype=np.float32)
    admitted, likely = pseudo_label.soft_labels(probabilities)
    assert admitted.all() and likely is probabilities


# Two utterances, two classes: probabilities 3/4 and 1/4, and 1/2 and 1/2.
LOGITS = torch.tensor([[math.log(3.0), 0.0], [0.0, 0.0]])
LIKELY = torch.tensor([[1.0, 0.0], [0.25, 0.75]])
CROSS_ENTROPY = (-math.log(3 / 4) - (0.25 * math.log(1 / 2) + 0.75 * math.log(1 / 2))) / 2
# The classes' mean probabilities are 5/8 and 3/8.
R_A = 0.5 * math.log(0.5 / 0.625) + 0.5 * math.log(0.5 / 0.375)
R_H = (-(0.75 * math.log(0.75) + 0.25 * math.log(0.25)) + math.log(2)) / 2


def by_hand(hyperparameters) -> float:
    labelled = Speech(torch.zeros(2, 3, 1), torch.tensor([3, 3]), torch.tensor([0, 1]), LIKELY)
    networks = {"encoder": lambda features, lengths: LOGITS, "classifier": nn.Identity(), "batch_mean": BatchMean()}
    return pseudo_label.loss(networks, Batch(labelled, labelled), hyperparameters, {}).item()


def test_the_regularisers_are_equations_3_and_4():
    assert pseudo_label.uniformity(LOGITS.softmax(dim=1).mean(dim=0)).item() == pytest.approx(R_A)
    assert pseudo_label.entropy(LOGITS).item() == pytest.approx(R_H)
    assert pseudo_label.uniformity(torch.full((4,), 0.25)).item() == pytest.approx(0.0, abs=1e-7)
    assert pseudo_label.entropy(torch.zeros(3, 4)).item() == pytest.approx(math.log(4))


def test_the_loss_of_hard_labels_is_equation_8():
    assert by_hand(pseudo_label.Hyperparameters()) == pytest.approx(CROSS_ENTROPY)


def test_the_loss_of_soft_labels_is_equation_5_with_the_papers_weights():
    soft = pseudo_label.Hyperparameters(labels="soft")
    assert by_hand(soft) == pytest.approx(CROSS_ENTROPY + 0.8 * R_A + 0.4 * R_H)


def test_a_class_that_the_model_never_thinks_of_leaves_a_finite_loss_and_gradient():
    logits = torch.tensor([[0.0, -1e4]], requires_grad=True)
    loss = pseudo_label.uniformity(logits.softmax(dim=1).mean(dim=0)) + pseudo_label.entropy(logits)
    loss.backward()
    assert torch.isfinite(loss) and torch.isfinite(logits.grad).all()


def test_mixup_is_equations_6_and_7():
    def speech(value, frames, labels, likely, speakers):
        features = torch.zeros(2, 3, 1)
        features[:, :frames] = value
        lengths = torch.full((2,), frames)
        return Speech(
            features, lengths, torch.tensor(labels), torch.tensor(likely), {"speaker": torch.tensor(speakers)}
        )

    first = speech(1.0, 2, [0, 1], [[1.0, 0.0], [0.0, 1.0]], [3, 3])
    second = speech(2.0, 3, [1, 0], [[0.0, 1.0], [0.6, 0.4]], [4, 4])
    mixed = mix(first, second, torch.tensor([0.25, 0.9]))
    assert mixed.features[:, :, 0].tolist() == [pytest.approx([1.75, 1.75, 1.5]), pytest.approx([1.1, 1.1, 0.2])]
    assert mixed.likely.tolist() == [pytest.approx([0.25, 0.75]), pytest.approx([0.06, 0.94])]
    assert mixed.lengths.tolist() == [3, 3]
    assert (mixed.labels.tolist(), mixed.attributes["speaker"].tolist()) == ([1, 1], [4, 3])


def test_a_step_mixes_each_utterance_with_another_of_its_batch_each_pair_at_its_own_share(make):
    plain, mixed = make(batch_size=16), make(batch_size=16, labels="soft")
    singles, pairs = (labelled(run, step=5) for run in (plain, mixed))
    shares = []
    for features in pairs.features.flatten(1):
        # One of the pairs of the batch explains it, up to rounding: x = alpha first + (1 - alpha) second.
        found = []
        for first in singles.features.flatten(1):
            for second in singles.features.flatten(1):
                apart = first - second
                alpha = ((features - second) @ apart / (apart @ apart).clamp(min=1e-9)).item()
                if torch.allclose(second + alpha * apart, features, atol=1e-4):
                    found.append(alpha)
        shares.append(found[0])
    assert all(-1e-4 <= share <= 1 + 1e-4 for share in shares) and len(set(np.round(shares, 3))) > 8
    assert pairs.likely.sum(dim=1).tolist() == pytest.approx([1.0] * 16)


def test_with_the_whole_share_to_the_first_nothing_is_mixed(make):
    plain, whole = make(), make(labels="soft", mixup_least=1.0)
    one, other = (labelled(run, step=2) for run in (plain, whole))
    assert torch.equal(one.features, other.features) and torch.equal(one.likely, other.likely)


@pytest.mark.parametrize("labels", ["hard", "soft"])
def test_the_batches_of_two_workers_are_the_parts_of_one_workers(labels, make):
    run = make(labels=labels)
    whole = labelled(run, step=3)
    parts = []
    for rank in range(WORKERS):
        run.feed._workers = Workers(rank, WORKERS)
        parts.append(labelled(run, step=3))
    for name in ("features", "lengths", "labels", "likely"):
        assert torch.equal(torch.cat([getattr(part, name) for part in parts]), getattr(whole, name))


def gradients(networks, batch, workers) -> list[torch.Tensor]:
    for module in networks.modules():
        if isinstance(module, BatchMean):
            module.worker, module.workers = workers.rank, workers.count
    loss = pseudo_label.loss(dict(networks.items()), batch, pseudo_label.Hyperparameters(labels="soft"), {})
    found = [gradient.clone() for gradient in torch.autograd.grad(loss, list(networks.parameters()))]
    workers.average(found)
    return found


def make_networks() -> nn.ModuleDict:
    torch.manual_seed(0)

    class Mean(nn.Linear):
        def forward(self, features, lengths):
            return super().forward(features.mean(dim=1))

    return nn.ModuleDict({"encoder": Mean(6, 5), "classifier": nn.Linear(5, 4), "batch_mean": BatchMean()})


def work(rank: int, folder: str) -> None:
    torch.distributed.init_process_group("gloo", f"file://{folder}/meeting", rank=rank, world_size=WORKERS)
    whole = noise(Shape(7, 6, 4), utterances=8).labelled
    part = Speech(*(values.chunk(WORKERS)[rank] for values in whole[:4]))
    torch.save(gradients(make_networks(), Batch(part, part), Workers(rank, WORKERS)), f"{folder}/{rank}.pt")
    torch.distributed.destroy_process_group()


def test_two_workers_have_the_gradients_of_the_whole_batch_though_a_regulariser_is_not_a_sum_over_it(tmp_path):
    multiprocessing.spawn(work, (str(tmp_path),), nprocs=WORKERS)
    whole = gradients(make_networks(), noise(Shape(7, 6, 4), utterances=8), Workers())
    for rank in range(WORKERS):
        torch.testing.assert_close(torch.load(tmp_path / f"{rank}.pt"), whole)


def labelled_at(run: Training) -> list[int]:
    """The epochs after which the pool was labelled anew."""
    return [epoch["epoch"] for epoch in run.history if "pseudo_labels" in epoch]


@pytest.mark.parametrize(
    ("epochs", "share", "expected"), [(10, 0.3, [3, 6, 9]), (8, 0.25, [2, 4, 6]), (3, 0.1, [1, 2]), (4, 1.0, [])]
)
def test_labelling_happens_every_w_epochs_and_not_after_the_last(epochs, share, expected, make):
    run = make(epochs=epochs, relabel_every=share)
    run.run()
    assert labelled_at(run) == expected


def test_w_is_every_30th_of_the_papers_100_epochs():
    usual = pseudo_label.Hyperparameters()
    relabel = pseudo_label.METHOD.recipe(usual).relabel
    assert relabel.every * 100 == 30


@pytest.mark.parametrize("labels", ["hard", "soft"])
def test_what_is_added_is_what_the_model_says_of_the_unlabelled_utterances_at_that_moment(labels, make):
    run = make(epochs=6, labels=labels, threshold=0.3, rebalance=False, relabel_every=1 / 3)
    rows, granted = unlabelled(run.granted), run.granted.split.labelled
    assert len(granted) and not np.intersect1d(rows, granted).size
    run.run_epoch()
    assert run.pool.target.tolist() == granted.tolist(), "before the first labelling"
    for _ in range(2):
        run.run_epoch()
        while run.epoch % 2:
            run.run_epoch()
        said = run.probabilities(rows, "target")
        kept = np.ones(len(rows), bool) if labels == "soft" else said.max(axis=1) >= 0.3
        assert run.pool.target.tolist() == [*granted, *rows[kept]], "the last labelling replaces the one before it"
        expected = said if labels == "soft" else np.eye(4)[said.argmax(axis=1)]
        assert run.pool.likely[len(granted) :] == pytest.approx(expected[kept])
        assert run.history[-1]["pseudo_labels"] == kept.sum()


@pytest.mark.parametrize(("threshold", "share"), [(0.0, 1.0), (1.0, 0.0)])
def test_a_run_with_tau_0_trains_on_the_whole_target_and_one_with_tau_1_on_what_is_granted(threshold, share, make):
    run = make(epochs=3, threshold=threshold, rebalance=False)
    run.run()
    assert {epoch["pseudo_labels_share"] for epoch in run.history[:-1]} == {share}
    more = len(unlabelled(run.granted)) if share else 0
    assert len(run.pool.target) == len(run.granted.split.labelled) + more


def test_tau_1_with_nothing_granted_is_training_on_the_source_alone_bit_for_bit(make):
    never, at_no_time = make("random_80_20", threshold=1.0, epochs=4), make("random_80_20", relabel_every=1.0, epochs=4)
    first, second = never.run(), at_no_time.run()
    assert all(torch.equal(weight, second.weights[name]) for name, weight in first.weights.items())


def test_rebalancing_makes_as_many_target_utterances_as_of_the_source_before_and_after_labelling(make):
    run = make(epochs=2, threshold=0.0)
    for labelled in (set(run.granted.split.labelled), {*run.granted.split.labelled, *unlabelled(run.granted)}):
        counts = Counter(run.pool.target.tolist())
        assert len(run.pool.target) / len(run.pool.source) == 1.0, "gamma"
        assert set(counts) == labelled and max(counts.values()) - min(counts.values()) <= 1
        run.run_epoch()


def test_without_rebalancing_or_labels_the_target_stays_as_small_as_it_is(make):
    run = make(rebalance=False)
    assert len(run.pool.target) == 16, "of 20 that are granted, 4 select"
    assert len(make("random_80_20").pool.target) == 0


@pytest.mark.parametrize("labels", ["hard", "soft"])
def test_resuming_between_two_labellings_is_exact(labels, make):
    given = {"epochs": 7, "labels": labels, "threshold": 0.3, "relabel_every": 3 / 7}
    undisturbed, stopped, resumed = (make(**given) for _ in range(3))
    for _ in range(4):  # the first labels are from epoch 3, the next from 6
        stopped.run_epoch()
    assert labelled_at(stopped) == [3] and len(stopped.pool.target) > 0
    resumed.load_state_dict(stopped.state_dict())
    first, second = undisturbed.run(), resumed.run()
    assert labelled_at(resumed) == [3, 6]
    assert all(torch.equal(weight, second.weights[name]) for name, weight in first.weights.items())
    for one, other in zip(first.history, second.history, strict=True):
        assert {**one, "train_seconds": 0} == {**other, "train_seconds": 0}


def losses(run: Training) -> list[float]:
    return [epoch["loss/classifier"] for epoch in run.run().history]


@pytest.mark.parametrize("labels", ["hard", "soft"])
def test_target_labels_that_are_not_granted_change_nothing_and_granted_ones_do(labels, make, task_data):
    given = {"epochs": 4, "labels": labels, "threshold": 0.3}
    honest = make(**given)
    split = honest.granted.split

    def relabelled(rows) -> Training:
        classes = task_data.target.labels.copy()
        classes[rows] = (classes[rows] + 1) % 4
        return make(
            data=dataclasses.replace(task_data, target=dataclasses.replace(task_data.target, labels=classes)), **given
        )

    others = np.setdiff1d(np.arange(40), [*split.labelled, *split.development])
    assert len(others) and any("pseudo_labels" in epoch for epoch in honest.run().history)
    expected = [epoch["loss/classifier"] for epoch in honest.history]
    assert losses(relabelled(others)) == expected
    assert losses(relabelled(split.labelled)) != expected


def test_training_sees_two_seconds_and_testing_all():
    for encoder, frames in (("emotion_cnn", 200), ("byol_s", 200), ("hubert", 32_000)):
        weights = "" if encoder == "emotion_cnn" else "random"
        recipe = pseudo_label.METHOD.recipe(pseudo_label.Hyperparameters(encoder=encoder, weights=weights))
        assert recipe.crop == frames, "frames of 10 ms, or samples at 16 kHz"


def test_encoders_that_were_trained_before_take_their_features_as_they_are(make_domain, trial):
    long = TaskData(
        *(
            make_domain(48, shift, seed, name, shortest=500, dimensions=1)
            for name, shift, seed in (("made_up", 3.0, 1), ("other", 4.0, 2))
        ),
        ("angry", "happy", "neutral", "sad"),
    )
    config = trial("pseudo_label", encoder="hubert_tiny", weights="random", epochs=2)
    run = Training(config, draw(long, config.task, 3)[0])
    features, lengths = run.feed.source.gather(torch.tensor([7]))
    starts = long.source.starts
    assert features[0, : lengths[0]].numpy() == pytest.approx(long.source.values[starts[7] : starts[8]])
    run.run()
    assert run.probabilities(np.arange(5), "target").sum(axis=1) == pytest.approx(np.ones(5), abs=1e-5)


def test_the_classification_head_is_a_linear_layer_over_the_encoders_features():
    shape = Shape(frames=40, dimensions=64, classes=5)
    for encoder, width in (("byol_s", 1024), ("hubert_tiny", 32)):
        given = pseudo_label.Hyperparameters(encoder=encoder, weights="random")
        networks = build(play(pseudo_label.METHOD), shape, given, seed=0)
        assert (networks["classifier"].in_features, networks["classifier"].out_features) == (width, 5)


def test_the_papers_settings_are_the_defaults():
    usual = pseudo_label.Hyperparameters()
    assert (usual.learning_rate, usual.batch_size, usual.threshold) == (1e-3, 100, 0.5)
    assert (usual.uniformity_weight, usual.entropy_weight) == (0.8, 0.4)
    policy = pseudo_label.METHOD.recipe(usual).policy(1e-3)
    for _ in range(20):
        policy.judge(0.0)
    assert policy.learning_rate == pytest.approx(1e-3 * 0.95**2), "0.95 after every 10 epochs"


def test_a_protocol_that_grants_nothing_of_the_target_is_refused(trial, task_data):
    speakers = tuple(f"made_up/{row // 4 % 4}" for row in range(48))
    data = dataclasses.replace(task_data, source=dataclasses.replace(task_data.source, speakers=speakers))
    config = trial("pseudo_label")
    task = dataclasses.replace(config.task, protocol="pooled_80_10_10")
    with pytest.raises(InputError, match="pseudo_label adapts to the target, of which protocol pooled_80_10_10 grants"):
        Training(dataclasses.replace(config, task=task), draw(data, task, 3)[0])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"encoder": "hubbert"}, "unknown encoder 'hubbert'; known, nearest first: hubert"),
        ({"encoder": "hubert"}, "encoder hubert needs weights: 'hub' to download torchaudio's, or the path"),
        ({"encoder": "byol_s"}, "encoder byol_s needs weights: the path of a state dictionary; 'random' for none"),
        ({"weights": "hub"}, "weights is 'hub'; encoder emotion_cnn has none to begin with, leave it out"),
        ({"labels": "herd"}, "unknown labels 'herd'; known, nearest first: hard"),
        ({"threshold": 1.5}, "threshold is 1.5; it must be between 0 and 1"),
        ({"mixup_least": -0.1}, "mixup_least is -0.1; it must be between 0 and 1"),
        ({"relabel_every": 30}, "relabel_every is 30; it must be above 0, and 1 at most: it is a share of the epochs"),
        ({"entropy_weight": math.nan}, "entropy_weight is nan; it must be 0 or more, and finite"),
        ({"uniformity_weight": -1.0}, "uniformity_weight is -1.0; it must be 0 or more"),
        ({"batch_size": 0}, "batch_size is 0"),
    ],
)
def test_a_hyperparameter_outside_its_range_is_refused(given, message):
    with pytest.raises(InputError, match=message):
        pseudo_label.Hyperparameters(**given)
