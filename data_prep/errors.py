"""The errors that are meant for the person at the keyboard.

Every command of this project ends a mistake in its input with one line (what is wrong, where, what would be
right) and exit status 2, never with a traceback.
"""

from __future__ import annotations

import atexit
import difflib
import functools
import gc
import sys
from collections.abc import Callable, Iterable
from typing import ParamSpec

Given = ParamSpec("Given")

INTERRUPTED = 130  # the exit status of a command that was ended by Ctrl-C


class InputError(Exception):
    """Something that was given cannot be used: its message is one line saying what, where and what would be right."""


def nearest_first(name: str, known: Iterable[str]) -> list[str]:
    """``known`` ordered by likeness to ``name``, the likeliest meant first."""
    return sorted(known, key=lambda other: -difflib.SequenceMatcher(None, name.lower(), other.lower()).ratio())


def unknown(kind: str, name: str, known: Iterable[str]) -> InputError:
    """The error for a name that is none of ``known``: ``unknown method 'adi'; known, nearest first: addi, cnn``."""
    return InputError(
        f"unknown {kind} {name!r}; known, nearest first: {', '.join(nearest_first(name, known)) or 'none'}"
    )


def command(main: Callable[Given, int]) -> Callable[Given, int]:
    """Wraps a command's ``main`` so that an :class:`InputError` is printed as one line and returned as status 2.

    Ctrl-C is one line too, with status 130; commands remove what they had half done on their way out.

    A process that has run a command ends without a last search for garbage, which would go through a million objects of
    libraries for a second or more.
    """
    atexit.register(gc.freeze)

    @functools.wraps(main)
    def wrapped(*arguments: Given.args, **named: Given.kwargs) -> int:
        try:
            return main(*arguments, **named)
        except InputError as error:
            print(f"error: {error}", file=sys.stderr)
            return 2
        except KeyboardInterrupt:
            print("interrupted; nothing half-done was left behind", file=sys.stderr)
            return INTERRUPTED

    return wrapped
