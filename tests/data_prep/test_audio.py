"""Audio: one decoding path, exact where it can be, and a reason that a person understands where it fails."""

from __future__ import annotations

import hashlib
import io

import numpy as np
import pytest
import soundfile

from data_prep import audio


def encoded(samples: np.ndarray, rate: int = 16000, kind: str = "WAV", subtype: str | None = None) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format=kind, subtype=subtype)
    return file.getvalue()


def tone(hertz: float, rate: int, seconds: float = 1.0) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * hertz * np.arange(round(rate * seconds)) / rate)


def test_16_bit_samples_come_out_exactly_as_fractions_of_32768():
    integers = np.array([-32768, -1, 0, 1, 32767] * 10, dtype=np.int16)
    waveform, seconds = audio.decode(encoded(integers), 16000)
    assert waveform.dtype == np.float32
    assert np.array_equal(waveform * 32768, integers)
    assert seconds == 50 / 16000


def test_channels_are_averaged():
    left, right = tone(300, 16000), tone(500, 16000)
    waveform, _ = audio.decode(encoded(np.stack([left, right], axis=1), subtype="FLOAT"), 16000)
    np.testing.assert_allclose(waveform, (left + right) / 2, atol=1e-7)


@pytest.mark.parametrize("rate", [8000, 22050, 24414, 44100, 48000])
def test_a_tone_is_the_same_tone_after_resampling_from(rate):
    waveform, seconds = audio.decode(encoded(tone(1000, rate), rate, subtype="FLOAT"), 16000)
    assert abs(len(waveform) - 16000) <= 1
    assert seconds == 1.0
    middle = slice(1000, 15000)  # the ends ring, as there is silence before and after
    np.testing.assert_allclose(waveform[middle], tone(1000, 16000)[middle], atol=1e-3)


def test_what_is_above_half_the_new_rate_does_not_fold_back():
    waveform, _ = audio.decode(encoded(tone(8500, 48000), 48000, subtype="FLOAT"), 16000)
    # 0.5 in, below 0.5e-5 (-100 dB) out.
    assert np.abs(waveform[1000:15000]).max() < 0.5e-5


def test_a_part_is_what_lies_between_its_start_and_end():
    samples = np.arange(16000) / 16000
    waveform, seconds = audio.decode(encoded(samples, subtype="FLOAT"), 16000, start=0.25, end=0.5)
    np.testing.assert_allclose(waveform, samples[4000:8000], atol=1e-7)
    assert seconds == 0.25


def test_an_end_just_after_the_files_own_is_the_files_own():
    waveform, _ = audio.decode(encoded(tone(300, 16000)), 16000, start=0.9, end=1.04)
    assert len(waveform) == 1600


@pytest.mark.parametrize("kind", ["FLAC", "OGG", "MP3", "NIST"])
def test_what_is_no_wav_is_known_by_its_content(kind):
    waveform, _ = audio.decode(encoded(tone(300, 16000), kind=kind), 16000)
    assert abs(len(waveform) - 16000) < 2500  # mp3 pads with whole frames of its own
    assert 0.3 < np.abs(waveform).max() < 0.6


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"nothing like audio", "not audio that can be decoded"),
        (encoded(tone(300, 16000))[:30], "not audio that can be decoded"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "a Git LFS pointer"),
        (encoded(np.zeros(0)), "the file holds no samples"),
        (encoded(np.full(800, np.nan), subtype="FLOAT"), "samples that are not numbers"),
    ],
)
def test_content_that_is_no_speech_has_a_reason(content, reason):
    with pytest.raises(audio.UnusableAudio, match=reason):
        audio.decode(content, 16000)


@pytest.mark.parametrize(("start", "end"), [(2.0, 3.0), (0.5, 0.5), (0.5, 1.5), (-1.0, 0.5), (1.0, None)])
def test_a_part_that_the_file_does_not_have_is_named_with_the_files_length(start, end):
    with pytest.raises(audio.UnusableAudio, match=r"1\.00 s long and has no part"):
        audio.decode(encoded(tone(300, 16000)), 16000, start, end)


def test_files_that_cannot_be_read_have_a_reason(tmp_path):
    (tmp_path / "empty.wav").touch()
    for name, reason in (("missing.wav", "no such file"), ("empty.wav", "is empty"), (".", "Is a directory")):
        with pytest.raises(audio.UnusableAudio, match=reason):
            audio.read(tmp_path / name)


def test_the_digest_is_the_one_that_sha256sum_prints(tmp_path):
    (tmp_path / "a.wav").write_bytes(b"abc")
    # FIPS 180-2, B.1
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert audio.digest(audio.read(tmp_path / "a.wav")) == expected == hashlib.sha256(b"abc").hexdigest()
