"""RECOLA: utterances cut by their timings, and ratings averaged over raters and frames."""

from __future__ import annotations

import re
import shutil

import pytest

from data_prep import corpora
from data_prep.errors import InputError

FRAMES = "RECOLA-Annotation/emotional_behaviour/{}/P{}.csv"
TIMINGS = "RECOLA-Audio_timings/P16.csv"
USERS = "RECOLA-Metadata/recola_user_info.csv"


@pytest.fixture
def challenge(folder):
    """The challenge's layout: two recordings with six individual ratings and a gold standard, one without any."""
    for recording in ("train_1", "dev_2"):
        for dimension, level in (("arousal", 0.5), ("valence", -0.5)):
            raters = ";".join(f"{level + rater / 100:.2f}" for rater in range(6))
            frames = [f"{0.04 * frame:.2f};{raters}" for frame in range(26)]
            names = "time;FM1 ;FM2 ;FM3 ;FF1 ;FF2 ;FF3"
            folder.text(f"ratings_individual/{dimension}/{recording}.csv", names, *frames)
            folder.text(
                f"ratings_gold_standard/{dimension}/{recording}.arff",
                "@relation goldstandard",
                "",
                "@attribute name string",
                "@attribute frameTime numeric",
                "@attribute goldstandard numeric",
                "",
                "@data",
                "",
                *(f"'{recording}',{0.04 * frame:.2f},{level / 2}" for frame in range(26)),
            )
    for recording in ("train_1", "dev_2", "test_3"):
        folder.text(f"timings/{recording}.csv", "start;stop", "0.2;0.6")
        folder.audio(f"recordings_audio/{recording}.wav")
    return folder


def test_an_utterance_is_a_piece_of_a_recording(lay_out):
    found = lay_out("recola").by_id()
    assert {name: (u.audio, u.start, u.end) for name, u in found.items()} == {
        "P16_001": ("RECOLA-Audio-recordings/P16.wav", 0.08, 0.2),
        "P16_002": ("RECOLA-Audio-recordings/P16.wav", 1, 1.5),
        "P65_001": ("RECOLA-Audio-recordings/P65.WAV", 1.92, 2.5),
        "P65_002": ("RECOLA-Audio-recordings/P65.WAV", 2.5, 3),
    }
    assert {(u.speaker, u.gender, u.session) for u in found.values()} == {
        ("P16", "female", "8"), ("P65", "male", "30"),
    }  # fmt: skip
    assert {(u.emotion, u.split, u.language) for u in found.values()} == {(None, None, "fr")}


def test_its_rating_is_the_mean_over_raters_and_frames_from_start_to_before_stop(folder):
    frames = ["0;1;1", "0.04;0.5;0.1", "0.08;-0.3;0.1", "0.12;1;1"]
    for dimension in ("arousal", "valence"):
        folder.text(FRAMES.format(dimension, 16), "time;FM1 ;FF1", *(frames if dimension == "arousal" else ["0;0;0"]))
    folder.text(TIMINGS, "start;stop", "0.04;0.12", "0.13;0.2")
    rated, unrated = corpora.read("recola", folder.path)
    assert rated.arousal == pytest.approx((0.5 + 0.1 - 0.3 + 0.1) / 4)
    assert rated.valence is None and (unrated.arousal, unrated.valence) == (None, None)


def test_what_goes_on_after_the_last_frame_is_rated_by_the_frames_that_are_there(lay_out):
    found = lay_out("recola").by_id()
    # P65's last frames are at 1.92, 1.96 and 2.00 s; the three raters gave 0.1, -0.2 and 0.48 to 0.50.
    assert found["P65_001"].arousal == pytest.approx((0.1 - 0.2 + 0.49) / 3)
    assert found["P65_002"].arousal is None


@pytest.mark.parametrize("name", ["RECOLA-Audio_timings", "RECOLA-Audio-timings", "Audio_timings", "timings"])
def test_the_folder_of_timings_may_be_called_so(name, lay_out):
    tiny = lay_out("recola")
    before = tiny.read()
    (tiny.path / "RECOLA-Audio_timings").rename(tiny.path / name)
    assert tiny.read() == before


def test_it_is_found_below_the_folder_that_holds_it(lay_out, tmp_path):
    tiny = lay_out("recola")
    (tmp_path / "outer").mkdir()
    tiny.path.rename(tmp_path / "outer/RECOLA")
    found = corpora.read("recola", tmp_path / "outer")
    assert [u.audio for u in found][:1] == ["RECOLA/RECOLA-Audio-recordings/P16.wav"]
    assert {u.gender for u in found} == {"female", "male"}


def test_without_the_list_of_participants_their_gender_is_unknown(lay_out):
    tiny = lay_out("recola")
    (tiny.path / USERS).rename(tiny.path / "recola_user_info.csv")
    assert {u.gender for u in tiny.read()} == {"female", "male"}
    (tiny.path / "recola_user_info.csv").unlink()
    assert {(u.gender, u.session) for u in tiny.read()} == {("unknown", None)}


