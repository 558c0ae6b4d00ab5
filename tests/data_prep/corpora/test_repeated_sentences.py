"""Acted corpora repeat the same sentences in every emotion: what of that a split parts, by the real file lists."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest

from data_prep import corpora, splits
from data_prep.splits import Side

acted = pytest.mark.parametrize(
    ("name", "listing", "sentence_of", "sentences"),
    [
        ("emodb", "EMO-DB", lambda utterance_id: utterance_id[2:5], 10),
        ("tess", "TESS", lambda utterance_id: utterance_id.split("_")[1], 200),
        ("crema_d", "CREMA-D", lambda utterance_id: utterance_id.split("_")[1], 12),
    ],
)


@acted
def test_every_sentence_is_said_in_every_emotion_so_that_none_tells_the_emotion(
    name, listing, sentence_of, sentences, real_names, folder
):
    folder.audio(*real_names(listing))
    said = defaultdict(set)
    for utterance in corpora.read(name, folder.path):
        said[sentence_of(utterance.utterance_id)].add(utterance.emotion)
    assert len(said) == sentences
    assert all(emotions == set(corpora.load(name).labels) for emotions in said.values())


@acted
def test_only_a_split_by_speaker_parts_what_one_speaker_says_in_several_emotions(
    name, listing, sentence_of, sentences, real_names, folder
):
    folder.audio(*real_names(listing))
    utterances = corpora.read(name, folder.path)
    said = [sentence_of(utterance.utterance_id) for utterance in utterances]
    source = Side(speakers=[utterance.speaker for utterance in utterances])
    crossing = {}
    for protocol in ("random_80_20", "speakers_80_20"):
        split = splits.load(protocol).split(source, Side(speakers=["other/1"]), np.random.default_rng(0))
        train, validation = (
            {(source.speakers[row], said[row]) for row in rows} for rows in (split.train, split.validation)
        )
        crossing[protocol] = len(train & validation) / len(validation)
    # The split by speaker has every sentence in both parts: what is new in validation is the speakers, not the words.
    assert {said[row] for row in split.train} == {said[row] for row in split.validation} == set(said)
    # Of what is validated at random, the same speaker has trained the same sentence in another emotion, nearly always.
    assert crossing["random_80_20"] > 0.9 and crossing["speakers_80_20"] == 0
