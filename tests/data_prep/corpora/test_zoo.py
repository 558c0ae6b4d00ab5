"""A zoo of odd and broken audio, in every corpus there is a reader for: what is speech arrives, and nothing crashes.

What is none is in the quarantine with a reason that a person understands. An animal is a function that puts itself in
the place of a recording of some seconds.
"""

from __future__ import annotations

import io
import os
import re
import shutil
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
import soundfile

from data_prep import build as building
from data_prep import corpora, shards
from data_prep.build import build
from data_prep.corpora import NO_LABEL
from data_prep.errors import InputError
from data_prep.store import open_store

every_corpus = pytest.mark.parametrize("name", corpora.known())

WITH_ROWS = {"epst", "fau_aibo", "iemocap", "librispeech", "manifest", "masc", "msp_improv", "recola", "shemo"}
"""Corpora whose label files list utterances; of the others, their files' names say everything."""

RATE = 16000
FORMATS = {".flac": "FLAC", ".sph": "NIST", ".wav": "WAV"}


def speech(seconds: float, rate: int = RATE) -> np.ndarray:
    return np.random.default_rng(0).normal(0, 0.1, round(rate * seconds))


def put(file: Path, samples: np.ndarray, rate: int = RATE, kind: str = "WAV", subtype: str | None = None) -> None:
    content = io.BytesIO()
    soundfile.write(content, samples, rate, format=kind, subtype=subtype)
    file.write_bytes(content.getvalue())


# Speech, however it was saved.


def tame(file: Path, seconds: float) -> None:
    put(file, speech(seconds), kind=FORMATS[file.suffix.lower()])


def an_8_bit_one(file: Path, seconds: float) -> None:
    put(file, speech(seconds), subtype="PCM_U8")


def a_24_bit_one(file: Path, seconds: float) -> None:
    put(file, speech(seconds), subtype="PCM_24")


def a_float_one(file: Path, seconds: float) -> None:
    put(file, speech(seconds), subtype="FLOAT")


def a_loud_float_one(file: Path, seconds: float) -> None:
    put(file, 20 * speech(seconds), subtype="DOUBLE")


def a_law_one(file: Path, seconds: float) -> None:
    put(file, speech(seconds), subtype="ALAW")


def a_stereo_one(file: Path, seconds: float) -> None:
    put(file, np.stack([speech(seconds), np.zeros(round(RATE * seconds))], axis=1))


def a_96_khz_one(file: Path, seconds: float) -> None:
    put(file, speech(seconds, 96000), 96000)


def an_mp3_of_that_name(file: Path, seconds: float) -> None:
    put(file, speech(seconds), kind="MP3")


def a_flac_of_that_name(file: Path, seconds: float) -> None:
    put(file, speech(seconds), kind="FLAC")


def one_with_an_extensible_header(file: Path, seconds: float) -> None:
    put(file, speech(seconds), kind="WAVEX")


def one_with_a_64_bit_header(file: Path, seconds: float) -> None:
    put(file, speech(seconds), kind="RF64")


def one_with_a_click_in_silence(file: Path, seconds: float) -> None:
    samples = np.zeros(round(RATE * seconds))
    samples[::400] = 1 / 32768
    put(file, samples)


def a_link(file: Path, seconds: float) -> None:
    elsewhere = file.with_name("as it was recorded")
    put(elsewhere, speech(seconds))
    file.unlink()
    file.symlink_to(elsewhere)


SPEECH = (
    *(tame, an_8_bit_one, a_24_bit_one, a_float_one, a_loud_float_one, a_law_one, a_stereo_one, a_96_khz_one),
    *(an_mp3_of_that_name, a_flac_of_that_name, one_with_an_extensible_header, one_with_a_64_bit_header),
    *(one_with_a_click_in_silence, a_link),
)


# What is no speech.


def an_empty_file(file: Path, seconds: float) -> None:
    file.write_bytes(b"")


def a_header_cut_off(file: Path, seconds: float) -> None:
    put(file, speech(seconds))
    os.truncate(file, 30)


def a_header_alone(file: Path, seconds: float) -> None:
    put(file, speech(0))


def one_cut_off(file: Path, seconds: float) -> None:
    put(file, speech(seconds))
    os.truncate(file, 60)


