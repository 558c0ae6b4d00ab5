"""Audio as every feature sees it: one decoding path for all corpora, features and machines.

libsndfile decodes (wav, flac, ogg, mp3, NIST sphere) to float32, channels are averaged, and soxr resamples. soxr and
not torchaudio's sinc resampling: from 48 to 16 kHz that takes 1.8 dB off at 7 kHz and folds 8.2 kHz back at -8 dB,
where soxr takes nothing off and folds back at -130 dB; and it needs seconds a file at rates such as TESS's 24,414 Hz.
"""

from __future__ import annotations

import hashlib
import io
import stat
import struct
from pathlib import Path

import numpy as np
import soundfile
import soxr

from data_prep.places import Place, Unreachable

DECODING = {"samples": "float32 in [-1, 1]", "channels": "mean", "resampling": "soxr HQ", "version": 3}
"""What decoded values depend on besides the file; part of every store's fingerprint. The version is raised whenever
:func:`decode` would give other values, or refuse other files."""

LIBRARIES = {"libsndfile": soundfile.__libsndfile_version__, "soxr": soxr.__version__}
"""The versions of what decodes; recorded in every store."""

# A file may hold this much less than its header says, and an utterance may end this much after its file (seconds):
# writers pad, and times in transcripts are rounded.
_TOLERANCE = 0.1

LONGEST = 7200
"""Seconds of an utterance. What is longer was left running, or not cut, and would fill the memory: a day is 5 GB."""

# Floating-point samples may exceed 1 a little, and recorders without a gain keep what is 20 dB above. What exceeds this
# was written as integers are, up to 32,768, and would be heard as speech 90 dB louder than any other.
_LOUDEST = 100

# Hz. What lies outside is a damaged header, and resampling it would fill the memory.
_SAMPLE_RATES = (1_000, 768_000)

_BLOCK = 1 << 20  # values that are decoded at once, all channels together
_NO_LENGTH = (1 << 63) - 1  # libsndfile's number of frames where a FLAC's header, being streamed, says none
_NO_SIZE = 0x7FFF0000  # bytes; streaming writers give their wav files sizes from here to 2^32 - 1, or 0


class UnusableAudio(Exception):
    """Audio that no features can be computed from; its message is the reason, for a person."""


