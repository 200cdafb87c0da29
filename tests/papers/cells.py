"""Which preset, test set and value measures each cell of the papers' tables: `python -m tests.papers.cells` writes it.

From cells.yaml, which says what a row and a column are, and from the presets, which say what a protocol is now, into
reports/cells.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from stages.cli import preset
from stages.evaluation import protocols
from stages.sampling import testsets

TABLES = Path(__file__).with_name("cells.yaml")
PAGE = Path("reports/cells.md")
HEAD = """# What measures the papers' tables

Every cell of a table is a row and a column: a row says whose completions, a column which value of which protocol under
which preset (`plurifill preset NAME`). A cell is measured where both are. Papers: 000 Latent Codes, 001 Diverse
Structure, 002 MMInvertFill, 003 Flow-Fill. Written by `python -m tests.papers.cells`.
"""


@dataclass(frozen=True)
class Column:
    """A column of a table: whose name, what measures it, and what is missing of it ("": nothing)."""

    name: str
    how: Mapping[str, Any]
    protocol: str
    value: str

    @property
    def missing(self) -> str:
        """Why it cannot be measured."""
        return str(self.how.get("missing", ""))


def tables() -> list[dict[str, Any]]:
    """The papers' tables as cells.yaml has them."""
    return list(YAML(typ="safe").load(TABLES))


def columns(table: Mapping[str, Any]) -> Iterator[Column]:
    """A table's columns: of each group the products of its protocols and values."""
    for group in table["columns"]:
        for (protocol, named), (label, value) in product(group["protocols"].items(), group["values"].items()):
            yield Column(f"{group['of']}, {protocol}: {label}", group, named, value)


@cache
def values(name: str) -> Any:
    """A preset's values."""
    return YAML(typ="safe").load(preset.render(name))


def counted(table: Mapping[str, Any]) -> tuple[int, int]:
    """A table's cells, and those of them that are measured."""
    found = list(columns(table))
    rows = sum("missing" not in row for row in table["rows"].values())
    return len(table["rows"]) * len(found), rows * sum(not column.missing for column in found)


def render() -> str:
    """The page."""
    cells = [counted(table) for table in tables()]
    told = (
        f"{sum(all_ for all_, _ in cells)} cells in {len(cells)} tables; {sum(some for _, some in cells)} are measured."
    )
    return "\n".join([HEAD, told, *(line for table in tables() for line in _table(table)), ""])


def _table(table: Mapping[str, Any]) -> Iterator[str]:
    total, measured = counted(table)
    yield from ("", f"## {table['table']}", "", f"{measured} of {total} cells.", "")
    yield from ("| column | preset | protocol | images | value |", "|---|---|---|---|---|")
    yield from (f"| {column.name} | {_measured(column)} |" for column in columns(table))
    yield from ("", "| row | completions |", "|---|---|")
    yield from (f"| {name} | {_completions(row)} |" for name, row in table["rows"].items())


def _measured(column: Column) -> str:
    how = column.how
    if column.missing:
        return f"missing: {column.missing} | | | "
    if "command" in how:
        return f"`{how['preset']}` | `{how['command']}` | test, 200 x 1 | `{column.value}`"
    return f"`{how['preset']}` | `{column.protocol}` | {_images(how['preset'], column.protocol)} | `{column.value}`"


def _images(name: str, protocol: str) -> str:
    judged = protocols.read(values(name))[protocol]
    shown = testsets.read(values(name), judged.testset)
    kind = "composited" if judged.composite else "raw"
    return f"{shown.dataset} {shown.split}, {shown.images or 'all'} x {shown.samples}, {shown.masks}, {kind}"


def _completions(row: Mapping[str, Any]) -> str:
    if "missing" in row:
        return f"missing: {row['missing']}"
    if "entry" in row:
        return f"`{row['entry']}`"
    if "results" in row:
        return f"results made elsewhere, layout `{row['results']}`".replace("layout `a pattern`", "by a pattern")
    return f"sweep `{row['sweep']}`: " + ", ".join(f"`{key.split('.', 2)[2]}={at}`" for key, at in row["at"].items())


if __name__ == "__main__":
    PAGE.write_text(render())
    print(PAGE)
