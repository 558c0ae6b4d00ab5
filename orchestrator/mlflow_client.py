"""The way to MLflow: its default address, a client that has answered once, and errors for people where it does not.

Everything of MLflow that this project uses is imported from here, so that MLflow is silent and patient as a terminal
program needs it, whichever part is imported first.
"""

from __future__ import annotations

import logging
import os
import socket
from pathlib import Path

import sqlalchemy
from sqlalchemy.engine import make_url

from data_prep.errors import InputError

# Defaults, where the user has set nothing: MLflow itself would retry for minutes (what is undelivered is kept and tried
# again here), draw progress bars, print a link for every run that ends, and send usage figures to its makers.
for _name, _value in {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}.items():
    os.environ.setdefault(_name, _value)

from mlflow import MlflowClient  # noqa: E402
from mlflow.entities import Metric, Param, Run, RunTag, ViewType  # noqa: E402
from mlflow.exceptions import MlflowException  # noqa: E402
from mlflow.store.artifact.artifact_repo import ArtifactRepository  # noqa: E402
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository  # noqa: E402
from mlflow.utils.uri import add_databricks_profile_info_to_artifact_uri  # noqa: E402

__all__ = [
    "Metric", "MlflowClient", "MlflowException", "Param", "Run", "RunTag", "ViewType",
    "artifacts", "connect", "default_tracking_uri", "explain", "local_folder", "shown",
]  # fmt: skip

_PORTS = {"postgresql": 5432, "mysql": 3306, "mssql": 1433}
_SECONDS = 10.0
_SQLITE = b"SQLite format 3\0"


def default_tracking_uri() -> str:
    """``MLFLOW_TRACKING_URI`` where it is set, else an SQLite database in the working directory."""
    return os.environ.get("MLFLOW_TRACKING_URI") or "sqlite:///mlflow.db"


def connect(tracking_uri: str, *, create: bool = True) -> MlflowClient:
    """A client of the MLflow at ``tracking_uri``, which has answered.

    Args:
        tracking_uri: of a server or a database.
        create: whether an SQLite database that is not there is made.

    Raises:
        InputError: there is no MLflow, or it does not answer within some ten seconds.
    """
    _check_address(tracking_uri)
    for name in ("alembic", "mlflow.store.db.utils", "mlflow.tracking", "urllib3.connectionpool"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # what fails is said here, in one line
    exact = tracking_uri
    if tracking_uri.startswith("sqlite:"):
        _check_file(tracking_uri, create)
        exact = _absolute(tracking_uri)
    elif tracking_uri.split(":")[0].split("+")[0] in _PORTS:
        _check_port(tracking_uri)
    try:
        client = MlflowClient(tracking_uri=exact)
        client.search_experiments(max_results=1)
    except Exception as error:
        raise InputError(
            f"MLflow at {shown(tracking_uri)} cannot be used: {explain(error)}; start it, or give another with "
            "--tracking-uri (sqlite:///mlflow.db needs no server)"
        ) from error
    return client


def artifacts(uri: str, tracking_uri: str) -> ArtifactRepository:
    """Where a run's files go.

    Args:
        uri: the run's ``info.artifact_uri``.
        tracking_uri: of the MLflow that has the run, through which files go where it takes them.
    """
    return get_artifact_repository(
        add_databricks_profile_info_to_artifact_uri(uri, tracking_uri), tracking_uri=tracking_uri
    )


def local_folder(tracking_uri: str) -> Path | None:
    """The folder of an SQLite database's file, whose runs' files go beside it; ``None`` where a server keeps them."""
    return _sqlite_file(tracking_uri).parent if tracking_uri.startswith("sqlite:") else None


def shown(tracking_uri: str) -> str:
    """A tracking URI as it may be printed: without a password."""
    try:
        return make_url(tracking_uri).render_as_string(hide_password=True)
    except (sqlalchemy.exc.ArgumentError, ValueError):
        return tracking_uri


def explain(error: BaseException) -> str:
    """Why MLflow failed, in a few words on one line."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ConnectionRefusedError):
            return "connection refused, nothing listens there"
        if isinstance(cause, socket.gaierror):
            return "no host of that name is known"
        if isinstance(cause, TimeoutError) or "Timeout" in type(cause).__name__:
            return "no answer in time"
        cause = cause.__cause__ or cause.__context__
    if getattr(error, "error_code", None) in ("ENDPOINT_NOT_FOUND", "RESOURCE_DOES_NOT_EXIST"):
        return "what answers there is no MLflow server, or not under this path"
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0][:300].rstrip(".")


def _check_address(tracking_uri: str) -> None:
    """Databases are named by URLs of SQLAlchemy's, which raises errors of its own for what is none."""
    if tracking_uri.split(":")[0].split("+")[0] in ("sqlite", *_PORTS):
        try:
            make_url(tracking_uri)
        except (sqlalchemy.exc.ArgumentError, ValueError):
            raise InputError(
                f"{tracking_uri.rpartition('@')[2]!r} is no address of an MLflow database; give one like "
                "sqlite:///mlflow.db or postgresql://user@host:5432/name"
            ) from None


def _check_file(tracking_uri: str, create: bool) -> None:
    path = _sqlite_file(tracking_uri)
    if not path.exists() and not create:
        raise InputError(
            f"there is no MLflow database {path}; give the one that the sweep wrote to with --tracking-uri, "
            "or go to the folder that it ran in"
        )
    if path.is_dir():
        raise InputError(f"{path} is a folder; give the path of a file, sqlite:///mlflow.db")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "rb" if path.exists() else "xb") as file:
            start = file.read(len(_SQLITE)) if file.readable() else b""
    except OSError as error:
        raise InputError(f"the MLflow database {path} cannot be opened: {error.strerror}") from error
    if start not in (b"", _SQLITE):
        raise InputError(f"{path} is no SQLite database; give another file with --tracking-uri sqlite:///PATH")


def _sqlite_file(tracking_uri: str) -> Path:
    return Path(make_url(tracking_uri).database or "mlflow.db").resolve()


def _absolute(tracking_uri: str) -> str:
    """The address of an SQLite database wherever a process goes: MLflow remembers databases by their addresses.

    The path is put in letter by letter, for MLflow makes its folder so. One that would be read otherwise in an address (with
    a question mark, or what looks like an escape) stays as it was said.
    """
    path, (_, mark, query) = _sqlite_file(tracking_uri), tracking_uri.partition("?")
    exact = f"{tracking_uri.partition(':')[0]}:///{path}{mark}{query}"
    return exact if make_url(exact).database == str(path) else tracking_uri


def _check_port(tracking_uri: str) -> None:
    """Sees whether anything listens: MLflow would try for minutes to reach a database server that is away."""
    url = make_url(tracking_uri)
    address = (url.host or "localhost", url.port or _PORTS[url.get_backend_name()])
    try:
        socket.create_connection(address, timeout=_SECONDS).close()
    except OSError as error:
        raise InputError(
            f"MLflow's database at {shown(tracking_uri)} cannot be reached: {explain(error)}; start it, or give "
            "another with --tracking-uri (sqlite:///mlflow.db needs no server)"
        ) from error