def test_windows_line_ends_byte_order_marks_and_decimal_commas_change_nothing(lay_out):
    tiny = lay_out("recola")
    before = tiny.read()
    for file in [*tiny.path.rglob("P16.csv"), *tiny.path.rglob("P65.csv"), tiny.path / USERS]:
        content = file.read_bytes().replace(b"\n", b"\r\n").replace(b".", b",")
        file.write_bytes(b"\xef\xbb\xbf" + content)
    assert tiny.read() == before


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        (TIMINGS, "1;1.5", "1", "3 is no utterance: '1'; expected its start and a later stop"),
        (TIMINGS, "1;1.5", "1.5;1", "3 is no utterance"),
        (TIMINGS, "1;1.5", "-1;1.5", "3 is no utterance"),
        (TIMINGS, "1;1.5", "1;inf", "3 is no utterance"),
        (TIMINGS, "1;1.5", "nan;1.5", "3 is no utterance"),
        (FRAMES.format("arousal", 16), "time;", "0;", "1 does not name the columns"),
        (
            FRAMES.format("arousal", 16),
            "0.04;0.1;-0.2;",
            "0.04;0.1;",
            "3 is no frame: '0.04;0.1;0.01'; expected its time",
        ),
        (FRAMES.format("arousal", 16), "0.04;0.1", "0.04;10", "3 is no frame"),
        (FRAMES.format("arousal", 16), "0.04;0.1", "0.04;nan", "3 is no frame"),
        (FRAMES.format("arousal", 16), "0.04;0.1", "O.04;0.1", "3 is no frame"),
        (FRAMES.format("valence", 16), "0.08;0.1", "0.04;0.1", "4 is at 0.04 s, the frame before it at 0.04 s"),
        (USERS, "16;0;", "16;2;", "2 has the sex '2'; expected 0 (female) or 1 (male)"),
        (USERS, "User;Sex", "User;Gender", "1 does not name the columns User and Sex"),
    ],
)
def test_a_wrong_line_is_named(file, old, new, said, lay_out):
    tiny = lay_out("recola")
    tiny.folder.replace(file, old, new)
    with pytest.raises(InputError, match=re.escape(f"{tiny.path / file}:{said}")):
        tiny.read()


def test_a_rated_recording_without_timings_is_named(lay_out):
    tiny = lay_out("recola")
    (tiny.path / TIMINGS).unlink()
    with pytest.raises(InputError, match=r"RECOLA-Audio_timings lacks P16\.csv: the recording is rated"):
        tiny.read()


def test_a_recording_of_which_one_dimension_alone_is_rated_is_named(lay_out):
    tiny = lay_out("recola")
    (tiny.path / FRAMES.format("valence", 65)).unlink()
    with pytest.raises(InputError, match="has no valence of P65, while the other dimension is rated"):
        tiny.read()


def test_a_timing_file_with_another_name_is_an_error(lay_out):
    tiny = lay_out("recola")
    tiny.folder.text("RECOLA-Audio_timings/P16b.csv", "start;stop", "0;1")
    with pytest.raises(InputError, match=r"P16b\.csv is not named as this corpus names its recordings"):
        tiny.read()


def test_the_challenges_partition_is_in_its_names_and_its_test_part_is_unrated(challenge):
    found = corpora.read("recola", challenge.path)
    assert [(u.utterance_id, u.split, u.audio) for u in found] == [
        ("dev_2_001", "dev", "recordings_audio/dev_2.wav"),
        ("test_3_001", "test", "recordings_audio/test_3.wav"),
        ("train_1_001", "train", "recordings_audio/train_1.wav"),
    ]
    # the six raters gave 0.50 to 0.55 and -0.50 to -0.45
    ratings = [(u.arousal, u.valence) for u in found]
    assert ratings == [pytest.approx((0.525, -0.475)), (None, None), pytest.approx((0.525, -0.475))]


@pytest.mark.parametrize("lacking", [[], ["recordings_audio"], ["ratings_gold_standard"]])
def test_the_challenge_without_timings_is_an_error_that_says_which_files_to_put_where(lacking, challenge):
    for folder in ("timings", "ratings_individual", *lacking):
        shutil.rmtree(challenge.path / folder)
    with pytest.raises(InputError) as error:
        corpora.read("recola", challenge.path)
    assert str(error.value) == (
        f"recola: {challenge.path} is the challenge's release, which has no timings: it names no utterances, and nothing "
        "that is published says how its recordings are cut; expected a file for each in "
        f"{challenge.path / 'RECOLA-Audio_timings'}, such as train_1.csv: a line start;stop and one for each utterance, its "
        "start and stop in seconds, as in 1.52;3.04"
    )
    challenge.text("RECOLA-Audio_timings/train_1.csv", "start;stop", "1.52;3.04")
    challenge.text("RECOLA-Audio_timings/dev_2.csv", "start;stop", "1.52;3.04")
    assert [u.utterance_id for u in corpora.read("recola", challenge.path)] == ["dev_2_001", "train_1_001"]


def test_without_individual_ratings_the_gold_standard_is_averaged(challenge):
    for file in challenge.path.glob("ratings_individual/*/*.csv"):
        file.unlink()
    ratings = [(u.arousal, u.valence) for u in corpora.read("recola", challenge.path)]
    assert ratings == [pytest.approx((0.25, -0.25)), (None, None), pytest.approx((0.25, -0.25))]
    arff = "ratings_gold_standard/arousal/train_1.arff"
    challenge.replace(arff, "'train_1',0.20,0.25", "'train_1',0.20,?")
    with pytest.raises(InputError, match=re.escape(f"{challenge.path / arff}:14 is no frame: \"'train_1',0.20,?\"")):
        corpora.read("recola", challenge.path)
    challenge.text(arff, "@relation goldstandard")
    with pytest.raises(InputError, match=r"train_1\.arff has no line @data"):
        corpora.read("recola", challenge.path)
