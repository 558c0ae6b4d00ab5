"""EPST: sessions cut by their transcripts, and the copy that is cut already."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest
import soundfile

from data_prep import audio, corpora
from data_prep.errors import InputError

TRANSCRIPT = "transcr/cc_001.txt"
LINE = "120.38 122.20 A: neutral, Two thousand four"


def test_utterances_are_the_pieces_that_the_transcript_gives_a_category(lay_out):
    found = lay_out("epst").by_id()
    assert {name: (u.audio, u.start, u.end, u.emotion) for name, u in found.items()} == {
        "cc_001_120.38": ("speech/cc_001.sph", 120.38, 122.2, "neutral"),
        "cc_001_125.90": ("speech/cc_001.sph", 125.9, 127.45, "hot anger"),
        "mm_001_12.25": ("speech/mm_001.SPH", 12.25, 14.0, "cold anger"),
        "mm_001_9.50": ("speech/mm_001.SPH", 9.5, 11.0, "shame"),
    }


def test_a_session_is_named_after_its_actor_of_whom_the_documents_tell(lay_out):
    tiny = lay_out("epst")
    sessions = {(u.session, u.speaker, u.gender) for u in tiny.read()}
    assert sessions == {("cc_001", "cc", "male"), ("mm_001", "mm", "female")}
    (tiny.path / "doc/demographics.html").unlink()
    assert {u.gender for u in tiny.read()} == {"unknown"}


@pytest.mark.parametrize("row", ["<td>CC</td><td>27</td>", "<td>CC</td><td>F or M</td>"])
def test_a_row_that_does_not_say_which_gender_leaves_it_unknown(row, lay_out):
    tiny = lay_out("epst")
    tiny.folder.text("doc/demographics.html", f"<table><tr>{row}</tr><tr><td>mm</td><td>f</td></tr></table>")
    assert {(u.speaker, u.gender) for u in tiny.read()} == {("cc", "unknown"), ("mm", "female")}


@pytest.mark.parametrize(
    "text", ["hot anger, Six", "Hot Anger: six", "hot-anger. six", "hot  anger six", "HOT ANGER", "hot anger,six"]
)
def test_the_category_may_be_written_in_any_way(text, lay_out):
    tiny = lay_out("epst")
    tiny.folder.replace(TRANSCRIPT, "hot anger, Six hundred one", text)
    assert tiny.by_id()["cc_001_125.90"].emotion == "hot anger"


@pytest.mark.parametrize("text", ["happyness, Six", "interested, Six", "Six hundred one", "cold, Six"])
def test_no_other_words_are_taken_for_a_category(text, lay_out):
    tiny = lay_out("epst")
    tiny.folder.replace(TRANSCRIPT, "hot anger, Six hundred one", text)
    label = text.split(",")[0]
    with pytest.raises(InputError, match=re.escape(f"{tiny.path / TRANSCRIPT}:7 has the unknown label {label!r}")):
        tiny.read()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (LINE.replace("122.20 ", ""), "4 is no line of a transcript"),
        (LINE.replace("120.38", "120.3.8"), "4 is no line of a transcript"),
        (LINE.replace("120.38", "x120.38"), "4 is no line of a transcript"),
        (LINE.replace("A:", "A"), "4 is no line of a transcript"),
        (LINE.replace("120.38", "122.20"), "4 goes from 122.2 to 122.2 s; expected an end after the start"),
    ],
)
def test_a_wrong_line_is_named(line, said, lay_out):
    tiny = lay_out("epst")
    tiny.folder.replace(TRANSCRIPT, LINE, line)
    with pytest.raises(InputError, match=re.escape(f"{tiny.path / TRANSCRIPT}:{said}")):
        tiny.read()


def test_headings_are_passed_over_and_lines_may_end_as_on_windows(lay_out):
    tiny = lay_out("epst")
    before = tiny.read()
    content = b"# session of March 3rd: channel A: boom\n\n" + (tiny.path / TRANSCRIPT).read_bytes()
    (tiny.path / TRANSCRIPT).write_bytes(content.replace(b"\n", b"\r\n").replace(b"laughs", b"caf\xe9"))
    assert tiny.read() == before


def test_a_transcript_without_utterances_is_named_and_a_recording_without_transcript_left_out(lay_out):
    tiny = lay_out("epst")
    empty = tiny.folder.text("transcr/gg_001.txt", "0.00 900.00 A: [MISC]")
    with pytest.raises(InputError, match=f"{re.escape(str(empty))} has no utterance"):
        tiny.read()
    empty.unlink()
    before = tiny.read()
    tiny.folder.audio("speech/gg_001.sph")
    assert tiny.left_out() == {"speech/gg_001.sph": "it has no transcript; expected transcr/gg_001.txt"}
    assert tiny.read() == before


def test_recordings_without_any_transcript_are_no_corpus(folder):
    folder.audio("speech/gg_001.sph")
    with pytest.raises(InputError, match=r"holds no transcr/cc_001\.txt"):
        corpora.read("epst", folder.path)


def test_a_transcript_without_recording_says_where_that_should_lie(lay_out):
    tiny = lay_out("epst")
    (tiny.path / "speech/cc_001.sph").unlink()
    assert tiny.by_id()["cc_001_120.38"].audio == "speech/cc_001.sph"


def test_recordings_converted_to_wav_are_read(lay_out):
    tiny = lay_out("epst")
    (tiny.path / "speech/cc_001.sph").rename(tiny.path / "speech/cc_001.wav")
    assert tiny.by_id()["cc_001_120.38"].audio == "speech/cc_001.wav"


def test_the_copy_that_is_cut_into_utterances_is_read_by_its_names(folder):
    folder.audio("cc_001_anxiety_1214.36_October-twelfth.wav", "mk_003_cold-anger_9.5_Nine-hundred-ten.wav")
    found = corpora.read("epst", folder.path)
    assert [(u.speaker, u.session, u.emotion, u.start, u.end) for u in found] == [
        ("cc", "cc_001", "anxiety", None, None),
        ("mk", "mk_003", "cold anger", None, None),
    ]
    folder.audio("mk_003_cold-angray_9.5_Nine.wav")
    with pytest.raises(InputError, match=r"mk_003_cold-angray_9.5_Nine.wav has the unknown label 'cold-angray'"):
        corpora.read("epst", folder.path)


def test_a_misnamed_file_of_the_cut_copy_is_left_out_and_the_rest_arrives(folder):
    folder.audio("cc_001_anxiety_1214.36_October-twelfth.wav", "cc_anxiety_1214.36_October.wav")
    (utterance,), (one,) = corpora.sift("epst", folder.path)
    assert utterance.utterance_id == "cc_001_anxiety_1214.36_October-twelfth"
    assert one.audio == "cc_anxiety_1214.36_October.wav"
    assert one.reason == ("its name is not one of this corpus's, which are such as cc_001_cold-anger_120.38_text.wav")


def test_the_expected_counts_of_categories_and_of_speakers_are_of_the_same_utterances():
    expected = corpora.load("epst").expected
    assert sum(expected.labels.values()) == sum(expected.speakers.values()) == expected.utterances == 2324
    assert set(expected.labels) == set(corpora.load("epst").labels)


@pytest.mark.parametrize("order", ["BIG", "LITTLE"])
def test_pieces_of_nist_sphere_are_decoded_and_both_microphones_averaged(order, lay_out):
    tiny = lay_out("epst")
    tiny.folder.text("transcr/mm_001.txt", "1.00 1.50 A: shame, March seventeenth", "2.5 4.00 A: pride, May third")
    rate = 22050
    session = np.random.default_rng(1).uniform(-0.9, 0.9, (4 * rate, 2))
    content = io.BytesIO()
    soundfile.write(content, session, rate, format="NIST", subtype="PCM_16", endian=order)
    assert content.getvalue().startswith(b"NIST_1A\n   1024\n")
    (tiny.path / "speech/mm_001.SPH").write_bytes(content.getvalue())
    for name, first, last in (("mm_001_1.00", 22050, 33075), ("mm_001_2.5", 55125, 88200)):
        utterance = tiny.by_id()[name]
        found, seconds = audio.decode(audio.read(tiny.path / utterance.audio), rate, utterance.start, utterance.end)
        assert seconds == (last - first) / rate
        # 16 bits: within a step of 2^-15 of what was written
        np.testing.assert_allclose(found, session[first:last].mean(axis=1), atol=2**-15)
    beyond = tiny.by_id()["mm_001_2.5"]
    with pytest.raises(audio.UnusableAudio, match=r"has no part from 2\.5 s to 4\.5 s"):
        audio.decode(audio.read(tiny.path / beyond.audio), rate, beyond.start, 4.5)
