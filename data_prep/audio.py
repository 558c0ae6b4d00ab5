"""One decoding path for every file: mono float32 in [-1, 1] at the rate that a feature asks for."""

from __future__ import annotations

from functools import cache
from importlib.metadata import version
from pathlib import Path

import numpy as np
import soundfile
import torch
from torchaudio.functional import resample


class UnreadableAudio(Exception):
    """An audio file that cannot be used; the message is the reason, for the quarantine."""


@cache
def decoding() -> str:
    """What decoded values depend on besides the file: part of every fingerprint."""
    return f"soundfile {version('soundfile')}, mean of channels, torchaudio {version('torchaudio')} sinc resampling"


def read(path: Path, sample_rate: int, start: float | None = None, end: float | None = None) -> np.ndarray:
    """The waveform of a file, float32 of shape (samples,) in [-1, 1], mono (the mean of its channels).

    Args:
        path: any format that libsndfile reads (wav, flac, ogg, mp3).
        sample_rate: Hz that it is resampled to.
        start, end: seconds into the file, for an utterance that is a part of it.

    Raises:
        UnreadableAudio: the file is missing, empty or no audio, holds values that are no numbers, or ends before
            ``start``.
    """
    try:
        if path.stat().st_size == 0:
            raise UnreadableAudio("the file is empty")
        with soundfile.SoundFile(path) as file:
            rate = file.samplerate
            first = 0 if start is None else round(start * rate)
            last = file.frames if end is None else min(round(end * rate), file.frames)
            if file.frames == 0:
                raise UnreadableAudio("the file holds no samples")
            if not 0 <= first < last:
                raise UnreadableAudio(f"the file has {file.frames / rate:.2f} s, none of it from {start} s to {end} s")
            file.seek(first)
            samples = file.read(last - first, dtype="float32", always_2d=True)
    except FileNotFoundError:
        raise UnreadableAudio("there is no such file") from None
    except OSError as error:
        raise UnreadableAudio(f"the file cannot be read: {error.strerror or error}") from error
    except soundfile.LibsndfileError as error:
        raise UnreadableAudio(f"no audio that can be decoded: {error.error_string.rstrip('.')}") from error
    mono = samples.mean(axis=1)
    if len(mono) == 0:
        raise UnreadableAudio("the file holds no samples")
    if not np.isfinite(mono).all():
        raise UnreadableAudio("the file holds samples that are no finite numbers")
    return mono if rate == sample_rate else resample(torch.from_numpy(mono), rate, sample_rate).numpy()
