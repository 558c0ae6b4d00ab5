"""One decoding path: whatever the file's format, mono float32 in [-1, 1] at the rate that is asked for."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile

from data_prep.audio import UnreadableAudio, read


@pytest.mark.parametrize(
    ("name", "subtype", "tolerance"),
    [
        ("a.wav", "PCM_16", 1e-4),
        ("a.wav", "PCM_24", 1e-6),
        ("a.wav", "PCM_U8", 1e-2),
        ("a.wav", "FLOAT", 0.0),
        ("a.flac", "PCM_16", 1e-4),
        ("a.WAV", "PCM_16", 1e-4),
    ],
)
def test_every_format_gives_the_same_waveform(name, subtype, tolerance, tone, tmp_path):
    wave = tone(300)
    soundfile.write(tmp_path / name, wave, 16000, subtype=subtype)
    decoded = read(tmp_path / name, 16000)
    assert decoded.dtype == np.float32 and decoded.shape == wave.shape
    assert np.abs(decoded - wave).max() <= tolerance


def test_channels_are_averaged(tone, tmp_path):
    left, right = tone(300), tone(500)
    soundfile.write(tmp_path / "a.wav", np.stack([left, right], axis=1), 16000, subtype="FLOAT")
    assert read(tmp_path / "a.wav", 16000) == pytest.approx((left + right) / 2, abs=1e-7)


def test_another_rate_is_resampled_and_keeps_its_pitch(tmp_path):
    time = np.arange(48000) / 48000
    soundfile.write(tmp_path / "a.wav", 0.5 * np.sin(2 * np.pi * 1000 * time), 48000, subtype="FLOAT")
    wave = read(tmp_path / "a.wav", 16000)
    expected = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(16000) / 16000)
    assert len(wave) == 16000
    assert wave[200:-200] == pytest.approx(expected[200:-200], abs=5e-3)


def test_a_part_of_a_file_is_what_lies_between_its_times(tone, tmp_path):
    wave = tone(300, seconds=1.0)
    soundfile.write(tmp_path / "a.wav", wave, 16000, subtype="FLOAT")
    assert read(tmp_path / "a.wav", 16000, start=0.25, end=0.5).tolist() == wave[4000:8000].tolist()
    assert len(read(tmp_path / "a.wav", 16000, start=0.75, end=9.0)) == 4000, "a little past the end is cut"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the file is empty"),
        (b"this is a text, not audio", "no audio that can be decoded"),
        (b"RIFF\x24\x00\x00\x00WAVEfmt ", "no audio that can be decoded"),
        (None, "there is no such file"),
    ],
)
def test_what_is_no_audio_has_a_reason(content, reason, tmp_path):
    if content is not None:
        (tmp_path / "a.wav").write_bytes(content)
    with pytest.raises(UnreadableAudio, match=reason):
        read(tmp_path / "a.wav", 16000)


def test_a_file_without_samples_and_one_with_no_numbers_have_a_reason(tone, tmp_path):
    soundfile.write(tmp_path / "none.wav", np.zeros(0, np.float32), 16000)
    soundfile.write(tmp_path / "nan.wav", np.where(np.arange(8000) == 77, np.nan, tone(300)), 16000, subtype="FLOAT")
    with pytest.raises(UnreadableAudio, match="holds no samples"):
        read(tmp_path / "none.wav", 16000)
    with pytest.raises(UnreadableAudio, match="no finite numbers"):
        read(tmp_path / "nan.wav", 16000)
    with pytest.raises(UnreadableAudio, match="none of it from 5.0 s"):
        soundfile.write(tmp_path / "short.wav", tone(300), 16000)
        read(tmp_path / "short.wav", 16000, start=5.0, end=6.0)
