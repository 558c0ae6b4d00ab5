"""Where MLflow is: the default, and whether anybody answers there."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

from data_prep.errors import InputError


def default_tracking_uri() -> str:
    """``MLFLOW_TRACKING_URI``, or a SQLite database in the working directory."""
    return os.environ.get("MLFLOW_TRACKING_URI") or "sqlite:///mlflow.db"


def check_address(uri: str) -> None:
    """Raises an :class:`InputError` where there is no MLflow at ``uri``."""
    parts = urlsplit(uri)
    if parts.scheme in ("http", "https"):
        try:
            urlopen(f"{uri.rstrip('/')}/health", timeout=5).close()
        except (URLError, OSError) as error:
            reason = getattr(error, "reason", error)
            raise InputError(
                f"MLflow does not answer at {uri} ({reason}); start it, or name another with --tracking-uri "
                "(default: sqlite:///mlflow.db)"
            ) from None
    elif parts.scheme == "sqlite":
        folder = Path(uri.removeprefix("sqlite:///")).resolve().parent
        if not os.access(folder, os.W_OK):
            raise InputError(f"{uri}: the folder {folder} is not there or cannot be written; name another database")
    else:
        raise InputError(f"{uri!r} is no MLflow address: give http://HOST:PORT or sqlite:///FILE")
