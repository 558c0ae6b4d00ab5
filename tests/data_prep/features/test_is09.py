"""is09: what openSMILE itself reads from a wav file and writes to a CSV file, and the RMS energy's part done by hand."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import opensmile
import pytest
import soundfile
from opensmile.core.lib import OpenSMILE

from data_prep import audio, features

FEATURE = features.load("is09")
RATE = 16000
NAMES = opensmile.Smile(
    feature_set=opensmile.FeatureSet.IS09, feature_level=opensmile.FeatureLevel.Functionals
).feature_names


def as_read(waveform: np.ndarray) -> np.ndarray:
    """What is left of a waveform in a 16-bit wav file, by our decoding."""
    file = io.BytesIO()
    soundfile.write(file, waveform, RATE, format="WAV", subtype="PCM_16")
    return audio.decode(file.getvalue(), RATE)[0]


def opensmiles_own(waveform: np.ndarray, folder: Path) -> tuple[list[str], np.ndarray]:
    """Names and values by openSMILE's C++ program, from file to file: its own reader, its own writer."""
    soundfile.write(folder / "in.wav", waveform, RATE, subtype="PCM_16")
    config = Path(opensmile.__file__).parent / "core" / "config"
    smile = OpenSMILE()
    smile.initialize(
        config_file=str(config / "is09-13" / "IS09_emotion.conf"),
        options={
            "source": str(config / "shared" / "standard_wave_input.conf.inc"),
            "sink": str(config / "shared" / "standard_data_output.conf.inc"),
            "bufferModeRbConf": str(config / "shared" / "BufferModeRb.conf.inc"),
            "frameModeFunctionalsConf": str(config / "shared" / "FrameModeFunctionals.conf.inc"),
            "I": str(folder / "in.wav"),
            "func_csv_output": str(folder / "out.csv"),
            "func_csv_timestamp": "0",
        },
        loglevel=1,
    )
    smile.run()
    smile.free()
    with (folder / "out.csv").open() as file:
        names, values = csv.reader(file, delimiter=";")
    return names[-384:], np.array(values[-384:], np.float64)


def check(waveform: np.ndarray, folder: Path) -> None:
    """openSMILE writes 7 digits, so 1e-6 of a value is allowed (measured: 5e-7)."""
    names, theirs = opensmiles_own(waveform, folder)
    assert names == NAMES
    np.testing.assert_allclose(FEATURE.compute(as_read(waveform))[0], theirs, rtol=1e-6, atol=1e-9)


def test_synthetic_signals_come_out_as_opensmile_computes_them_from_their_file(synthetic, tmp_path):
    check(synthetic, tmp_path)


def test_real_speech_comes_out_as_opensmile_computes_it_from_its_file(speech, tmp_path):
    for waveform in speech:
        check(waveform, tmp_path)


def rms_energy(waveform: np.ndarray) -> dict[str, float]:
    """The 12 functionals of the RMS energy, by hand.

    Frames of 400 samples every 160, pre-emphasis 0.97 within the frame, Hamming window, root mean square, mean over
    three frames. openSMILE drops the last two frames, and divides integers by 32767 where we divide by 32768.
    """
    frames = np.lib.stride_tricks.sliding_window_view(waveform.astype(np.float64), 400)[::160] * 32768 / 32767
    emphasised = frames - 0.97 * np.concatenate([frames[:, :1], frames[:, :-1]], axis=1)
    energy = np.sqrt(((emphasised * np.hamming(400)) ** 2).mean(axis=1))
    before, after = np.concatenate([energy[:1], energy[:-1]]), np.concatenate([energy[1:], energy[-1:]])
    smooth = ((before + energy + after) / 3)[:-2]
    frame = np.arange(len(smooth))
    slope, offset = np.polyfit(frame, smooth, 1)
    score = (smooth - smooth.mean()) / smooth.std()
    return {
        "max": smooth.max(),
        "min": smooth.min(),
        "range": np.ptp(smooth),
        "maxPos": smooth.argmax(),
        "minPos": smooth.argmin(),
        "amean": smooth.mean(),
        "linregc1": slope,
        "linregc2": offset,
        "linregerrQ": ((smooth - slope * frame - offset) ** 2).mean(),
        "stddev": smooth.std(),
        "skewness": (score**3).mean(),
        "kurtosis": (score**4).mean(),
    }


def check_by_hand(waveform: np.ndarray) -> None:
    """openSMILE computes in float32: 1e-7 of each energy, of which a slope near 0 and a third moment keep fewer digits."""
    waveform = as_read(waveform)
    values = dict(zip(NAMES, FEATURE.compute(waveform)[0].tolist(), strict=True))
    for name, value in rms_energy(waveform).items():
        assert values[f"pcm_RMSenergy_sma_{name}"] == pytest.approx(value, rel=1e-3, abs=1e-7), name


def test_the_rms_energy_of_synthetic_signals_is_described_as_by_hand(synthetic):
    check_by_hand(synthetic)


def test_the_rms_energy_of_real_speech_is_described_as_by_hand(speech):
    for waveform in speech:
        check_by_hand(waveform)


def test_samples_at_and_above_full_scale_are_the_highest_and_not_the_lowest():
    tone = np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE).astype(np.float32)
    loud = 1.5 * tone
    assert (loud > 1).any()
    clipped = np.clip(loud, -1, 32767 / 32768)
    assert FEATURE.compute(loud).tobytes() == FEATURE.compute(clipped).tobytes()
    assert FEATURE.compute(loud)[0, NAMES.index("pcm_zcr_sma_amean")] == pytest.approx(2 * 440 / RATE, rel=0.05)


@pytest.mark.parametrize(("samples", "frames"), [(399, 0), (400, 1), (16000, 1), (160000, 1)])
def test_an_utterance_of_25_ms_or_more_is_one_frame(samples, frames):
    noise = np.random.default_rng(0).normal(0, 0.1, samples).astype(np.float32)
    computed = FEATURE.compute(noise)
    assert computed.shape == (frames, 384)
    assert np.isfinite(computed).all()
