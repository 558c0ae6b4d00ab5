"""The LSTM of multilingual.txt, its transfer, and what learning the language beside the emotion changes."""

from __future__ import annotations

import dataclasses
import math

import pytest
import torch

from data_prep.errors import InputError
from trainables import methods
from trainables.data import draw
from trainables.game import Batch, Shape, Speech, build, play
from trainables.loop import Training
from trainables.methods import language_multitask, lstm, lstm_transfer
from trainables.policies import Verdict

SHAPE = Shape(frames=120, dimensions=13, classes=5)


def training(config, data, start=None) -> Training:
    return Training(config, draw(data, config.task, config.seed)[0], start=start)


def same(first, second, networks) -> dict[str, bool]:
    """Whether each network has the same weights, bit for bit, in two state dictionaries."""
    return {
        name: all(torch.equal(first[key], second[key]) for key in first if key.split(".")[0] == name)
        for name in networks
    }


def parameters(name: str) -> dict[str, int]:
    method = methods.load(name)
    networks = build(play(method), SHAPE, method.hyperparameters(), seed=0)
    return {name: sum(weight.numel() for weight in network.parameters()) for name, network in networks.items()}


def test_it_has_the_papers_layers():
    # Two layers of four gates, each with two biases: 128 cells over 13 coefficients, then over 128; five classes.
    encoder = 4 * 128 * (13 + 128 + 2) + 4 * 128 * (128 + 128 + 2)
    assert parameters("lstm") == {"encoder": encoder, "classifier": 5 * 129}
    assert parameters("lstm_transfer") == {"encoder": encoder, "classifier": 5 * 129, "penultimate": 128 * 129}
    assert parameters("language_multitask") == {"encoder": encoder, "classifier": 5 * 129, "language": 2 * 129}


@pytest.mark.parametrize("name", ["lstm", "lstm_transfer", "language_multitask"])
def test_the_first_weights_and_the_first_loss_of_the_emotion_are_the_same_everywhere(name):
    method, alone = methods.load(name), methods.load("lstm")
    shared, own = (build(play(each), SHAPE, each.hyperparameters(), seed=4) for each in (alone, method))
    state, other = shared.state_dict(), own.state_dict()
    assert all(torch.equal(state[key], other[key]) for key in state)


def test_ten_epochs_without_a_better_one_end_training_at_a_rate_that_never_changes():
    policy = lstm.METHOD.recipe(lstm.Hyperparameters()).policy(1e-3)
    verdicts = [policy.judge(score) for score in [0.4, 0.5] + [0.5] * 10]
    assert verdicts == [Verdict.BEST] * 2 + [Verdict.CONTINUE] * 9 + [Verdict.STOP]
    assert policy.learning_rate == 1e-3


