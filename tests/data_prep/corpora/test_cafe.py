"""CaFE: names, folders with garbled names, and both formats that it is published in."""

from __future__ import annotations

import io
import itertools
import os
from collections import Counter

import numpy as np
import pytest
import soundfile

from data_prep import audio, corpora
from data_prep.errors import InputError

FOLDERS = {"C": "Colère", "D": "Dégoût", "J": "Joie", "P": "Peur", "S": "Surprise", "T": "Tristesse"}


def whole(outer: str, ending: str) -> list[str]:
    """All names of the corpus, by its description: 12 actors x 6 sentences, neutral without intensities."""
    said = [f"{actor:02d}-{{}}-{sentence}{ending}" for actor, sentence in itertools.product(range(1, 13), range(1, 7))]
    return [f"{outer}/Neutre/{name.format('N-1')}" for name in said] + [
        f"{outer}/{place}/{strength}/{name.format(f'{letter}-{number}')}"
        for letter, place in FOLDERS.items()
        for number, strength in ((1, "Faible"), (2, "Fort"))
        for name in said
    ]


def test_the_letters_are_french_words():
    assert corpora.load("cafe").labels == {
        "C": "angry", "D": "disgusted", "J": "happy", "N": "neutral", "P": "fear", "S": "surprised", "T": "sad",
    }  # fmt: skip


def test_a_name_is_actor_and_emotion_whatever_its_folder_is_called(lay_out):
    found = {name: (u.speaker, u.gender, u.emotion, u.language) for name, u in lay_out("cafe").by_id().items()}
    assert found == {
        "01-C-1-1": ("01", "male", "C", "fr-CA"),
        "02-D-2-6": ("02", "female", "D", "fr-CA"),
        "12-N-1-3": ("12", "female", "N", "fr-CA"),
    }


def test_what_is_in_a_folder_whose_name_is_not_even_text_is_left_out(lay_out):
    """Some programs unpack the archive's names as the bytes that they are, in the code page of old Windows."""
    tiny = lay_out("cafe")
    before = tiny.by_id()
    garbled = tiny.path / "CaFE_48k" / os.fsdecode("Colère".encode("cp850"))
    try:
        (tiny.path / "CaFE_48k/ColŠre").rename(garbled)
    except OSError:
        pytest.skip("this file system has names in UTF-8 only")
    before.pop("01-C-1-1")
    assert tiny.by_id() == before != {}
    reason = (
        "it is not named in UTF-8; rename the folders and files that are not, or unpack the archive again with the "
    )
    assert tiny.left_out() == {r"CaFE_48k/Col\x8are/Faible/01-C-1-1.wav": f"{reason}encoding of its names"}


def test_a_corpus_whose_names_are_none_of_them_text_is_said_to_be_so(folder):
    folder.audio(os.fsdecode(b"Col\x8are/01-C-1-1.wav"))
    with pytest.raises(
        InputError, match=r"no utterance found .*Col\\x8are/01-C-1-1\.wav: it is not named in UTF-8"
    ) as told:
        corpora.read("cafe", folder.path)
    assert str(told.value).encode()


@pytest.mark.parametrize("stray", ["holiday.wav", "13-C-1-1.wav", "01-C-3-1.wav", "01-C-1-7.wav", "01-C-1.wav"])
def test_a_file_that_may_be_an_utterance_misnamed_is_left_out_and_the_rest_arrives(stray, lay_out):
    tiny = lay_out("cafe")
    before = tiny.read()
    tiny.folder.audio(f"CaFE_48k/Neutre/{stray}")
    assert (
        tiny.left_out()[f"CaFE_48k/Neutre/{stray}"]
        == "its name is not one of this corpus's, which are such as 01-J-2-1.wav"
    )
    assert tiny.read() == before


@pytest.mark.parametrize("outer, ending", [("CaFE_48k", ".wav"), ("CaFE_192k", ".aiff"), (".", ".AIF")])
def test_the_whole_corpus_has_936_utterances_of_which_papers_forget_neutral(outer, ending, folder):
    names = whole(outer, ending)
    folder.audio(*names)
    utterances = corpora.read("cafe", folder.path)
    assert len(utterances) == 936 == 864 + 72
    assert Counter(u.emotion for u in utterances) == {**dict.fromkeys(FOLDERS, 144), "N": 72}
    assert Counter(u.speaker for u in utterances) == {f"{actor:02d}": 78 for actor in range(1, 13)}
    assert Counter(u.gender for u in utterances) == {"female": 468, "male": 468}


def test_the_two_archives_at_192_khz_are_one_corpus(folder):
    folder.audio("CaFE_192k_1/Colère/Faible/01-C-1-1.aiff", "CaFE_192k_2/Tristesse/Fort/01-T-2-1.aiff")
    assert [u.utterance_id for u in corpora.read("cafe", folder.path)] == ["01-C-1-1", "01-T-2-1"]


def test_where_both_formats_lie_wav_is_read_and_never_a_mixture(lay_out):
    tiny = lay_out("cafe")
    tiny.folder.audio("CaFE_192k_1/Colère/Faible/01-C-1-1.aiff", "CaFE_192k_1/Joie/Faible/01-J-1-1.aiff")
    assert all(u.audio.lower().endswith(".wav") for u in tiny.read()) and len(tiny.read()) == 3


def test_its_aiff_files_are_decoded():
    file, seconds = io.BytesIO(), np.arange(192_000) / 192_000
    soundfile.write(file, 0.5 * np.sin(2 * np.pi * 440 * seconds), 192_000, format="AIFF", subtype="PCM_24")
    waveform, length = audio.decode(file.getvalue(), 16_000)
    assert length == 1.0
    assert np.abs(waveform[800:-800] - 0.5 * np.sin(2 * np.pi * 440 * seconds[::12])[800:-800]).max() < 1e-3
