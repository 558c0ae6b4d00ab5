"""The stage on which a layout's script is spoken: voices are cast, turns recorded on all cores, label files written."""

from __future__ import annotations

import io
import itertools
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import joblib
import numpy as np
import soundfile
from numpy.typing import NDArray

from data_prep.demo import acoustics, layouts, prosody, speech
from data_prep.demo.layouts import Turn
from data_prep.demo.prosody import Delivery, Speaker

_WORDS_PER_MINUTE = 160.0
_LONGEST = {"tiny": 2.0, "small": 3.0, "full": 20.0}  # seconds
_TURNS_PER_JOB = 20
_FORMATS = {".wav": "WAV", ".flac": "FLAC", ".sph": "NIST"}


@dataclass(frozen=True)
class Job:
    """Some turns of one corpus, for one worker.

    Attributes:
        layout: the corpus's name.
        folder: where it goes.
        turns: what is said; recordings are whole.
        speakers: the cast by name.
        seeds: the source of each turn's random draws.
        longest: seconds that no recording exceeds.
    """

    layout: str
    folder: Path
    turns: Sequence[Turn]
    speakers: Mapping[str, Speaker]
    seeds: Sequence[np.random.SeedSequence]
    longest: float


def perform(
    name: str, folder: Path, *, size: str, seed: int, workers: int | None, spoken: Callable[[int], None]
) -> None:
    """Makes the demo corpus ``name`` in ``folder``: audio and label files.

    Its draws depend on its name and the seed alone: neither another corpus nor the number of workers changes them.

    Args:
        name: a demo corpus.
        folder: the corpus's folder.
        size: one of :data:`data_prep.demo.layouts.SIZES`.
        seed: what everything is drawn from.
        workers: processes; all cores when it is ``None``.
        spoken: called with the number of turns each time some have been recorded.
    """
    layout = layouts.load(name)
    script, casting, labelling, performing = _streams(name, seed)
    turns = layout.script(size, np.random.default_rng(script))
    speakers = {
        voice.name: replace(voice, size=voice.size * layout.vocal_tract)
        for voice in prosody.cast(layout.speakers, np.random.default_rng(casting)).values()
    }
    seeds = performing.spawn(len(turns))
    jobs = [
        Job(name, folder, turns[start:end], speakers, seeds[start:end], _LONGEST[size])
        for start, end in _batches(turns)
    ]
    times: list[tuple[float, float]] = []
    # Worker processes of their own, never threads: espeak-ng holds one voice per process (see data_prep.demo.speech).
    pool = joblib.Parallel(workers or -1, backend="loky", return_as="generator", idle_worker_timeout=5)
    for recorded in pool(joblib.delayed(record)(job) for job in jobs):
        times += recorded
        spoken(len(recorded))
    if layout.label_files is not None:
        for path, text in layout.label_files(turns, times, np.random.default_rng(labelling)).items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")


def script(name: str, size: str, seed: int) -> list[Turn]:
    """The turns of the demo corpus ``name``."""
    return layouts.load(name).script(size, np.random.default_rng(_streams(name, seed)[0]))


def _streams(name: str, seed: int) -> list[np.random.SeedSequence]:
    """Separate random streams for script, cast, labels and performance."""
    return np.random.SeedSequence([seed, zlib.crc32(name.encode())]).spawn(4)


def _batches(turns: Sequence[Turn]) -> Iterator[tuple[int, int]]:
    """Where the turns of each job begin and end: at least so many, and whole recordings."""
    start = 0
    for end in range(1, len(turns) + 1):
        if end == len(turns) or (end - start >= _TURNS_PER_JOB and turns[end].audio != turns[end - 1].audio):
            yield start, end
            start = end


def record(job: Job) -> list[tuple[float, float]]:
    """Speaks and writes a job's turns as 16-bit audio, and answers where in its file each begins and ends (seconds)."""
    layout = layouts.load(job.layout)
    rate = layout.channel.sample_rate
    times: list[tuple[float, float]] = []
    lines = zip(job.turns, job.seeds, strict=True)
    for audio, recording in itertools.groupby(lines, key=lambda line: line[0].audio):
        pieces: list[NDArray[np.float64]] = []
        for turn, seed in recording:
            before = sum(map(len, pieces)) / rate
            wave, hush = _spoken(turn, job.speakers[turn.speaker], layout, job.longest, np.random.default_rng(seed))
            times.append((before + hush, before + len(wave) / rate))
            pieces.append(wave)
        path = job.folder / audio
        encoded = io.BytesIO()
        soundfile.write(encoded, np.concatenate(pieces), rate, format=_FORMATS[path.suffix], subtype="PCM_16")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encoded.getvalue())
    return times


def _spoken(
    turn: Turn, speaker: Speaker, layout: layouts.Layout, longest: float, rng: np.random.Generator
) -> tuple[NDArray[np.float64], float]:
    """One turn as the corpus records it, (samples, microphones), and the seconds of silence that it begins with."""
    strength = Delivery(*(turn.intensity * factor for factor in layout.strength))
    delivery = prosody.deliver(turn.emotion, speaker, strength, rng)
    voice = f"{layout.language}+{speaker.variant}"
    pace = _WORDS_PER_MINUTE * np.exp(delivery.rate) / speaker.size
    for haste in (1.0, 1.3, 1.7):
        wave = speech.say(
            turn.text,
            voice,
            words_per_minute=pace * haste,
            semitones=delivery.pitch,
            pitch_range=float(np.exp(delivery.liveliness)),
        )
        if len(wave) <= longest * speaker.size * speech.SAMPLE_RATE:
            break
    wave = wave[: int(longest * speaker.size * speech.SAMPLE_RATE)]
    voiced = acoustics.voiced(wave.astype(np.float64), speech.SAMPLE_RATE, delivery, speaker.size, rng)
    hush = int(layout.pause * rng.uniform(0.5, 1.5) * speech.SAMPLE_RATE) if layout.pause else 0
    place = zlib.crc32(layout.folder.encode())
    heard = [
        acoustics.recorded(
            np.pad(voiced, (hush, 0)), speech.SAMPLE_RATE, delivery.loudness, layout.channel, place + microphone, rng
        )
        for microphone in range(layout.channel.microphones)
    ]
    return np.stack(heard, axis=1), hush / speech.SAMPLE_RATE