def a_text(file: Path, seconds: float) -> None:
    file.write_text("<!DOCTYPE html><title>404 Not Found</title>")


def a_pointer(file: Path, seconds: float) -> None:
    file.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")


def one_of_no_numbers(file: Path, seconds: float) -> None:
    put(file, np.full(round(RATE * seconds), np.nan), subtype="FLOAT")


def one_with_some_that_are_no_numbers(file: Path, seconds: float) -> None:
    samples = speech(seconds)
    samples[::300] = np.nan
    put(file, samples, subtype="FLOAT")


def one_of_infinities(file: Path, seconds: float) -> None:
    put(file, np.full(round(RATE * seconds), np.inf), subtype="DOUBLE")


def one_on_the_scale_of_integers(file: Path, seconds: float) -> None:
    put(file, 32768 * speech(seconds), subtype="FLOAT")


def silence(file: Path, seconds: float) -> None:
    put(file, np.zeros(round(RATE * seconds)))


def a_constant(file: Path, seconds: float) -> None:
    put(file, np.full(round(RATE * seconds), 0.25))


def a_link_in_circles(file: Path, seconds: float) -> None:
    file.unlink()
    file.symlink_to(file.name)


def a_link_to_nowhere(file: Path, seconds: float) -> None:
    file.unlink()
    file.symlink_to("nowhere.wav")


def a_pipe(file: Path, seconds: float) -> None:
    file.unlink()
    os.mkfifo(file)


def one_that_is_locked(file: Path, seconds: float) -> None:
    put(file, speech(seconds))
    file.chmod(0)


NO_SPEECH = {
    an_empty_file: "the file is empty",
    a_header_cut_off: "not audio that can be decoded: .*",
    a_header_alone: "the file holds no samples",
    one_cut_off: r"the file is cut off: its header promises \d+\.\d\d s, 0\.00 s are there",
    a_text: "not audio that can be decoded: format not recognised",
    a_pointer: "a Git LFS pointer stands in place of the audio; fetch it with git lfs pull",
    one_of_no_numbers: r"the file holds samples that are not numbers \(NaN or infinite\)",
    one_with_some_that_are_no_numbers: r"the file holds samples that are not numbers \(NaN or infinite\)",
    one_of_infinities: r"the file holds samples that are not numbers \(NaN or infinite\)",
    one_on_the_scale_of_integers: "its samples reach 1[0-9]{4}, and recordings stay within -1 and 1; .*",
    silence: "it holds nothing but silence: all its samples are the same",
    a_constant: "it holds nothing but silence: all its samples are the same",
    a_link_in_circles: "the file cannot be read: Too many levels of symbolic links",
    a_link_to_nowhere: "there is no such file",
    a_pipe: "it is no file, but a pipe or a device",
    one_that_is_locked: "the file cannot be read: Permission denied",
}


@pytest.fixture
def herd(lay_out) -> dict:
    """The tiny corpus of every reader, with speech for its audio, and with no other audio."""
    return {name: tamed(lay_out(name)) for name in corpora.known()}


def tamed(tiny):
    """The tiny corpus with speech for its audio, and without what is left out of it."""
    for audio in {utterance.audio for utterance in tiny.read()}:
        tame(tiny.folder.path / audio, seconds(tiny, audio))
    for audio in tiny.left_out():
        (tiny.folder.path / audio).unlink()
    return tiny


def seconds(tiny, audio: str) -> float:
    """How long a recording must be for all the utterances that are parts of it."""
    return 0.3 + max(utterance.end or 0 for utterance in tiny.read() if utterance.audio == audio)


def cage(tiny) -> tuple[str, set[str]]:
    """The recording of a tiny corpus that an animal takes the place of, the shortest, and the utterances in it."""
    audio = min(sorted({utterance.audio for utterance in tiny.read()}), key=lambda audio: seconds(tiny, audio))
    return audio, {utterance.utterance_id for utterance in tiny.read() if utterance.audio == audio}


@pytest.fixture
def one_after_another(monkeypatch) -> None:
    """Builds compute their shards here, with no Ray."""
    monkeypatch.setattr(building, "connected", lambda address: nullcontext())
    monkeypatch.setattr(building, "on_all_cores", lambda todo: (shards.write(shard) for shard in todo))


