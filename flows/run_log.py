"""A log file of its own for every run that a worker makes: `runs/<flow>-<name>-<id>.log` beside the workers' log."""

import logging
import os
import re
from pathlib import Path

from prefect import runtime

from flows import supervisor

LONGEST = 150  # characters of a file's name that tell the run


def keep() -> None:
    """Called by a flow as it begins. A run that is begun again goes on in its file."""
    if not (run := os.environ.get("PREFECT__FLOW_RUN_ID")):
        return
    told = re.sub(r"[^\w@=.,+-]", "_", f"{runtime.flow_run.flow_name}-{runtime.flow_run.name}")
    folder = _folder()
    folder.mkdir(parents=True, exist_ok=True)
    file = logging.FileHandler(folder / f"{told[:LONGEST]}-{_ending(run)}")
    file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logging.getLogger("prefect").addHandler(file)


def of(run: str) -> Path | None:
    """A run's file, by its id; None where another machine has it, or nobody."""
    return next((path for path in _folder().glob(f"*{_ending(run)}")), None)


def _folder() -> Path:
    return supervisor.home() / "runs"


def _ending(run: str) -> str:
    return f"{run[:8]}.log"