def read(path: Place) -> bytes:
    """The content of an audio file.

    Raises:
        UnusableAudio: the file is missing, empty or not readable.
        Unreachable: where it is, nothing answers.
    """
    try:
        kind = path.stat().st_mode if isinstance(path, Path) else stat.S_IFREG
        if not (stat.S_ISREG(kind) or stat.S_ISDIR(kind)):
            raise UnusableAudio("it is no file, but a pipe or a device")  # which may keep a reader waiting for ever
        content = path.read_bytes()
    except FileNotFoundError:
        raise UnusableAudio("there is no such file") from None
    except Unreachable:
        raise
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
        UnusableAudio: it is no audio, is cut off, has no such part, is silent or longer than :data:`LONGEST`, or holds no
            samples, or values that are not numbers or far out of range.
    """
    content = _with_size(content)
    try:
        with _Forward(io.BytesIO(content)) as file:
            rate, promised = file.samplerate, _promised(content, file)
            if not _SAMPLE_RATES[0] <= rate <= _SAMPLE_RATES[1]:
                raise UnusableAudio(f"its header says {rate} samples a second, which no recording has")
            first, last = _part(promised or file.frames, rate, start, end)
            first = min(first, file.frames)  # of a wav that is cut off, what is there
            mono = _mono(file, first, min(last, first + LONGEST * rate + 1), promised)
    except soundfile.LibsndfileError as error:
        raise UnusableAudio(_no_audio(content, error)) from error
    if len(mono) > LONGEST * rate:
        raise UnusableAudio(
            f"it is longer than {LONGEST // 3600} hours, a recording that was not cut into utterances; cut it, or list "
            "their starts and ends in a manifest"
        )
    there = first + len(mono)
    if there < last - _TOLERANCE * rate:
        if promised is not None:
            raise UnusableAudio(f"the file is cut off: {_too_few(promised, there, rate)}")
        if first == there > 0:
            raise UnusableAudio(_ends_before(first, rate))
        _part(there, rate, start, end)  # its length is known now
    if not len(mono):
        raise UnusableAudio("the file holds no samples")
    if not np.isfinite(mono).all():
        raise UnusableAudio("the file holds samples that are not numbers (NaN or infinite)")
    lowest, highest = float(mono.min()), float(mono.max())
    if lowest == highest:
        raise UnusableAudio("it holds nothing but silence: all its samples are the same")
    if max(-lowest, highest) > _LOUDEST:
        raise UnusableAudio(
            f"its samples reach {max(-lowest, highest):.0f}, and recordings stay within -1 and 1; they are floating-point "
            "numbers on the scale of integers, to be divided by 32768 (of 16 bits)"
        )
    return soxr.resample(mono, rate, sample_rate, quality="HQ"), len(mono) / rate


class _Forward(soundfile.SoundFile):
    """A file that is read block after block: soundfile would seek after each, which fails in a FLAC that is cut off."""

    def seekable(self) -> bool:
        return False


def _mono(file: _Forward, first: int, last: int, promised: int | None) -> np.ndarray:
    """The mean of the channels from frame ``first`` to ``last``, or to where the file really ends."""
    blocks = [np.zeros(0, np.float32)]
    rate = file.samplerate
    if first:
        try:
            file.seek(first)
        except soundfile.LibsndfileError as error:
            raise UnusableAudio(_ends_before(first, rate)) from error
    try:
        while first < last:
            samples = file.read(min(last - first, _BLOCK // file.channels), dtype="float32", always_2d=True)
            if not len(samples):
                break
            blocks.append(samples.mean(axis=1))
            first += len(samples)
    except soundfile.LibsndfileError as error:
        if promised is None:
            raise
        there = max(first, file.tell())  # the block that failed began well
        raise UnusableAudio(f"the file is cut off or damaged: {_too_few(promised, there, rate)}") from error
    return np.concatenate(blocks)


def _ends_before(first: int, rate: int) -> str:
    return f"the file ends or is damaged before {first / rate:.2f} s, where its part begins"


def _too_few(promised: int, there: int, rate: int) -> str:
    return f"its header promises {promised / rate:.2f} s, {there / rate:.2f} s are there"


def _promised(content: bytes, file: soundfile.SoundFile) -> int | None:
    """Frames that the header says; ``None`` where it says none, or libsndfile only estimates them (MP3)."""
    if file.format == "MP3" or file.frames == _NO_LENGTH:
        return None
    found = _data_chunk(content)
    if found is None:
        return file.frames
    begin, size = found
    there = len(content) - begin
    if size >= _NO_SIZE or size <= there:
        return file.frames
    return file.frames * size // max(there, 1)  # libsndfile counts what is there


def _with_size(content: bytes) -> bytes:
    """A streamed wav that says to hold 0 bytes, with the number it holds; anything else as it is."""
    begin, size = _data_chunk(content) or (0, None)
    if size != 0:
        return content
    whole = struct.unpack_from("<I", content, 4)[0] + 8 == len(content)
    if whole and content[begin : begin + 4].strip().isalnum():
        return content  # it is empty: another chunk follows, by its name
    return content[: begin - 4] + struct.pack("<I", min(len(content) - begin, _NO_SIZE)) + content[begin:]


def _data_chunk(content: bytes) -> tuple[int, int] | None:
    """Where the samples of a wav begin and how many bytes of them its header says; ``None`` if it is no wav."""
    if content[:4] != b"RIFF" or content[8:12] != b"WAVE":
        return None
    place = 12
    while place + 8 <= len(content):
        name, size = struct.unpack_from("<4sI", content, place)
        if name == b"data":
            return place + 8, size
        place += 8 + size + size % 2
    return None


def _part(frames: int, rate: int, start: float | None, end: float | None) -> tuple[int, int]:
    if frames <= 0:
        raise UnusableAudio("the file holds no samples")
    begin = 0.0 if start is None else start * rate
    stop = frames if end is None else end * rate
    inside = 0 <= begin < stop <= frames + _TOLERANCE * rate  # false of NaN, too
    first, last = (round(begin), min(round(stop), frames)) if inside else (0, 0)
    if first >= last:
        part = f"from {start or 0.0:g} s to {'its end' if end is None else f'{end:g} s'}"
        raise UnusableAudio(f"the file is {frames / rate:.2f} s long and has no part {part}")
    return first, last


def _no_audio(content: bytes, error: soundfile.LibsndfileError) -> str:
    if content.startswith(b"version https://git-lfs"):
        return "a Git LFS pointer stands in place of the audio; fetch it with git lfs pull"
    if content.startswith(b"NIST_1A") and b"embedded-shorten" in content[:1024]:
        return "it is NIST sphere compressed with shorten, which is not read; put a wav in its place (sph2pipe -f wav)"
    return f"not audio that can be decoded: {error.error_string.removeprefix('Error : ').rstrip('.').lower()}"
