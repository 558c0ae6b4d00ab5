"""What every reader must hold to. A new reader is under these tests because it exists."""

from __future__ import annotations

import random
import re
import sys
from pathlib import Path

import pytest

from data_prep import corpora
from data_prep.errors import InputError

every_corpus = pytest.mark.parametrize("name", corpora.known())
every_labelled_corpus = pytest.mark.parametrize("name", [name for name in corpora.known() if corpora.load(name).labels])


def line(error: pytest.ExceptionInfo[InputError]) -> str:
    """What the person at the keyboard is told; it must be one line."""
    message = str(error.value)
    assert message and "\n" not in message
    return message


@every_corpus
def test_what_it_says_of_itself_is_one_line_each(name):
    corpus = corpora.load(name)
    for text in (corpus.title, corpus.licence, corpus.layout):
        assert text.strip() == text != "" and "\n" not in text


@every_corpus
def test_it_reads_its_layout(name, lay_out):
    tiny = lay_out(name)
    utterances = tiny.read()
    assert len(utterances) >= 2
    for utterance in utterances:
        assert (tiny.folder.path / utterance.audio).is_file()
        assert not Path(utterance.audio).is_absolute() and "\\" not in utterance.audio and ".." not in utterance.audio
        assert utterance.gender in ("female", "male", "unknown") and utterance.speaker
        assert re.fullmatch(r"[a-z]{2,3}(-[A-Z]{2})?", utterance.language)


@every_corpus
def test_utterance_ids_are_unique_and_sorted_and_a_second_reading_is_the_same(name, lay_out):
    tiny = lay_out(name)
    first = tiny.read()
    ids = [utterance.utterance_id for utterance in first]
    assert ids == sorted(set(ids))
    assert tiny.read() == first


@every_corpus
def test_every_label_is_raw_in_the_closed_vocabulary_and_has_a_known_meaning(name, lay_out):
    vocabulary = corpora.load(name).labels
    assert set(vocabulary.values()) <= corpora.EMOTIONS
    found = {utterance.emotion for utterance in lay_out(name).read()} - {None}
    assert found <= set(vocabulary) and (found or not vocabulary)


@every_corpus
def test_it_opens_no_audio(name, lay_out):
    """Python tells of each file it opens; what opens files behind its back would fail on the garbage in them."""
    tiny = lay_out(name)
    opened: list[str] = []
    listening = True

    def listen(event: str, arguments: tuple[object, ...]) -> None:
        if listening and event == "open":
            opened.append(str(arguments[0]).lower())

    sys.addaudithook(listen)
    try:
        endings = {Path(utterance.audio).suffix.lower() for utterance in tiny.read()}
        audio = [path for path in opened if Path(path).suffix in endings]
        (tiny.folder.path / tiny.read()[0].audio).open("rb").close()
    finally:
        listening = False
    assert audio == []
    assert Path(opened[-1]).suffix in endings, "this test would not have noticed"


@every_corpus
def test_the_official_counts_agree_with_the_vocabulary_and_with_themselves(name):
    corpus = corpora.load(name)
    if corpus.expected is None:
        pytest.skip("there are no official counts")
    labels, speakers = corpus.expected.labels, corpus.expected.speakers
    assert corpus.expected.source.strip() == corpus.expected.source != "" and corpus.expected.utterances > 0
    assert set(labels) <= set(corpus.labels)
    for counts in (labels, speakers):
        assert all(count > 0 for count in counts.values()) and sum(counts.values()) <= corpus.expected.utterances
    assert bool(speakers) != (corpus.expected.speaker_count is not None), (
        "how many of each speaker, or how many there are"
    )
    if set(labels) == set(corpus.labels) != set():
        assert sum(labels.values()) == corpus.expected.utterances


@every_labelled_corpus
def test_an_unknown_label_names_the_file_and_the_known_labels(name, lay_out):
    tiny = lay_out(name)
    place = tiny.layout.mislabel(tiny.folder)
    with pytest.raises(InputError) as error:
        tiny.read()
    assert f"{name}: {tiny.folder.path / place} has the unknown label" in line(error)
    assert all(label in line(error) for label in corpora.load(name).labels)


