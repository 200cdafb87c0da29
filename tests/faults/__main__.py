"""`make faults`: every fault into every command, `--points` times each; the table goes to reports/faults.md.

A fault that is not recovered from is told at once, with its seed; the exit code is 1 then.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

from stages.project.params import read
from stages.project.progress import tell
from tests.faults import project, verbs
from tests.faults.cases import REPORTING, SHARDING, Case, Command, case, sampling, scoring, training
from tests.faults.disk import NO_DISK, can_mount
from tests.faults.suite import Fault, befalling
from tests.faults.table import Cell, write

REPORT = Path(__file__).resolve().parents[2] / "reports" / "faults.md"


def main() -> None:
    """All commands in the pipeline's order: each finds what those before it have made undisturbed."""
    asked = _asked()
    verbs.warm()
    cells: dict[tuple[str, str], Cell] = {}
    begin = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="plurifill-faults-") as folder:
        made = project.make(Path(folder) / "project")
        for command in _commands(made):
            found = case(made, Path(folder) / "places", command)
            if asked.only in command.title:
                cells |= _row(found, asked.points)
                write(REPORT, cells, asked.points, time.monotonic() - begin)
    sys.exit(any(cell.failures for cell in cells.values()))


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description="Inject faults into every command.")
    parser.add_argument("--points", type=int, default=50, help="how often each kill hits a command (others: a tenth)")
    parser.add_argument("--only", default="", help="commands with this in their words")
    return parser.parse_args()


def _commands(made: Path) -> list[Command]:
    values = read(made / "params.yaml")
    trained = [training(*part) for part in project.all_parts(values)]
    methods = [method for method in values["methods"] if method != "external"]
    return [SHARDING, *trained, *map(sampling, methods), *map(scoring, methods), REPORTING]


def _row(found: Case, points: int) -> dict[tuple[str, str], Cell]:
    return {(found.command.title, fault.__name__): _cell(found, fault, points) for fault in befalling(found.command)}


def _cell(found: Case, fault: Fault, points: int) -> Cell:
    cell = Cell()
    if fault.__name__ == "disk_full" and not can_mount():
        tell(f"{found.command.title}: no disk_full: {NO_DISK}")
        return cell
    for seed in range(max(1, points if "killed" in fault.__name__ else points // 10)):
        cell.injected += 1
        try:
            fault(found, random.Random(seed))
        except AssertionError as error:
            cell.failures.append(str(seed))
            tell(f"{found.command.title}, {fault.__name__}, seed {seed}: {str(error)[-2000:]}")
    tell(f"{found.command.title}, {fault.__name__}: {cell}")
    return cell


if __name__ == "__main__":
    main()
