"""Label files as they come from other hands: whatever bytes they hold, a reader gives rows or says where it stopped.

Which files are label files is seen from what the readers open of their tiny corpora, so a new reader's are among them.
"""

from __future__ import annotations

import codecs
import math
import re
import sys
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data_prep import corpora
from data_prep.errors import InputError

ROWS = {
    "epst": ("transcr/cc_001.txt", 4),
    "fau_aibo": ("labels/IS2009EmotionChallenge/chunk_labels_5cl_corpus.txt", 2),
    "iemocap": ("Session1/dialog/EmoEvaluation/Ses01F_impro01.txt", 3),
    "librispeech": ("LibriSpeech/train-clean-100/19/198/19-198.trans.txt", 2),
    "manifest": ("mine.csv", 2),
    "masc": ("masc.csv", 3),
    "msp_improv": ("Evalution.txt", 1),
    "recola": ("RECOLA-Audio_timings/P16.csv", 2),
    "shemo": ("shemo.json", 3),
}
"""A label file of each tiny corpus, with the line of one of its utterances."""

every_corpus = pytest.mark.parametrize("name", corpora.known())
every_labelled_corpus = pytest.mark.parametrize("name", ROWS)

fuzzed = settings(
    max_examples=120,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

_LONG = 100_000


@cache
def opened_by_python() -> list[Path]:
    """The files that Python opens from now on, in order."""
    seen: list[Path] = []

    def listen(event: str, arguments: tuple[object, ...]) -> None:
        if event == "open" and isinstance(arguments[0], str | Path):
            seen.append(Path(arguments[0]))

    sys.addaudithook(listen)
    return seen


@pytest.fixture
def label_files() -> Iterator[Callable[..., list[Path]]]:
    """The files that the reader of a tiny corpus opens."""
    seen = opened_by_python()

    def of(tiny) -> list[Path]:
        seen.clear()
        tiny.read()
        return [file for file in dict.fromkeys(seen) if file.is_relative_to(tiny.folder.path)]

    yield of
    seen.clear()


def damaged(content: bytes) -> st.SearchStrategy[bytes]:
    """Anything at all; or the content with pieces lost, doubled, moved or replaced; or a line of it that goes on."""
    places = st.integers(0, len(content))
    own = sorted({*content.split(), *re.findall(rb"\w+|\W+", content)})
    pieces = st.one_of(
        st.binary(max_size=12),
        st.text(max_size=12).map(lambda text: text.encode(errors="replace")),
        st.sampled_from([*own, b"\n", b"\r", b'"', b";", b",", b"\t", b"<", b"nan", b"1e999", b"-1", b"\0"]),
        st.builds(lambda one, other: content[min(one, other) : max(one, other)], places, places),
    )

    def spliced(edits: list[tuple[int, int, bytes]]) -> bytes:
        made = content
        for place, lost, piece in edits:
            made = made[:place] + piece + made[place + lost :]
        return made

    def going_on(place: int, piece: bytes) -> bytes:
        return content[:place] + piece * (_LONG // max(len(piece), 1)) + b"@"

    edits = st.lists(st.tuples(places, st.integers(0, 20), pieces), min_size=1, max_size=3)
    anything = st.one_of(st.binary(max_size=200), st.lists(pieces, max_size=20).map(b"".join))
    return st.one_of(anything, edits.map(spliced), st.builds(going_on, places, pieces))


def told(tiny) -> str:
    """The one line that a person is told; empty where there are rows."""
    started = time.process_time()
    try:
        utterances = tiny.read()
    except InputError as error:
        assert "\n" not in str(error)
        return str(error)
    finally:
        assert time.process_time() - started < 2, "the reader hangs"
    for utterance in utterances:
        numbers = (utterance.arousal, utterance.valence, utterance.dominance, utterance.start, utterance.end)
        assert all(number is None or math.isfinite(number) for number in numbers)
    return ""


# What is wrong with the whole of a label file has no line.
_WHOLE = re.compile(
    r"holds no turn|has no utterance|lists no utterance|no utterance found|is no table of utterances|"
    r"has no line @data|lacks; both list all chunks|is not JSON|again; expected it once|names the utterance"
)


def fuzz(tiny, file: Path) -> int:
    """How many of the damaged contents the reader refused."""
    whole, refused = file.read_bytes(), 0

    @fuzzed
    @given(damaged(whole))
    def any_bytes(content: bytes) -> None:
        nonlocal refused
        file.write_bytes(content)
        message = told(tiny)
        refused += bool(message)
        assert not message or f"{file}:" in message or (str(file) in message and _WHOLE.search(message)), message

    any_bytes()
    file.write_bytes(whole)
    return refused


@every_corpus
def test_every_reader_that_opens_files_is_under_these_tests(name, lay_out, label_files):
    files = label_files(lay_out(name))
    assert (name in ROWS) == bool(files)
    assert not files or any(file.as_posix().endswith(ROWS[name][0]) for file in files)


@every_labelled_corpus
def test_any_bytes_are_rows_or_an_error_that_names_the_file_and_the_line(name, lay_out, label_files):
    tiny = lay_out(name)
    for file in label_files(tiny):
        refused = fuzz(tiny, file)
        assert refused > 0 or file.suffix == ".html", f"nothing is ever wrong with {file}"


@every_labelled_corpus
@pytest.mark.parametrize("ending", [b"\r\n", b"\r"], ids=["Windows", "old Mac"])
def test_lines_that_end_as_on_another_system_are_the_same_rows(name, ending, lay_out, label_files):
    tiny = lay_out(name)
    before = tiny.read()
    for file in label_files(tiny):
        file.write_bytes(file.read_bytes().replace(b"\n", ending))
    assert tiny.read() == before


@every_labelled_corpus
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "gb18030", "cp1256"])
def test_another_encoding_is_the_same_rows_or_an_error_that_says_so(name, encoding, lay_out, label_files):
    tiny = lay_out(name)
    before = tiny.read()
    for file in label_files(tiny):
        text = file.read_text(encoding="utf-8")
        file.write_bytes(text.encode(encoding, errors="replace"))
        message = told(tiny)
        assert re.search(rf"{re.escape(str(file))}:\d+ is not UTF-8", message) if message else tiny.read() == before
        if encoding == "utf-8-sig":
            assert file.read_bytes().startswith(codecs.BOM_UTF8) and not message
        file.write_text(text, encoding="utf-8")


