"""What the features in a store were computed with, so that stores and builds can be compared."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from data_prep import audio
from data_prep import features as feature_types


def recipe(feature: str) -> dict[str, Any]:
    """What a feature's values depend on besides the audio, in plain JSON types: settings and versions."""
    kind = feature_types.load(feature)
    libraries = {**audio.LIBRARIES, **{name: version(name) for name in kind.libraries}}
    made = {
        "sample_rate": kind.sample_rate,
        "dimensions": kind.dimensions,
        "frame_shift": kind.frame_shift,
        "settings": dict(kind.settings),
        "version": kind.version,
        "decoding": audio.DECODING,
        "libraries": libraries,
    }
    return json.loads(json.dumps(made))


def differences(made: Mapping[str, Any], now: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    """Settings in which two recipes differ, as (name, made with, now).

    Versions of libraries are no settings: a store that a colleague made can be read. They do count when it is rebuilt.
    """
    before, after = flat_settings(made), flat_settings(now)
    names = sorted({*before, *after})
    return [(name, before.get(name), after.get(name)) for name in names if before.get(name) != after.get(name)]


def flat_settings(made: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a recipe by name, those of the feature as ``settings.…``, of decoding as ``decoding.…``."""
    flat = {name: value for name, value in made.items() if not isinstance(value, dict)}
    for part in ("settings", "decoding"):
        flat |= {f"{part}.{name}": value for name, value in made[part].items()}
    return flat
