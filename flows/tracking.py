"""Where MLflow's database is: the project's own, as an address for a process in some folder."""

from __future__ import annotations

import os
from pathlib import Path

DATABASE = "mlflow.db"


def address(project: Path, folder: Path) -> str:
    """The project's database for a process that runs in `folder`, both absolute.

    An address ends at a `?`: where the project's path has one, the database's is relative.
    """
    database = project / DATABASE
    return f"sqlite:///{os.path.relpath(database, folder) if '?' in str(database) else database}"