# Logits of two utterances, their emotions and languages; the third's language is none of the source's.
EMOTION = torch.tensor([[2.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
LANGUAGE = torch.tensor([[1.0, 0.0], [3.0, 0.0], [9.0, 0.0]])


def of_batch(languages: list[int]) -> Batch:
    speech = Speech(
        torch.zeros(3, 2, 1),
        torch.tensor([2, 2, 2]),
        torch.tensor([0, 0, 1]),
        attributes={"language": torch.tensor(languages)},
    )
    return Batch(speech, speech)


NETWORKS = {
    "encoder": lambda features, lengths: features,
    "classifier": lambda encoded: EMOTION,
    "language": lambda encoded: LANGUAGE,
}


@pytest.mark.parametrize("alpha", [0.0, 0.3, 2.0])
def test_the_loss_is_that_of_the_emotion_and_alpha_times_that_of_the_language(alpha):
    # -log of the right class's share: of (2, 0), (0, 1) and (0, 0) for the classes 0, 0, 1.
    emotion = (math.log(1 + math.exp(-2)) + math.log(1 + math.e) + math.log(2)) / 3
    # Of (1, 0) and (3, 0) for the languages 0 and 1; the third counts with a loss of 0.
    language = (math.log(1 + math.exp(-1)) + math.log(1 + math.exp(3))) / 3
    loss = language_multitask.multitask_loss(NETWORKS, of_batch([0, 1, -1]), None, {"alpha": alpha})
    assert loss.item() == pytest.approx(emotion + alpha * language)


def test_a_batch_of_unknown_languages_is_one_of_emotions_alone():
    loss = language_multitask.multitask_loss(NETWORKS, of_batch([-1, -1, -1]), None, {"alpha": 1.0})
    alone = lstm.classification_loss(NETWORKS, of_batch([0, 1, -1]), None, {})
    assert torch.equal(loss, alone)


def test_the_loss_is_the_mean_of_that_of_its_parts_however_unevenly_unknown_languages_fall_on_them():
    def loss(*rows: int) -> float:
        chosen = list(rows)
        speech = of_batch([0, 1, -1]).labelled
        part = speech._replace(
            labels=speech.labels[chosen], attributes={"language": speech.attributes["language"][chosen]}
        )
        networks = {
            "encoder": lambda features, lengths: features,
            "classifier": lambda encoded: EMOTION[chosen],
            "language": lambda encoded: LANGUAGE[chosen],
        }
        return language_multitask.multitask_loss(networks, Batch(part, part), None, {"alpha": 2.0}).item()

    # As on two workers, one of whom has both utterances of unknown language.
    assert loss(0, 1, 2, 2) == pytest.approx((loss(0, 1) + loss(2, 2)) / 2)


def test_alpha_0_is_the_lstm_bit_for_bit_and_alpha_1_is_not(task_data, trial):
    alone = training(trial("lstm", epochs=3), task_data).run()
    for alpha, equal in ((0.0, True), (1.0, False)):
        joint = training(trial("language_multitask", epochs=3, alpha=alpha), task_data).run()
        assert all(torch.equal(weight, joint.weights[name]) for name, weight in alone.weights.items()) == equal
        if equal:
            assert [epoch["validation_uar"] for epoch in alone.history] == [
                epoch["validation_uar"] for epoch in joint.history
            ]


def test_the_language_is_learnt(make_domain, task_data, trial):
    """Its speakers' languages are made to be heard: one of them is louder."""
    source = task_data.source
    loud = [language == "it" for language in source.languages]
    values = source.values.copy()
    for row, is_loud in enumerate(loud):
        values[source.starts[row] : source.starts[row + 1]] += 3.0 * is_loud
    run = training(
        trial("language_multitask", epochs=8),
        dataclasses.replace(task_data, source=dataclasses.replace(source, values=values)),
    )
    run.run()
    rows = run.granted.split.validation
    encoded = torch.from_numpy(run.representations(rows, "source"))
    heard = run.networks["language"](encoded).argmax(dim=1)
    # The paper: above 97 %.
    assert [bool(number) for number in heard] == [loud[row] for row in rows]


TRAINED = {
    "all": {"encoder", "penultimate", "classifier"},
    "dense": {"penultimate", "classifier"},
    "penultimate": {"penultimate"},
    "nothing": set(),
}


@pytest.mark.parametrize("trains", TRAINED)
def test_what_is_fine_tuned_moves_and_the_rest_keeps_the_first_runs_weights(trains, task_data, trial):
    first = training(trial("lstm_transfer", epochs=2, seed=1), task_data).run()
    run = training(trial("lstm_transfer", epochs=2, seed=2, trains=trains), task_data, first.weights)
    assert all(same(first.weights, run.modules.state_dict(), TRAINED["all"]).values()), "it starts from them"
    for _ in range(2):
        run.run_epoch()
    stayed = same(first.weights, run.modules.state_dict(), TRAINED["all"])
    assert {name for name, still in stayed.items() if not still} == TRAINED[trains]


def test_what_trains_nothing_is_the_first_runs_model_and_has_an_outcome(task_data, trial):
    first = training(trial("lstm_transfer", epochs=2, seed=1), task_data).run()
    outcome = training(trial("lstm_transfer", epochs=2, seed=2, trains="nothing"), task_data, first.weights).run()
    assert all(same(first.weights, outcome.weights, TRAINED["all"]).values())
    assert outcome.best_epoch == 1 and len(outcome.predicted) == 40


def test_fine_tuning_needs_a_model_of_the_same_size(task_data, trial):
    first = training(trial("lstm_transfer", epochs=1), task_data).run()
    with pytest.raises(InputError, match="what it starts from has another encoder"):
        training(trial("lstm_transfer", hidden_size=64), task_data, first.weights)


@pytest.mark.parametrize(
    ("method", "given", "message"),
    [
        (lstm, {"hidden_size": 0}, "hidden_size is 0; it must be a whole number, 1 or more"),
        (lstm, {"learning_rate": 0.0}, r"learning_rate is 0\.0; it must be above 0"),
        (language_multitask, {"alpha": -1.0}, r"alpha is -1\.0; it must be 0 or more"),
        (lstm_transfer, {"trains": "last"}, "unknown trains 'last'; known, nearest first: pen"),
    ],
)
def test_a_setting_out_of_its_range_is_refused(method, given, message):
    with pytest.raises(InputError, match=message):
        method.Hyperparameters(**given)
