"""Speaks demo corpora in the real corpora's layouts, so that everything runs with no licensed data.

They are synthetic speech with label files, for trying the software: no scientific conclusion can be drawn from them,
and every folder says so. :mod:`~data_prep.demo.layouts` holds one module per corpus, :mod:`~data_prep.demo.prosody`
the speakers and emotions, :mod:`~data_prep.demo.listeners` those who label, :mod:`~data_prep.demo.speech` the
synthesiser, :mod:`~data_prep.demo.acoustics` voice quality, rooms and microphones; :mod:`~data_prep.demo.stage` puts
them together.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from filelock import FileLock

from data_prep.demo import layouts, stage
from data_prep.errors import InputError, unknown

VERSION = 1  # raised whenever the same size and seed would give other files
NOTICE = "DEMO_CORPUS.txt"

_STAMP = "demo.json"
_NOTICE_TEXT = """\
This is a DEMO CORPUS: synthetic speech for trying the software, made by `python -m data_prep.demo`.

No person speaks here. Voices come from the speech synthesiser espeak-ng; what is called an emotion is a drawn change
of rate, pitch, loudness and voice quality; labels, ratings and listeners are made up. Only the folder layout and the
form of the label files are those of the corpus that the folder is named after, of which it holds no recording.

No scientific conclusion can be drawn from results on this data.
"""


def speak(
    out: Path,
    *,
    size: str = "small",
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
    workers: int | None = None,
) -> dict[str, Path]:
    """Makes the demo corpora in a folder, or finds them there.

    The same size and seed give the same bytes, however many workers there are. The folder is written beside its
    name and renamed when whole; one that holds the same demo corpora already is used as it is.

    Args:
        out: the folder to make.
        size: ``tiny`` (for tests), ``small`` or ``full`` (as many utterances as the real corpora).
        seed: what voices, deliveries, label noise and order are drawn from.
        progress: called with the number of utterances spoken so far and the number there will be.
        workers: processes; all cores when it is ``None``.

    Returns:
        The folder of each corpus by the name of its reader.

    Raises:
        InputError: the size is unknown, the seed is negative, or the folder holds something else or cannot be written.
    """
    if size not in layouts.SIZES:
        raise unknown("size", size, layouts.SIZES)
    if seed < 0:
        raise InputError(f"seed {seed} is negative; expected 0 or more")
    out = Path(out).absolute()
    stamp = {"made_by": "data_prep.demo", "version": VERSION, "size": size, "seed": seed}
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(out.parent / f".{out.name}.lock"):
            if not _is_there(out, stamp):
                _publish(out, stamp, lambda partial: _perform(partial, size, seed, progress, workers))
    except OSError as error:
        raise InputError(
            f"the demo corpora cannot be written to {out}: {error.strerror or error}; give a folder with room for them"
        ) from error
    return {name: out / layouts.load(name).folder for name in layouts.known()}


def is_demo(folder: Path) -> bool:
    """Whether ``folder`` carries the notice of a demo corpus."""
    return (Path(folder) / NOTICE).is_file()


def _is_there(out: Path, stamp: Mapping[str, object]) -> bool:
    """Whether ``out`` holds the demo corpora of this stamp; something else in it is an error."""
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return False
    try:
        found = json.loads((out / _STAMP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        found = None
    if not isinstance(found, dict) or found.get("made_by") != stamp["made_by"]:
        raise InputError(f"{out} holds something else than demo corpora; give a folder that is new or empty")
    if found != stamp:
        has, wanted = (
            f"size {of.get('size')}, seed {of.get('seed')}, version {of.get('version')}" for of in (found, stamp)
        )
        raise InputError(f"{out} holds demo corpora of {has}, not of {wanted}; give another folder or delete this one")
    return True


def _publish(out: Path, stamp: Mapping[str, object], make: Callable[[Path], None]) -> None:
    """Has ``make`` write a folder beside ``out`` and renames it when it is whole."""
    partial = out.parent / f".{out.name}.partial"
    shutil.rmtree(partial, ignore_errors=True)  # what a killed run left: the lock says that nobody is writing it
    try:
        make(partial)
        (partial / _STAMP).write_text(json.dumps(stamp, indent=1) + "\n", encoding="utf-8")
        partial.replace(out)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _perform(
    folder: Path, size: str, seed: int, progress: Callable[[int, int], None] | None, workers: int | None
) -> None:
    total = sum(len(stage.script(name, size, seed)) for name in layouts.known())
    done = 0

    def spoken(count: int) -> None:
        nonlocal done
        done += count
        if progress is not None:
            progress(done, total)

    for name in layouts.known():
        corpus = folder / layouts.load(name).folder
        stage.perform(name, corpus, size=size, seed=seed, workers=workers, spoken=spoken)
        (corpus / NOTICE).write_text(_NOTICE_TEXT, encoding="utf-8")
    (folder / NOTICE).write_text(_NOTICE_TEXT, encoding="utf-8")
