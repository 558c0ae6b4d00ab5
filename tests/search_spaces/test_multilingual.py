"""The three sweeps of multilingual.txt against its tables."""

from __future__ import annotations

import pytest

import search_spaces
from data_prep import features
from search_spaces import active, paper_values
from trainables import methods

# Table 2: EMO-DB, EMOVO, SAVEE, IEMOCAP, MASC.
TABLE_2 = {
    ("mfcc13", "lstm"): "44.19 30.00 35.56 50.48 41.64",
    ("is09", "logistic_regression"): "85.00 38.00 46.00 58.00 49.00",
    ("is09", "svm"): "88.37 35.71 55.55 61.20 58.00",
    ("is09", "lstm"): "86.05 27.14 55.56 55.09 50.40",
}
# Table 3, as shares there: EMO-DB, EMOVO, SAVEE.
TABLE_3 = {"iemocap": "0.4651 0.3571 0.4555", "fine_tuned": "0.8372 0.3142 0.5555"}
TABLE_4 = {"lstm": "58.14 21.43 34.44 50.80 43.37", "multitask": "53.48 28.00 33.30 50.69 43.10"}


def figures(sweep, variant):
    return [sweep.published[variant.name, task.name].mean for task in sweep.tasks]


def numbers(text, times=1.0):
    return pytest.approx([times * float(number) for number in text.split()])


def test_table_2_is_features_by_classifiers_by_corpora():
    sweep = search_spaces.load("single_corpus")
    assert [task.targets for task in sweep.tasks] == [("emodb",), ("emovo",), ("savee",), ("iemocap",), ("masc",)]
    rows = {(variant.on(sweep.tasks[0]).feature, variant.method): figures(sweep, variant) for variant in sweep.variants}
    assert rows == {row: numbers(text) for row, text in TABLE_2.items()}


def test_table_2_as_read_agrees_with_what_the_paper_says_of_it():
    """Section 5: support vectors are best on four corpora of five, and IS09 is better than MFCC for the LSTM on four."""
    table = {row: [float(figure) for figure in text.split()] for row, text in TABLE_2.items()}
    best = [max(scores[column] for scores in table.values()) for column in range(5)]
    # On SAVEE the LSTM has a hundredth more.
    assert [best[column] - table["is09", "svm"][column] < 0.02 for column in range(5)] == [
        True,
        False,
        True,
        True,
        True,
    ]
    assert sum(is09 > mfcc for is09, mfcc in zip(table["is09", "lstm"], table["mfcc13", "lstm"], strict=True)) == 4
    # Counts of 43, 70 and 90 utterances, but for logistic regression.
    for row, scores in table.items():
        whole = [
            abs(score * of / 100 - round(score * of / 100)) < 0.01
            for score, of in zip(scores, (43, 70, 90), strict=False)
        ]
        assert all(whole) == (row[1] != "logistic_regression")


def test_table_3_starts_from_iemocap():
    sweep = search_spaces.load("transfer")
    for variant in sweep.variants[:2]:
        assert figures(sweep, variant) == numbers(TABLE_3[variant.name], 100)
        assert {variant.start.task(task).corpora for task in sweep.tasks} == {("iemocap", "iemocap")}
        assert {variant.start.task(task).feature for task in sweep.tasks} == {"is09"}
        assert variant.start_values({})["trains"] == "all"
    assert [variant.values({})["trains"] for variant in sweep.variants] == ["nothing", "penultimate", "all"]
    assert sweep.variants[2].start is None


def test_what_trains_nothing_searches_the_first_run_alone():
    sweep = search_spaces.load("transfer")
    assert set(active(sweep.space, sweep.variants[0])) == {"start.learning_rate"}


def test_table_4_trains_on_all_languages_and_tests_on_each_corpus():
    sweep = search_spaces.load("language_id")
    for variant in sweep.variants:
        assert figures(sweep, variant) == numbers(TABLE_4[variant.name])
    assert {task.sources for task in sweep.tasks} == {("emodb", "emovo", "savee", "iemocap", "masc")}
    assert "alpha" in active(sweep.space, sweep.variants[1]) and "alpha" not in active(sweep.space, sweep.variants[0])


def test_the_papers_features_and_sizes_come_first():
    assert features.load("mfcc13").length.frames == 120, "section 4.1"
    for name in ("single_corpus", "transfer", "language_id"):
        sweep = search_spaces.load(name)
        for variant in sweep.variants:
            drawn = variant.values(paper_values(active(sweep.space, variant)))
            assert drawn.get("hidden_size", 128) == 128 and drawn == {
                **vars(methods.load(variant.method).hyperparameters()),
                **variant.settings,
            }
            assert {variant.on(task).scheme for task in sweep.tasks} == {"emotion5"}
            assert {variant.on(task).protocol for task in sweep.tasks} == {"leave_speakers_out"}