def ids(store: Path, name: str) -> set[str]:
    return set(open_store(store).load("mfb40", [name])["utterance_id"].to_pylist())


def left_out(store: Path, name: str) -> dict[str, str]:
    rows = open_store(store).quarantined().to_pylist()
    return {row["utterance_id"]: row["reason"] for row in rows if row["corpus"] == name and row["reason"] != NO_LABEL}


def without_label(store: Path, name: str) -> set[str]:
    rows = open_store(store).quarantined().to_pylist()
    return {row["audio"] for row in rows if row["corpus"] == name and row["reason"] == NO_LABEL}


@pytest.mark.parametrize("animal", SPEECH)
def test_speech_arrives_from_every_corpus_however_it_was_saved(animal, herd, tmp_path, one_after_another):
    for tiny in herd.values():
        audio, _ = cage(tiny)
        animal(tiny.folder.path / audio, seconds(tiny, audio))
    build(tmp_path / "store", {name: tiny.path for name, tiny in herd.items()}, quiet=True)
    for name, tiny in herd.items():
        assert ids(tmp_path / "store", name) == tiny.by_id().keys()
        assert left_out(tmp_path / "store", name) == {}


@pytest.mark.parametrize("animal", NO_SPEECH)
def test_what_is_no_speech_is_left_out_of_every_corpus_with_its_reason(
    animal, herd, tmp_path, one_after_another, unprivileged
):
    caged = {}
    for name, tiny in herd.items():
        audio, caged[name] = cage(tiny)
        animal(tiny.folder.path / audio, seconds(tiny, audio))
    with unprivileged() if animal is one_that_is_locked else nullcontext():
        build(tmp_path / "store", {name: tiny.path for name, tiny in herd.items()}, quiet=True)
    for name, tiny in herd.items():
        reasons = left_out(tmp_path / "store", name)
        assert reasons.keys() == caged[name]
        assert ids(tmp_path / "store", name) == tiny.by_id().keys() - caged[name] != set()
        for reason in reasons.values():
            assert re.fullmatch(NO_SPEECH[animal], reason)


@every_corpus
def test_of_a_recording_of_hours_utterances_are_computed_and_the_whole_is_none(
    name, lay_out, tmp_path, one_after_another
):
    tiny = tamed(lay_out(name))
    audio, caged = cage(tiny)
    put(tiny.folder.path / audio, speech(7201, 1000), 1000, subtype="PCM_U8")
    build(tmp_path / "store", {name: tiny.path}, quiet=True)
    whole = {key for key in caged if tiny.by_id()[key].start is None}
    assert ids(tmp_path / "store", name) == tiny.by_id().keys() - whole
    assert left_out(tmp_path / "store", name) == dict.fromkeys(
        whole,
        "it is longer than 2 hours, a recording that was not cut into utterances; cut it, or list their starts and "
        "ends in a manifest",
    )


@pytest.mark.parametrize("name", ["manifest", "ravdess", "recola"])
def test_an_utterance_of_an_hour_arrives_with_all_its_frames_and_so_do_its_parts(
    name, lay_out, tmp_path, one_after_another
):
    """Of each kind of reader one, for it takes seconds: by a list, by names, and of parts of a recording."""
    tiny = tamed(lay_out(name))
    audio, caged = cage(tiny)
    put(tiny.folder.path / audio, speech(3600, 1000), 1000, subtype="PCM_U8")
    build(tmp_path / "store", {name: tiny.path}, quiet=True)
    listed = tiny.by_id()
    assert left_out(tmp_path / "store", name) == {}
    rows = {row["utterance_id"]: row for row in open_store(tmp_path / "store").rows(name).to_pylist()}
    assert rows.keys() == listed.keys()
    for key in caged:
        if listed[key].start is None:
            # 25 ms every 10, as many as fit wholly
            assert (rows[key]["seconds"], rows[key]["frames"]) == (3600, 359_998)
        else:
            assert rows[key]["seconds"] == pytest.approx(listed[key].end - listed[key].start, abs=1e-3)


