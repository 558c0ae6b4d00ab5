"""Audio as every feature sees it: one decoding path for all corpora, features and machines.

libsndfile decodes (wav, flac, ogg, mp3, NIST sphere) to float32, channels are averaged, and soxr resamples. soxr and
not torchaudio's sinc resampling: from 48 to 16 kHz that takes 1.8 dB off at 7 kHz and folds 8.2 kHz back at -8 dB,
where soxr takes nothing off and folds back at -130 dB; and it needs seconds a file at rates such as TESS's 24,414 Hz.
"""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import numpy as np
import soundfile
import soxr

DECODING = {"samples": "float32 in [-1, 1]", "channels": "mean", "resampling": "soxr HQ"}
"""What decoded values depend on besides the file; part of every store's fingerprint."""

LIBRARIES = {"libsndfile": soundfile.__libsndfile_version__, "soxr": soxr.__version__}
"""The versions of what decodes; part of every store's fingerprint."""

# An utterance may end this much after its file (seconds): times in transcripts are rounded.
_END_TOLERANCE = 0.1


class UnusableAudio(Exception):
    """Audio that no features can be computed from; its message is the reason, for a person."""


def read(path: Path) -> bytes:
    """The content of an audio file.

    Raises:
        UnusableAudio: the file is missing, empty or not readable.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise UnusableAudio("there is no such file") from None
    except OSError as error:
        raise UnusableAudio(f"the file cannot be read: {error.strerror}") from error
    if not content:
        raise UnusableAudio("the file is empty")
    return content


def digest(content: bytes) -> str:
    """SHA-256 of an audio file's content, in hex."""
    return hashlib.sha256(content).hexdigest()


def decode(
    content: bytes, sample_rate: int, start: float | None = None, end: float | None = None
) -> tuple[np.ndarray, float]:
    """The waveform in an audio file's content.

    Args:
        content: the whole file.
        sample_rate: Hz that it is resampled to.
        start, end: seconds into the file, for an utterance that is a part of it; ``None`` is the file's own.

    Returns:
        The mono waveform, float32 of shape (samples,) in [-1, 1], and its length in seconds before resampling.

    Raises:
        UnusableAudio: it is no audio, holds no samples or values that are not numbers, or has no such part.
    """
    try:
        with soundfile.SoundFile(io.BytesIO(content)) as file:
            rate = file.samplerate
            first, last = _part(file.frames, rate, start, end)
            file.seek(first)
            samples = file.read(last - first, dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise UnusableAudio(_no_audio(content, error)) from error
    mono = samples.mean(axis=1)
    if not len(mono):
        raise UnusableAudio("the file holds no samples")
    if not np.isfinite(mono).all():
        raise UnusableAudio("the file holds samples that are not numbers (NaN or infinite)")
    return soxr.resample(mono, rate, sample_rate, quality="HQ"), len(mono) / rate


def _part(frames: int, rate: int, start: float | None, end: float | None) -> tuple[int, int]:
    if frames <= 0:
        raise UnusableAudio("the file holds no samples")
    first = 0 if start is None else round(start * rate)
    last = frames if end is None else round(end * rate)
    if not 0 <= first < last or last > frames + _END_TOLERANCE * rate or first >= frames:
        part = f"from {start or 0.0:g} s to {'its end' if end is None else f'{end:g} s'}"
        raise UnusableAudio(f"the file is {frames / rate:.2f} s long and has no part {part}")
    return first, min(last, frames)


def _no_audio(content: bytes, error: soundfile.LibsndfileError) -> str:
    if content.startswith(b"version https://git-lfs"):
        return "a Git LFS pointer stands in place of the audio; fetch it with git lfs pull"
    return f"not audio that can be decoded: {error.error_string.rstrip('.').lower()}"
