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
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from data_prep.demo import layouts
from data_prep.errors import InputError, unknown

VERSION = 2  # raised whenever the same size and seed would give other files
NOTICE = "DEMO_CORPUS.txt"
USUAL = ("emodb", "iemocap", "msp_improv")  # what is spoken when nobody asks for others

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
    corpora: Iterable[str] = USUAL,
    progress: Callable[[int, int], None] | None = None,
    workers: int | None = None,
) -> dict[str, Path]:
    """Makes demo corpora in a folder, or finds them there.

    The same size and seed give the same bytes, however many workers there are and whichever other corpora are made.
    Each corpus is written beside the folder and renamed into it when whole; one that is there already is used as it
    is, so that others can be added to a folder, and a run that was killed goes on where it was.

    Args:
        out: the folder to make or to add to.
        size: ``tiny`` (for tests), ``small`` or ``full`` (as many utterances as the real corpora).
        seed: what voices, deliveries, label noise and order are drawn from.
        corpora: the names of their readers.
        progress: called with the number of utterances spoken so far and the number there will be.
        workers: processes; all cores when it is ``None``.

    Returns:
        The folder of each of these corpora by the name of its reader, sorted.

    Raises:
        InputError: the size or a corpus is unknown, the seed is negative, or the folder holds something else, or a
            corpus of another size or seed, or cannot be written.
    """
    if size not in layouts.SIZES:
        raise unknown("size", size, layouts.SIZES)
    if seed < 0:
        raise InputError(f"seed {seed} is negative; expected 0 or more")
    names = sorted(set(corpora))
    for name in names:
        if name not in layouts.known():
            raise unknown("demo corpus", name, layouts.known())
    out = Path(out).absolute()
    folders = {name: out / layouts.load(name).folder for name in names}
    stamp = {"made_by": "data_prep.demo", "version": VERSION, "size": size, "seed": seed}
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(out.parent / f".{out.name}.lock"):
            _claim(out)
            missing = [name for name in names if not _is_there(folders[name], {**stamp, "corpus": name})]
            out.mkdir(exist_ok=True)
            _write_notice(out)
            if not missing:
                return folders
            from data_prep.demo import stage  # here, for signal processing takes a second to import

            total = sum(len(stage.script(name, size, seed)) for name in missing)
            done = 0

            def spoken(count: int) -> None:
                nonlocal done
                done += count
                if progress is not None:
                    progress(done, total)

            for name in missing:
                with _published(folders[name], out.parent / f".{out.name}.partial") as partial:
                    stage.perform(name, partial, size=size, seed=seed, workers=workers, spoken=spoken)
                    _write_notice(partial)
                    text = json.dumps({**stamp, "corpus": name}, indent=1) + "\n"
                    (partial / _STAMP).write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"the demo corpora cannot be written to {out}: {error.strerror or error}; give a folder with room for them"
        ) from error
    return folders


def is_demo(folder: Path) -> bool:
    """Whether ``folder`` carries the notice of a demo corpus."""
    return (Path(folder) / NOTICE).is_file()


def _claim(out: Path) -> None:
    """Makes sure that ``out`` is a folder for demo corpora, or can become one."""
    if out.exists() and not (out.is_dir() and (is_demo(out) or not any(out.iterdir()))):
        raise InputError(f"{out} holds something else than demo corpora; give a folder that is new or empty")


def _is_there(folder: Path, stamp: Mapping[str, object]) -> bool:
    """Whether ``folder`` holds the demo corpus of this stamp; something else there is an error."""
    if not folder.exists():
        return False
    try:
        found = json.loads((folder / _STAMP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        found = None
    if not isinstance(found, dict) or found.get("made_by") != stamp["made_by"]:
        raise InputError(f"{folder} is no demo corpus of this version; give another folder, or delete this one")
    if found != stamp:
        has, wanted = (
            f"size {of.get('size')}, seed {of.get('seed')}, version {of.get('version')}" for of in (found, stamp)
        )
        raise InputError(
            f"{folder} is a demo corpus of {has}, not of {wanted}; give another folder, or delete this one"
        )
    return True


@contextmanager
def _published(folder: Path, partial: Path) -> Iterator[Path]:
    """A folder to write in, ``partial``, which becomes ``folder`` when the block ends well and is removed otherwise."""
    shutil.rmtree(partial, ignore_errors=True)  # what a killed run left: the lock says that nobody is writing it
    try:
        yield partial
        partial.replace(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _write_notice(folder: Path) -> None:
    (folder / NOTICE).write_text(_NOTICE_TEXT, encoding="utf-8")