def test_the_whole_zoo_at_once_on_all_cores(ray_session, folder, tmp_path):
    """Audio is one path for all readers, so one corpus shows that nothing of it ends a worker, either."""
    animals = [*SPEECH, *(animal for animal in NO_SPEECH if animal is not one_that_is_locked)]
    for animal in animals:
        folder.audio(f"{animal.__name__}/a.wav")
        animal(folder.path / animal.__name__ / "a.wav", 0.3)
    listed = folder.text("mine.csv", "speaker,audio", *(f"ana,{animal.__name__}/a.wav" for animal in animals))
    summary = build(tmp_path / "store", {"mine": listed}, quiet=True)
    assert ids(tmp_path / "store", "mine") == {f"{animal.__name__}/a" for animal in SPEECH}
    reasons = left_out(tmp_path / "store", "mine")
    assert reasons.keys() == {f"{animal.__name__}/a" for animal in animals} - {f"{one.__name__}/a" for one in SPEECH}
    assert all(re.fullmatch(NO_SPEECH[animal], reasons[f"{animal.__name__}/a"]) for animal in animals[len(SPEECH) :])
    assert summary.computed == len(SPEECH)


@pytest.mark.parametrize(
    ("name", "audio"),
    [
        ("fau_aibo", "wav/Ohm_01_001_00.wav"),
        ("iemocap", "Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_FXX0.wav"),
        ("masc", "data/b/four.wav"),
        ("msp_improv", "session1/S01A/P/MSP-IMPROV-S01A-F01-P-FM02.wav"),
        ("recola", "RECOLA-Audio-recordings/P17.wav"),
    ],
)
def test_audio_that_no_label_file_lists_is_left_out_and_said(name, audio, herd, tmp_path, one_after_another):
    tiny = herd[name]
    before = tiny.by_id().keys()
    tame(tiny.folder.path / audio, 0.3)
    summary = build(tmp_path / "store", {name: tiny.path}, quiet=True)
    assert without_label(tmp_path / "store", name) == {audio}
    assert ids(tmp_path / "store", name) == before and left_out(tmp_path / "store", name) == {}
    assert f"left out: {name} {audio}: the corpus's label files do not list it" in str(summary)
    assert not build(tmp_path / "store", {name: tiny.path}, quiet=True).changed


def test_audio_that_no_label_file_lists_may_have_any_name_and_be_locked(
    herd, tmp_path, one_after_another, unprivileged
):
    tiny = herd["masc"]
    tame(tiny.folder.path / os.fsdecode(b"data/caf\xe9.wav"), 0.3)
    build(tmp_path / "store", {"masc": tiny.path}, quiet=True)
    assert without_label(tmp_path / "store", "masc") == {"data/caf\\xe9.wav"}
    (tiny.folder.path / "data/a").chmod(0)
    with unprivileged(), pytest.raises(InputError, match=r"masc: .*/data/a cannot be read: Permission denied"):
        build(tmp_path / "store", {"masc": tiny.path}, quiet=True)
    (tiny.folder.path / "data/a").chmod(0o755)


def test_a_row_whose_audio_is_missing_is_left_out_of_every_corpus_with_its_reason(herd, ray_session, tmp_path):
    """Where names say everything there is no row without audio: a corpus is as large as what is there."""
    lost = {}
    for name, tiny in herd.items():
        audio = {utterance.audio for utterance in tiny.read()}
        before = tiny.by_id()
        for file in sorted(audio):  # the first that a label file has a row of
            content = (tiny.folder.path / file).read_bytes()
            (tiny.folder.path / file).unlink()
            lost[name] = {key for key, utterance in before.items() if utterance.audio == file}
            if tiny.by_id().keys() == before.keys():
                break
            lost.pop(name)
            (tiny.folder.path / file).write_bytes(content)
    assert lost.keys() == WITH_ROWS
    build(tmp_path / "store", {name: tiny.path for name, tiny in herd.items()}, quiet=True)
    for name, tiny in herd.items():
        missing = lost.get(name, set())
        assert left_out(tmp_path / "store", name) == dict.fromkeys(missing, "there is no such file")
        assert ids(tmp_path / "store", name) == tiny.by_id().keys() - missing != set()


