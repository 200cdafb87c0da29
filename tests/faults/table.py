"""Faults x commands in markdown: how many of how many were recovered from. A part of a page that has other parts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from stages.project.files import write_text

BEGIN, END = "<!-- faults: begin -->", "<!-- faults: end -->"


@dataclass
class Cell:
    """How often a fault was injected into a command, and the seeds with which it was not recovered from."""

    injected: int = 0
    failures: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.injected - len(self.failures)}/{self.injected}" if self.injected else "–"


def write(page: Path, cells: Mapping[tuple[str, str], Cell], points: int, seconds: float) -> None:
    """The page's part between the two marks anew."""
    text = page.read_text()
    part = f"{BEGIN}\n{_render(cells, points, seconds)}\n{END}"
    write_text(page, re.sub(f"{BEGIN}.*{END}", lambda _: part, text, flags=re.DOTALL))


def _render(cells: Mapping[tuple[str, str], Cell], points: int, seconds: float) -> str:
    faults = list(dict.fromkeys(fault for _, fault in cells))
    commands = list(dict.fromkeys(command for command, _ in cells))
    rows = [["command", *(fault.replace("_", " ") for fault in faults)], ["---", *("---:" for _ in faults)]]
    rows += [[command, *(str(cells.get((command, fault), Cell())) for fault in faults)] for command in commands]
    injected = sum(cell.injected for cell in cells.values())
    failed = sum(len(cell.failures) for cell in cells.values())
    command = f"`make faults POINTS={points}`"
    told = f"{command}: {injected} faults in {seconds / 60:.0f} minutes, {failed} not recovered from."
    return "\n".join([told, "", *(f"| {' | '.join(row)} |" for row in rows)])
