"""The baseline of attributes.txt: its losses, its masks, and how section 4 has it trained."""

from __future__ import annotations

import math

import pytest
import torch

from trainables import methods
from trainables.game import Batch, Shape, Speech, build, noise, play
from trainables.methods import cnn_lstm
from trainables.policies import Decay, Verdict

METHOD = methods.load("cnn_lstm")


def test_the_loss_is_the_cross_entropy_of_what_is_labelled():
    logits = torch.tensor([[math.log(2.0), 0.0, 0.0], [0.0, 0.0, 0.0]])
    networks = {
        "augment": lambda features, lengths: features,
        "encoder": lambda features, lengths: features,
        "classifier": lambda represented: logits,
    }
    labelled = Speech(torch.zeros(2, 4, 1), torch.tensor([4, 4]), torch.tensor([0, 2]))
    # softmax of (log 2, 0, 0) is (2/4, 1/4, 1/4).
    loss = cnn_lstm.emotion_loss(networks, Batch(labelled, labelled), None, {})
    assert loss.item() == pytest.approx((math.log(2) + math.log(3)) / 2)


def test_training_sees_masked_speech_and_prediction_all_of_it():
    networks = build(play(METHOD), Shape(60, 6, 3), METHOD.hyperparameters(dropout=0.0), seed=0)
    batch = noise(Shape(60, 6, 3), utterances=3)
    read = []
    networks["encoder"].register_forward_pre_hook(lambda module, inputs: read.append(inputs[0]))
    cnn_lstm.emotion_loss(dict(networks.items()), batch, None, {})
    cnn_lstm.predict(dict(networks.items()), *batch.labelled[:2])
    assert ((read[0] == 0) != (batch.labelled.features == 0)).any()
    assert torch.equal(read[0][read[0] != 0], batch.labelled.features[read[0] != 0])
    assert torch.equal(read[1], batch.labelled.features)


def test_the_papers_training_is_what_it_says_in_section_4():
    usual = METHOD.hyperparameters()
    assert (usual.learning_rate, usual.dropout, usual.time_mask, usual.frequency_mask) == (0.002, 0.5, 30, 3)
    recipe = METHOD.recipe(usual)
    assert (recipe.optimiser, recipe.momentum, METHOD.feature) == ("sgd", 0.9, "mfb40_normalised")


def test_training_stops_early_and_never_changes_the_learning_rate():
    policy = METHOD.recipe(METHOD.hyperparameters(patience=2)).policy(0.002)
    assert isinstance(policy, Decay)
    assert [policy.judge(score) for score in (0.5, 0.4, 0.6, 0.6, 0.6)] == [
        Verdict.BEST,
        Verdict.CONTINUE,
        Verdict.BEST,
        Verdict.CONTINUE,
        Verdict.STOP,
    ]
    assert policy.learning_rate == 0.002