@pytest.mark.parametrize("name", ["epst", "librispeech", "shemo"])
def test_audio_without_a_label_is_an_utterance_where_its_name_says_enough_and_else_left_out(
    name, herd, tmp_path, one_after_another
):
    tiny = herd[name]
    before = tiny.by_id().keys()
    audio = Path(cage(tiny)[0])
    other = {"epst": "mm_002", "librispeech": "84-121123-0001", "shemo": "F03S02"}[name]
    tame(tiny.folder.path / audio.with_stem(other), 0.3)
    build(tmp_path / "store", {name: tiny.path}, quiet=True)
    listed = before if name == "epst" else before | {other}
    assert ids(tmp_path / "store", name) == listed
    reasons = {"mm_002": "it has no transcript; expected transcr/mm_002.txt"} if name == "epst" else {}
    assert left_out(tmp_path / "store", name) == reasons


@every_corpus
@pytest.mark.parametrize("same", [True, False], ids=["a copy", "another recording"])
def test_a_recording_that_is_there_twice_is_one_utterance_and_the_other_is_left_out_unless_it_is_a_copy(
    name, same, lay_out, tmp_path, one_after_another
):
    tiny = tamed(lay_out(name))
    before = tiny.read()
    audio, _ = cage(tiny)
    copy = Path(audio).parent / "copies of DC OAF f1" / Path(audio).name
    if name == "savee":  # where the speaker is in the folder's name, or in the file's
        copy = copy.with_name("DC_a01.wav")
    (tiny.folder.path / copy).parent.mkdir(parents=True)
    shutil.copy(tiny.folder.path / audio, tiny.folder.path / copy)
    if not same:
        put(tiny.folder.path / copy, speech(0.4))
    build(tmp_path / "store", {name: tiny.path}, quiet=True)
    assert not build(tmp_path / "store", {name: tiny.path}, quiet=True).changed
    assert tiny.read() == before
    assert ids(tmp_path / "store", name) == tiny.by_id().keys()
    rows = open_store(tmp_path / "store").quarantined().to_pylist()
    reason = f"{audio} was taken for this utterance, and this file is no copy of it"
    said = not (same or name in ("emodb", "manifest"))  # EMO-DB's is in one folder, and a manifest lists what is wanted
    if name == "masc":  # whose list names each file by its path
        said, reason = True, NO_LABEL
    assert [(row["audio"], row["reason"]) for row in rows] == [(copy.as_posix(), reason)] * said


@every_corpus
@pytest.mark.parametrize("title", ["Ünïcödé – 情感 – حس", "e\u0301tude \U0001f3a4", "a\nb\tc'\"$(x) %s {y}"])
def test_the_folders_name_may_be_anything(name, title, lay_out, tmp_path, one_after_another):
    tiny = lay_out(name)
    for audio in {utterance.audio for utterance in tiny.read()}:
        tame(tiny.folder.path / audio, seconds(tiny, audio))
    before = tiny.by_id().keys()
    moved = tiny.folder.path.rename(tmp_path / title)
    build(tmp_path / "store", {name: moved / tiny.path.relative_to(tiny.folder.path)}, quiet=True)
    assert ids(tmp_path / "store", name) == before


@pytest.mark.parametrize("word", ["señor", "nin\u0303o", "愤怒", "خشم", "🎤", "a b", "%20", "it's", "{0}"])
def test_names_that_a_manifest_may_hold_are_the_same_in_the_store(word, folder, tmp_path, one_after_another):
    folder.audio(f"{word}/{word}.wav")
    tame(folder.path / word / f"{word}.wav", 0.3)
    listed = folder.text("mine.csv", "speaker,audio,session", f"{word},{word}/{word}.wav,{word}")
    build(tmp_path / "store", {"mine": listed}, quiet=True)
    (row,) = open_store(tmp_path / "store").load("mfb40", ["mine"]).to_pylist()
    assert (row["utterance_id"], row["speaker"], row["session"]) == (f"{word}/{word}", word, word)


@every_corpus
def test_a_folder_that_may_not_be_read_is_said_and_makes_no_corpus_smaller(name, lay_out, unprivileged):
    tiny = lay_out(name)
    locked = tiny.folder.path / Path(cage(tiny)[0]).parent
    before = tiny.read()
    locked.chmod(0)
    with unprivileged():
        try:
            assert tiny.read() == before  # it is found without a look
        except InputError as error:
            assert re.search(rf"{re.escape(str(locked))}\S* cannot be read: Permission denied", str(error))
    locked.chmod(0o755)