@every_corpus
@pytest.mark.parametrize(
    "wrong", ["no such folder", "empty folder", "folder of something else", "file of something else"]
)
def test_what_is_not_that_corpus_is_said_with_the_place_and_what_was_expected(name, wrong, tmp_path):
    path = tmp_path / "elsewhere"
    if "file" in wrong:
        path.write_text("milk, eggs\n")
    elif wrong != "no such folder":
        path.mkdir()
    if wrong == "folder of something else":
        (path / "holiday.wav").write_bytes(b"")
        (path / "notes.txt").write_text("milk, eggs\n")
    with pytest.raises(InputError) as error:
        corpora.read(name, path)
    assert line(error).startswith(f"{name}: {path}")
    assert corpora.load(name).layout in line(error)


@every_corpus
@pytest.mark.parametrize("other", corpora.known())
def test_another_corpuss_folder_is_not_taken_for_its_own(name, other, lay_out):
    if name != other:
        with pytest.raises(InputError) as error:
            corpora.read(name, lay_out(other).path)
        assert line(error).startswith(f"{name}: ")


@every_corpus
def test_a_path_that_the_system_refuses_is_said_too(name, tmp_path):
    with pytest.raises(InputError) as error:
        corpora.read(name, tmp_path / ("long" * 100))
    assert "cannot be read: File name too long" in line(error)


@every_corpus
def test_folders_that_are_links_are_followed(name, lay_out, tmp_path):
    tiny = lay_out(name)
    before = tiny.read()
    disk = tmp_path / "another disk"
    disk.mkdir()
    for inner in [path for path in tiny.folder.path.iterdir() if path.is_dir()]:
        inner.rename(disk / inner.name)
        inner.symlink_to(disk / inner.name)
        (disk / inner.name / "round in circles").symlink_to(disk)
    assert tiny.read() == before


@every_corpus
def test_damage_ends_in_utterances_or_in_one_line_never_in_a_traceback(name, lay_out):
    """A character of a label file, or of a file's name, becomes another, is doubled or is lost."""
    chance = random.Random(1)
    tiny = lay_out(name)
    endings = {Path(utterance.audio).suffix.lower() for utterance in tiny.read()}
    texts = [file for file in tiny.folder.path.rglob("*") if file.is_file() and b"no reader" not in file.read_bytes()]
    names = [file for file in tiny.folder.path.rglob("*") if file.suffix.lower() in endings]
    whole_corpus, refused = corpora.sift(name, tiny.path), 0
    for _ in range(150):
        file = chance.choice([*texts, chance.choice(names)])
        if file in texts:
            whole = file.read_bytes()
            file.write_bytes(bytes(damaged(list(whole), list(b'-.;:[]0Nn,\t\n"\x00\xff'), chance)))
        else:
            renamed = file.with_name("".join(damaged(list(file.stem), list("-_0aZ ."), chance)) + file.suffix)
            file.rename(renamed)
        try:
            refused += len(corpora.sift(name, tiny.path)[1]) > len(whole_corpus[1])
        except InputError as error:
            refused += 1
            assert "\n" not in str(error)
        if file in texts:
            file.write_bytes(whole)
        else:
            renamed.rename(file)
    assert refused > 0


def damaged(items: list, others: list, chance: random.Random) -> list:
    """The items with one of them changed, or lost, or with another before it."""
    place, other = chance.randrange(len(items)), chance.choice(others)
    put = chance.choice([[], [other], [other, items[place]]])
    return items[:place] + put + items[place + 1 :]


def test_an_unknown_corpus_lists_the_known_ones_nearest_first():
    with pytest.raises(InputError, match="unknown corpus 'emo_db'; known, nearest first: emodb, "):
        corpora.load("emo_db")


def test_every_tiny_corpus_has_its_reader():
    layouts = (Path(__file__).parent / "layouts").glob("*.py")
    assert {layout.stem for layout in layouts} == set(corpora.known())
