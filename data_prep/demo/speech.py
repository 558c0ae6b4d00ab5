"""The speech synthesiser: espeak-ng, out of its wheel, through ctypes.

espeak-ng speaks some hundred languages (``de``, ``en-us``, ``fr-fr``, ``it``, ``fa``, ``cmn``, ...), each with voice
variants (``en-us+f3``). It keeps state that no call resets (the phase of its flutter, its echo buffer) and draws its
breath noise from generators that it seeds by the clock. So every utterance is spoken by a freshly loaded copy of the
library with fixed seeds: what is said before changes nothing, and the same arguments give the same samples. That
holds in a process in which nobody else has the library loaded.
"""

from __future__ import annotations

import _ctypes
import ctypes
import functools
from ctypes.util import find_library

import espeakng_loader
import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 22050
WORDS_PER_MINUTE = (80, 450)

# From espeak-ng's speak_lib.h.
_SYNCHRONOUS, _UTF8 = 2, 1
_RATE, _PITCH, _RANGE = 1, 3, 4
_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


def say(
    text: str, voice: str, *, words_per_minute: float = 175.0, semitones: float = 0.0, pitch_range: float = 1.0
) -> NDArray[np.float32]:
    """Speaks a text.

    Args:
        text: what to say.
        voice: language and variant (``en-us+f3``).
        words_per_minute: speaking rate, held to ``WORDS_PER_MINUTE``.
        semitones: the pitch relative to the voice's own, held to an octave either way.
        pitch_range: the liveliness of the intonation as a multiple of the voice's own, held to about [0, 2].

    Returns:
        The waveform at ``SAMPLE_RATE`` Hz, in [-1, 1], without the silence before and after: shape (samples,).

    Raises:
        RuntimeError: the library has no such voice, or cannot be used.
    """
    library = ctypes.CDLL(espeakng_loader.get_library_path())
    try:
        pieces = _speak(
            library,
            text.encode(),
            voice,
            {
                _RATE: round(float(np.clip(words_per_minute, *WORDS_PER_MINUTE))),
                # espeak-ng's pitch moves the lowest tone of the intonation, on a logarithmic scale: 50 is the voice's
                # own, 0 an octave below, 99 one above. Its range is in Hz above that and does not move along.
                _PITCH: round(float(np.clip(50 + 50 * semitones / 12, 0, 99))),
                _RANGE: round(float(np.clip(50 * pitch_range * 2 ** (semitones / 12), 0, 99))),
            },
        )
    finally:
        _ctypes.dlclose(library._handle)
    return _trim(np.concatenate([np.zeros(0, np.int16), *pieces]).astype(np.float32) / np.float32(32768))


def _speak(library: ctypes.CDLL, text: bytes, voice: str, parameters: dict[int, int]) -> list[NDArray[np.int16]]:
    rate = library.espeak_Initialize(_SYNCHRONOUS, 0, espeakng_loader.get_data_path().encode(), 0)
    if rate != SAMPLE_RATE:
        raise RuntimeError(f"espeak-ng did not start: it answered {rate} in place of a sample rate of {SAMPLE_RATE} Hz")
    pieces: list[NDArray[np.int16]] = []

    @_CALLBACK
    def collect(samples, count, events):  # type: ignore[no-untyped-def]
        if count > 0:
            pieces.append(np.ctypeslib.as_array(samples, (count,)).copy())
        return 0

    library.espeak_SetSynthCallback(collect)
    library.espeak_ng_SetRandSeed(ctypes.c_long(1))
    _libc().srand(1)
    if library.espeak_SetVoiceByName(voice.encode()) != 0:
        raise RuntimeError(f"espeak-ng has no voice {voice!r}")
    for parameter, value in parameters.items():
        library.espeak_SetParameter(parameter, value, 0)
    if library.espeak_Synth(text, ctypes.c_size_t(len(text) + 1), 0, 1, 0, _UTF8, None, None) != 0:
        raise RuntimeError(f"espeak-ng could not say {text!r}")
    library.espeak_Synchronize()
    library.espeak_Terminate()
    return pieces


@functools.cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(find_library("c"))


def _trim(wave: NDArray[np.float32]) -> NDArray[np.float32]:
    """The wave from just before its first to just after its last sample above -40 dB of its peak."""
    loud = np.flatnonzero(np.abs(wave) > 0.01 * np.max(np.abs(wave), initial=0.0))
    if loud.size == 0:
        return wave[:0]
    margin = SAMPLE_RATE // 50
    return wave[max(0, loud[0] - margin) : loud[-1] + margin]
