"""CREMA-D: names, wav or mp3 but never both, and every real file name with every actor's gender."""

from __future__ import annotations

import csv
import io
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile

from data_prep import audio, corpora

SENTENCES = ("DFA", "IEO", "IOM", "ITH", "ITS", "IWL", "IWW", "MTI", "TAI", "TIE", "TSI", "WSI")
EMOTIONS = ("ANG", "DIS", "FEA", "HAP", "NEU", "SAD")


def tables(real_corpora: Path, name: str) -> list[dict[str, str]]:
    """The rows of one of the corpus's own CSV files, from beside the real corpora."""
    file = real_corpora.parent / "layouts" / "crema_d" / name
    if not file.is_file():
        pytest.skip(f"there is no crema_d/{name} in layouts/ beside the real corpora")
    with file.open(newline="") as lines:
        return list(csv.DictReader(lines))


def test_a_name_is_actor_and_the_emotion_asked_for(lay_out):
    found = {name: (u.speaker, u.gender, u.emotion) for name, u in lay_out("crema_d").by_id().items()}
    assert found == {
        "1001_DFA_ANG_XX": ("1001", "male", "ANG"),
        "1002_IEO_HAP_LO": ("1002", "female", "HAP"),
        "1076_MTI_SAD_XX": ("1076", "female", "SAD"),
    }


def test_the_recording_without_a_signal_is_an_utterance_all_the_same(lay_out):
    assert lay_out("crema_d").by_id()["1076_MTI_SAD_XX"].audio == "AudioWAV/1076_MTI_SAD_XX.wav"


def test_where_both_formats_lie_wav_is_read_and_never_a_mixture(lay_out):
    tiny = lay_out("crema_d")
    (tiny.path / "AudioWAV/1001_DFA_ANG_XX.wav").unlink()
    assert [u.audio for u in tiny.read()] == ["AudioWAV/1002_IEO_HAP_LO.wav", "AudioWAV/1076_MTI_SAD_XX.wav"]


@pytest.mark.parametrize("place", ["AudioMP3/", "", "CREMA-D/AudioMP3/"])
def test_mp3_alone_is_read(place, folder):
    folder.audio(f"{place}1001_DFA_ANG_XX.mp3", f"{place}1002_DFA_ANG_XX.MP3")
    found = corpora.read("crema_d", folder.path)
    assert [u.audio for u in found] == [f"{place}1001_DFA_ANG_XX.mp3", f"{place}1002_DFA_ANG_XX.MP3"]


def test_its_mp3_files_are_decoded():
    file, seconds = io.BytesIO(), np.arange(44_100) / 44_100
    soundfile.write(file, 0.5 * np.sin(2 * np.pi * 440 * seconds), 44_100, format="MP3")
    waveform, length = audio.decode(file.getvalue(), 16_000)
    spectrum = np.abs(np.fft.rfft(waveform, 16_000))
    assert np.argmax(spectrum) == 440 and abs(length - 1) < 0.1  # mp3 pads with whole frames of its own


def test_the_copy_that_lost_a_letter_of_a_name_has_the_same_utterance(folder):
    folder.audio("AudioWAV/1040_ITH_SAD_X.wav")
    (utterance,) = corpora.read("crema_d", folder.path)
    assert (utterance.utterance_id, utterance.audio) == ("1040_ITH_SAD_XX", "AudioWAV/1040_ITH_SAD_X.wav")


@pytest.mark.parametrize(
    "stray", ["holiday.wav", "1000_DFA_ANG_XX.wav", "1092_DFA_ANG_XX.wav", "1001_XYZ_ANG_XX.wav", "1001_DFA_ANG_HO.wav"]
)
def test_a_file_that_may_be_an_utterance_misnamed_is_left_out_and_the_rest_arrives(stray, lay_out):
    tiny = lay_out("crema_d")
    before = tiny.read()
    tiny.folder.audio(f"AudioWAV/{stray}")
    assert (
        tiny.left_out()[f"AudioWAV/{stray}"]
        == "its name is not one of this corpus's, which are such as 1001_DFA_ANG_XX.wav"
    )
    assert tiny.read() == before


@pytest.mark.parametrize("format", ["wav", "mp3"])
def test_every_real_file_name_is_read_right(format, real_names, real_corpora, folder):
    names = [name.replace("AudioWAV", f"Audio{format.upper()}")[:-3] + format for name in real_names("CREMA-D")]
    folder.audio(*names)
    utterances = corpora.read("crema_d", folder.path)
    assert sorted(u.audio for u in utterances) == sorted(names)
    # The study's own list of recordings has the same names.
    assert {u.utterance_id for u in utterances} == {
        row["Filename"] for row in tables(real_corpora, "SentenceFilenames.csv")
    }
    assert Counter(u.emotion for u in utterances) == dict.fromkeys(EMOTIONS, 1271) | {"NEU": 1087}
    files = Counter(u.speaker for u in utterances)
    assert len(files) == 91 and Counter(files.values()) == {82: 86, 81: 2, 76: 3}
    assert {u.utterance_id[5:8] for u in utterances} == set(SENTENCES)
    assert all(u.utterance_id == f"{u.speaker}_{u.utterance_id[5:8]}_{u.emotion}_{u.utterance_id[13:]}" for u in utterances)  # fmt: skip


def test_every_actor_has_the_gender_of_the_corpuss_own_table(real_corpora, folder):
    actors = {row["ActorID"]: row["Sex"].lower() for row in tables(real_corpora, "VideoDemographics.csv")}
    folder.audio(*(f"{actor}_DFA_ANG_XX.wav" for actor in actors))
    assert {u.speaker: u.gender for u in corpora.read("crema_d", folder.path)} == actors
    assert Counter(actors.values()) == {"male": 48, "female": 43}


def test_every_possible_name_gives_48_men_and_43_women(folder):
    folder.audio(*(f"{actor}_DFA_ANG_XX.wav" for actor in range(1001, 1092)))
    assert Counter(u.gender for u in corpora.read("crema_d", folder.path)) == {"male": 48, "female": 43}
