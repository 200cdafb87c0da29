"""The addresses of artefacts in a database that was moved or copied together with them.

MLflow keeps absolute addresses. Left alone, a moved project's runs lose what they have, and new ones write into the
folder that the project came from.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.request import url2pathname

ARTIFACTS = "mlartifacts"  # beside the database
PLACES = (  # where MLflow keeps addresses below an experiment's
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
)


def address(database: Path) -> str:
    """Where a database's artefacts lie: beside it."""
    return (database.parent / ARTIFACTS).as_uri()


def follow(database: Path) -> None:
    """Make the addresses those of the folder that `database` (its path, resolved; MLflow's tables in it) lies in now.

    The caller holds the database's lock. An artefact that was left behind keeps the address at which it is there.
    """
    here = address(database)
    with closing(sqlite3.connect(database, timeout=60)) as connection, connection:
        for old in list(_left(connection, database)):
            for table, column in PLACES:
                _readdress(connection, table, column, old, here)
            connection.execute("UPDATE experiments SET artifact_location = ? WHERE artifact_location = ?", (here, old))


def _left(connection: sqlite3.Connection, database: Path) -> Iterator[str]:
    """Addresses of earlier places of this database, as `address` gave them there.

    Artefacts that lie apart from any database were put there by the user and stay there.
    """
    for (old,) in connection.execute("SELECT DISTINCT artifact_location FROM experiments"):
        ours = old.startswith("file:///") and old.endswith(f"/{ARTIFACTS}") and old != address(database)
        if ours and (not _path(old).exists() or (_path(old).parent / database.name).exists()):
            yield old


def _readdress(connection: sqlite3.Connection, table: str, column: str, old: str, here: str) -> None:
    below = f"SELECT DISTINCT {column} FROM {table} WHERE substr({column}, 1, ?) = ?"
    for (was,) in connection.execute(below, (len(old) + 1, f"{old}/")).fetchall():
        now = here + was.removeprefix(old)
        if _path(now).exists() or not _path(was).exists():
            connection.execute(f"UPDATE {table} SET {column} = ? WHERE {column} = ?", (now, was))


def _path(uri: str) -> Path:
    return Path(url2pathname(uri.removeprefix("file://")))
