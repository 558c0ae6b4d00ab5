"""Audio: one decoding path, exact where it can be, and a reason that a person understands where it fails."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import random
import struct
import tracemalloc
from collections.abc import Iterator

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


# As the Linguistic Data Consortium's archives may have it.
SHORTENED = (
    b"""NIST_1A
   1024
channel_count -i 2
sample_count -i 22050
sample_rate -i 22050
sample_n_bytes -i 2
sample_byte_format -s2 10
sample_coding -s26 pcm,embedded-shorten-v2.00
end_head
""".ljust(1024)
    + b"ajkg\x02"
    + bytes(range(256))
)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"nothing like audio", "not audio that can be decoded"),
        (encoded(tone(300, 16000))[:30], "not audio that can be decoded"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "a Git LFS pointer"),
        (SHORTENED, "NIST sphere compressed with shorten, which is not read; put a wav in its place"),
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


def test_times_beyond_any_number_of_samples_are_no_part_either():
    for start, end in ((None, 1e308), (float("inf"), None), (float("nan"), None), (0.0, float("nan"))):
        with pytest.raises(audio.UnusableAudio, match="has no part"):
            audio.decode(encoded(tone(300, 16000)), 16000, start, end)


def noise(seconds: float) -> np.ndarray:
    return np.random.default_rng(0).normal(0, 0.1, round(16000 * seconds))


def flac(frames: int, seconds: float = 3.0) -> bytes:
    """A FLAC whose header says ``frames``: the last 36 bits of bytes 18 to 25 (RFC 9639, section 8.2)."""
    content = encoded(noise(seconds), kind="FLAC")
    other = int.from_bytes(content[18:26]) >> 36
    return content[:18] + (other << 36 | frames).to_bytes(8) + content[26:]


def wav(size: int, riff_size: int, seconds: float = 3.0) -> bytes:
    """A wav whose header says that its samples are ``size`` bytes, and the whole ``riff_size``."""
    content = encoded(noise(seconds))
    return content[:4] + struct.pack("<I", riff_size) + content[8:40] + struct.pack("<I", size) + content[44:]


def test_a_wav_that_is_cut_off_is_said_with_both_lengths():
    half = encoded(noise(3.0))[: 44 + 48000]
    for start, end in ((None, None), (2.0, 3.0), (1.0, 2.0)):
        with pytest.raises(audio.UnusableAudio, match=r"cut off: its header promises 3\.00 s, 1\.50 s are there"):
            audio.decode(half, 16000, start, end)
    assert len(audio.decode(half, 16000, 0.5, 1.5)[0]) == 16000  # a part that is there is there


def test_a_flac_that_is_cut_off_is_said_with_both_lengths():
    whole = encoded(noise(3.0), kind="FLAC")
    # Noise does not compress: half the bytes are half the frames, but for the block of 4096 that is cut.
    with pytest.raises(audio.UnusableAudio, match=r"cut off or damaged: its header promises 3\.00 s, 1\.[2-5]\d s are"):
        audio.decode(whole[: len(whole) // 2], 16000)
    with pytest.raises(audio.UnusableAudio, match=r"ends or is damaged before 2\.50 s"):
        audio.decode(whole[: len(whole) // 2], 16000, 2.5, 3.0)
    assert len(audio.decode(whole[: len(whole) // 2], 16000, 0.0, 1.0)[0]) == 16000


def test_a_header_that_promises_weeks_is_not_believed_and_costs_no_memory():
    with pytest.raises(audio.UnusableAudio, match=r"promises 625000\.00 s, 3\.00 s are there"), little_memory():
        audio.decode(flac(10**10), 16000)


def test_a_few_samples_less_than_promised_are_no_loss():
    assert len(audio.decode(encoded(noise(3.0))[:-1600], 16000)[0]) == 48000 - 800
    assert len(audio.decode(flac(48000 + 800), 16000)[0]) == 48000


@pytest.mark.parametrize(
    "content",
    [
        wav(0, 36),  # Python's wave module
        wav(0, 0),
        wav(0xFFFFFFFF, 0xFFFFFFFF),  # ffmpeg
        wav(0x7FFFF000, 0x7FFFF024),  # sox
        flac(0),
    ],
)
def test_a_streamed_file_whose_header_says_no_length_is_as_long_as_it_is(content):
    expected, _ = soundfile.read(io.BytesIO(encoded(noise(3.0))), dtype="float32")
    waveform, seconds = audio.decode(content, 16000)
    np.testing.assert_allclose(waveform, expected, atol=2**-15)  # wav and flac round differently
    assert seconds == 3.0
    np.testing.assert_array_equal(audio.decode(content, 16000, 1.0, 2.0)[0], waveform[16000:32000])
    with pytest.raises(audio.UnusableAudio, match=r"is 3\.00 s long and has no part from 1 s to 4 s"):
        audio.decode(content, 16000, 1.0, 4.0)


def test_a_wav_that_says_it_is_empty_and_goes_on_with_another_chunk_is_empty():
    note = b"LIST" + struct.pack("<I", 4) + b"INFO"
    with pytest.raises(audio.UnusableAudio, match="the file holds no samples"):
        audio.decode(wav(0, 36 + len(note), seconds=0) + note, 16000)


def test_an_mp3_without_a_length_of_its_own_is_as_long_as_it_is():
    # Without its first frame, which holds the length, that of a variable bit rate is guessed from the next: silence.
    file = io.BytesIO()
    samples = np.concatenate([np.zeros(48000), noise(3.0)])
    soundfile.write(file, samples, 16000, format="MP3", bitrate_mode="VARIABLE", compression_level=0.3)
    content = file.getvalue()
    content = content[content.index(b"\xff\xf3", 10) :]
    assert soundfile.info(io.BytesIO(content)).duration > 12
    _, seconds = audio.decode(content, 16000)
    assert seconds == pytest.approx(6.0, abs=0.2)  # the encoder pads with frames of its own
    with pytest.raises(audio.UnusableAudio, match=r"ends or is damaged before 8\.00 s"):
        audio.decode(content, 16000, 8.0, 9.0)


def test_sampling_rates_that_nobody_records_at_are_a_damaged_header():
    for rate in (1, 100_000_000):
        with pytest.raises(audio.UnusableAudio, match=f"its header says {rate} samples a second"), little_memory():
            audio.decode(encoded(noise(3.0), rate), 16000)


@pytest.mark.parametrize("kind", ["WAV", "FLAC", "OGG", "MP3"])
def test_whatever_is_damaged_in_a_file_it_is_decoded_or_has_a_reason_in_little_memory(kind):
    whole = encoded(noise(0.5), kind=kind)
    draw = random.Random(kind)
    refused = 0
    for _ in range(500):
        content = bytearray(whole)
        for _ in range(draw.randint(1, 4)):
            place = draw.randrange(64 if draw.random() < 0.8 else len(content))  # most often in the header
            content[place] = draw.choice([0, 1, 0x7F, 0x80, 0xFF, draw.randrange(256)])
        if draw.random() < 0.2:
            del content[draw.randrange(len(content)) :]
        with little_memory():
            try:
                waveform, seconds = audio.decode(bytes(content), 16000)
            except audio.UnusableAudio as error:
                assert str(error)
                refused += 1
            else:
                assert len(waveform) == pytest.approx(seconds * 16000, abs=1)
    assert 0 < refused < 500


@contextlib.contextmanager
def little_memory(limit: float = 64e6) -> Iterator[None]:
    """What runs within takes less than so many bytes at any time; half a second is 32 kB, and blocks are 4 MB each."""
    tracemalloc.start()
    try:
        yield
    finally:
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert most < limit


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


def test_what_is_longer_than_an_utterance_is_refused_in_little_memory_and_its_parts_are_read():
    hours = encoded(np.tile(noise(1.0)[:1000], 3 * 3600), 1000, subtype="PCM_U8")
    streamed = hours[:4] + b"\xff" * 4 + hours[8:40] + b"\xff" * 4 + hours[44:]
    for content in (hours, streamed):
        with pytest.raises(audio.UnusableAudio, match="is longer than 2 hours"), little_memory(128e6):
            audio.decode(content, 1000)  # 7200 s are 29 MB
        with little_memory():
            assert len(audio.decode(content, 1000, 10000.0, 10001.0)[0]) == 1000
    assert len(audio.decode(hours, 1000, 3600.0, 3600.0 + audio.LONGEST)[0]) == audio.LONGEST * 1000


@pytest.mark.parametrize("value", [0.0, 0.25, -1.0])
def test_samples_that_are_all_the_same_are_silence_and_one_that_is_not_is_sound(value):
    samples = np.full(16000, value, np.float32)
    with pytest.raises(audio.UnusableAudio, match="nothing but silence"):
        audio.decode(encoded(samples, subtype="FLOAT"), 16000)
    samples[8000] += 1 / 32768
    assert len(audio.decode(encoded(samples, subtype="FLOAT"), 16000)[0]) == 16000
    with pytest.raises(audio.UnusableAudio, match="nothing but silence"):
        audio.decode(encoded(samples, subtype="FLOAT"), 16000, 0.6, 1.0)


def test_floating_point_samples_may_exceed_1_but_not_as_integers_do():
    waveform, _ = audio.decode(encoded(20 * tone(300, 16000), subtype="FLOAT"), 16000)
    assert np.abs(waveform).max() == pytest.approx(10)
    for scale in (32768, -32768):
        with pytest.raises(audio.UnusableAudio, match=r"its samples reach 16384, .* to be divided by 32768"):
            audio.decode(encoded(scale * tone(300, 16000), subtype="FLOAT"), 16000)


def test_a_pipe_keeps_nobody_waiting(tmp_path):
    os.mkfifo(tmp_path / "a.wav")
    with pytest.raises(audio.UnusableAudio, match="a pipe or a device"):
        audio.read(tmp_path / "a.wav")
