"""TESS: what file names say in spite of their folders, the copies that people have, and every real file name."""

from __future__ import annotations

import io
import struct
from collections import Counter

import numpy as np
import pytest
import soundfile

from data_prep import audio, corpora

OUTER = "TESS Toronto emotional speech set data/"
EMOTIONS = ("angry", "disgust", "fear", "happy", "neutral", "ps", "sad")


def test_a_doubled_copy_is_read_once_and_the_lost_letter_is_no_third_speaker(lay_out):
    found = {name: (u.speaker, u.gender, u.emotion, u.audio) for name, u in lay_out("tess").by_id().items()}
    assert found == {
        "OAF_back_ps": ("OAF", "female", "ps", f"{OUTER}OAF_Pleasant_surprise/OAF_back_ps.wav"),
        "OAF_bite_neutral": ("OAF", "female", "neutral", f"{OUTER}OAF_neutral/OA_bite_neutral.wav"),
        "YAF_back_angry": ("YAF", "female", "angry", f"{OUTER}YAF_angry/YAF_back_angry.WAV"),
    }


def test_the_flat_copy_has_the_same_utterances(lay_out, tmp_path):
    flat = tmp_path / "flat"
    flat.mkdir()
    for name in ("OAF_back_ps.wav", "OAF_bite_neutral.wav", "YAF_back_angry.wav"):
        (flat / name).write_bytes(b"")
    assert [u.utterance_id for u in corpora.read("tess", flat)] == list(lay_out("tess").by_id())


def test_the_emotion_is_the_file_names_not_the_folders(folder):
    folder.audio("OAF_Fear/OAF_back_sad.wav")
    (utterance,) = corpora.read("tess", folder.path)
    assert (utterance.speaker, utterance.emotion) == ("OAF", "sad")


@pytest.mark.parametrize("stray", ["holiday.wav", "MAF_back_sad.wav", "OAF_back.wav", "OAF_back_.wav"])
def test_a_file_that_may_be_an_utterance_misnamed_is_left_out_and_the_rest_arrives(stray, lay_out):
    tiny = lay_out("tess")
    before = tiny.read()
    tiny.folder.audio(f"{OUTER}OAF_sad/{stray}")
    assert (
        tiny.left_out()[f"{OUTER}OAF_sad/{stray}"]
        == "its name is not one of this corpus's, which are such as OAF_back_angry.wav"
    )
    assert tiny.read() == before


@pytest.mark.parametrize(
    "places", [("",), (f"{OUTER}{OUTER}",), ("", OUTER), (OUTER, f"{OUTER}{OUTER}")], ids=lambda places: len(places)
)
def test_every_real_file_name_is_read_right_and_once(places, real_names, folder):
    names = real_names("TESS")
    assert "OAF_neutral/OA_bite_neutral.wav" in names
    folder.audio(*(f"{place}{name}" for place in places for name in names))
    check(corpora.read("tess", folder.path), [f"{places[0]}{name}" for name in names])


def test_every_real_file_name_is_read_right_in_a_flat_folder(real_names, folder):
    names = [name.rpartition("/")[2].replace("OA_bite", "OAF_bite") for name in real_names("TESS")]
    folder.audio(*names)
    check(corpora.read("tess", folder.path), names)


def check(utterances: list[corpora.Utterance], files: list[str]) -> None:
    assert sorted(u.audio for u in utterances) == sorted(files)
    assert Counter((u.speaker, u.emotion) for u in utterances) == {
        (speaker, emotion): 200 for speaker in ("OAF", "YAF") for emotion in EMOTIONS
    }
    words = {u.utterance_id.split("_")[1] for u in utterances}
    assert len(words) == 200 and len(utterances) == 2800 == 200 * 2 * 7


@pytest.mark.parametrize("rate", [24_414, 96_000])
@pytest.mark.parametrize("more", [0, 2, 22])
def test_its_sample_rates_and_headers_of_any_length_are_decoded(rate, more):
    """All but one of its files have 24,414 Hz, that one 96,000; their headers have 44 to 66 bytes."""
    written = io.BytesIO()
    samples = np.full(rate, 0.25)
    samples[0] = 0  # what never changes is silence
    soundfile.write(written, samples, rate, format="WAV", subtype="PCM_16")
    content = written.getvalue()
    assert content[:4] == b"RIFF" and content[12:20] == b"fmt \x10\0\0\0" and content[36:40] == b"data"
    if more == 2:  # a format chunk with the length of an extension, which is 0
        content = content[:16] + struct.pack("<I", 18) + content[20:36] + b"\0\0" + content[36:]
    elif more:  # another chunk before the samples
        content = content[:36] + b"LIST" + struct.pack("<I", more - 8) + b"INFO" + bytes(more - 12) + content[36:]
    content = content[:4] + struct.pack("<I", len(content) - 8) + content[8:]
    waveform, seconds = audio.decode(content, 16_000)
    assert content.index(b"data") + 8 == 44 + more and seconds == 1.0
    assert abs(len(waveform) - 16_000) <= 1 and np.abs(waveform[1000:-1000] - 0.25).max() < 1e-3
