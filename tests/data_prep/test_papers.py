"""The tasks of the five papers: readers, schemes and protocols fit together, on the small demo corpora without their audio."""

from __future__ import annotations

import itertools
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from data_prep import corpora, labels, splits
from data_prep.corpora import Utterance
from data_prep.demo import layouts, stage
from data_prep.splits import Side

ENGLISH = "ravdess savee tess"
POOLED = "emodb emovo epst iemocap ravdess savee"
MULTILINGUAL = "emodb emovo iemocap masc savee"

# Source, target, scheme and protocol.
TASKS = {
    "addi.txt": [
        ("iemocap", "msp_improv", "emotion4", "random_80_20"),
        ("msp_improv", "iemocap", "emotion4", "random_80_20"),
        ("iemocap", "emodb", "emotion4", "whole_source"),
        *(("iemocap", "recola", half, "whole_source") for half in ("arousal2", "valence2")),
        *(("recola", "iemocap", half, "whole_source") for half in ("arousal2", "valence2")),
        ("iemocap", "msp_improv", "emotion4", "target_dev_30_speakers"),
        ("iemocap", "msp_improv", "emotion4", "labelled_target_10_percent"),
        ("iemocap", "fau_aibo", "valence2", "target_dev_20"),
    ],
    "dann.txt": [
        (source, target, half, protocol)
        for half in ("arousal2", "valence2")
        for source, target, protocol in (
            ("iemocap", "recola", "target_dev_30"),
            ("recola", "iemocap", "target_dev_30"),
            ("iemocap", "iemocap", "within_70_25_5"),
            ("recola", "recola", "within_70_25_5"),
        )
    ],
    "pseudo_label.txt": [
        (ENGLISH, target, "emotion5", protocol)
        for target in ("cafe", "emodb", "emovo", "shemo")
        for protocol in ("speakers_60_20_20", "speakers_60_20_20_labelled_25", "speakers_60_20_20_labelled_100_percent")
    ],
    "attributes.txt": [
        (POOLED, "tess", "valence3", "pooled_80_10_10"),
        (POOLED, "crema_d", "valence3", "pooled_80_10_10"),
        (POOLED, POOLED, "valence3", "pooled_80_10_10_within"),
    ],
    "multilingual.txt": [
        (corpus, corpus, "emotion5", "leave_speakers_out") for corpus in (*MULTILINGUAL.split(), MULTILINGUAL)
    ],
}


@pytest.fixture(scope="module")
def read(tmp_path_factory):
    """The rows of a small demo corpus: its names and label files, with nothing in the audio."""

    @cache
    def rows(name: str) -> list[Utterance]:
        layout, turns, times = layouts.load(name), stage.script(name, "small", 0), []
        for _, recording in itertools.groupby(turn.audio for turn in turns):
            times += [(2.0 * number + 1, 2.0 * number + 2) for number, _ in enumerate(recording)]
        texts = layout.label_files(turns, times, np.random.default_rng(0)) if layout.label_files else {}
        folder: Path = tmp_path_factory.mktemp(name)
        for file, text in {**dict.fromkeys((turn.audio for turn in turns), ""), **texts}.items():
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / file).write_text(text, encoding="utf-8")
        return corpora.read(name, folder)

    return rows


@pytest.mark.parametrize(
    ("source", "target", "scheme", "protocol"),
    [pytest.param(*task, id=f"{paper} {' '.join(task)}") for paper, tasks in TASKS.items() for task in tasks],
)
def test_every_class_is_trained_and_tested_in_every_task_of_the_papers(source, target, scheme, protocol, read):
    def side(names: str) -> tuple[Side, np.ndarray]:
        known, held = labels.load(scheme), []
        for name in names.split():
            for row in read(name):
                number = known.target(name, row.emotion, arousal=row.arousal, valence=row.valence)
                held += [] if number is None else [(name, f"{name}/{row.speaker}", number)]
        names_of, speakers, classes = zip(*held, strict=True)
        return Side(corpora=names_of, speakers=speakers), np.array(classes)

    (there, learnt), (elsewhere, tested) = side(source), side(target)
    assert splits.load(protocol).within == (source == target)
    split = splits.load(protocol).split(there, elsewhere, np.random.default_rng(0))
    every = set(range(len(labels.load(scheme).classes)))
    assert set(learnt[split.train].tolist()) == every
    assert set(tested[split.test].tolist()) == every