@every_labelled_corpus
def test_of_a_row_that_is_there_twice_the_first_is_taken_and_the_second_left_out_naming_both(name, lay_out):
    tiny = lay_out(name)
    before, before_left_out = tiny.read(), corpora.sift(name, tiny.path)[1]
    file, number = tiny.folder.path / ROWS[name][0], ROWS[name][1]
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    file.write_text("".join([*lines[:number], lines[number - 1], *lines[number:]]), encoding="utf-8")
    (one,) = [one for one in corpora.sift(name, tiny.path)[1] if one not in before_left_out]
    assert tiny.read() == before
    listed = tiny.by_id()[one.utterance_id]
    assert one.audio == listed.audio and one.taken is None
    place = re.escape(ROWS[name][0] if name != "shemo" else file.name)
    assert re.fullmatch(
        rf"{place}:{number + 1} has .* again, which {place}:{number} has; the first was taken", one.reason
    )


@every_labelled_corpus
def test_a_row_without_audio_is_an_utterance_all_the_same(name, lay_out):
    tiny = lay_out(name)
    listed = tiny.by_id()
    for audio in {utterance.audio for key, utterance in listed.items() if not key.startswith(("60-", "84-"))}:
        (tiny.folder.path / audio).unlink()  # of those chapters of LibriSpeech there is no transcript
        assert tiny.by_id().keys() == listed.keys()
        (tiny.folder.path / audio).touch()


@every_labelled_corpus
@pytest.mark.parametrize("how", ["locked", "a link in circles"])
def test_a_label_file_that_cannot_be_read_is_an_error_that_names_it(name, how, lay_out, unprivileged):
    tiny = lay_out(name)
    file = tiny.folder.path / ROWS[name][0]
    if how == "locked":
        file.chmod(0)
    else:
        file.unlink()
        file.symlink_to(file.name)
    with unprivileged():
        message = told(tiny)
    assert str(file.parent) in message and file.name in message
    assert f"{file} cannot be read: " in message or "holds no " in message or "does not exist" in message


@pytest.mark.parametrize(
    ("name", "file", "line"),
    [
        ("iemocap", ROWS["iemocap"][0], "[1 - 2]\tSes01F_impro01_F000\tneu\t[" + "0" * _LONG),
        ("iemocap", ROWS["iemocap"][0], "[1 - 2]\tSes01F_impro01_F000\tneu\t[2.5, 2.5" + " " * _LONG + "x"),
        ("iemocap", ROWS["iemocap"][0], "Ses01F_" * (_LONG // 7)),
        ("msp_improv", "Evalution.txt", "UTD-IMPROV-S01A-F01-P-FM01.avi; N; A:" + "1" * _LONG),
        ("msp_improv", "Evalution.txt", "UTD-IMPROV-S01A-F01-P-FM01.avi;" + " " * _LONG + "x"),
        ("epst", "doc/demographics.html", "<" * _LONG),
        ("epst", "doc/demographics.html", "<tr" * (_LONG // 3)),
    ],
)
def test_a_line_that_goes_on_and_on_is_read_at_once(name, file, line, lay_out):
    """Each took minutes: what a pattern may match in two ways, it tries at every place for every length."""
    tiny = lay_out(name)
    tiny.folder.text(file, line)
    told(tiny)
