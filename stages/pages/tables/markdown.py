"""The page's tables as markdown, for a terminal, a pull request or an issue."""

from collections.abc import Sequence

from stages.pages.tables.cells import MARK, Cell
from stages.pages.tables.table import Table


def render(tables: Sequence[Table]) -> str:
    """All protocols' tables; the best estimate of a column is bold, one beyond chance is said to win."""
    return "\n".join(["# Scores", "", *(line for table in tables for line in _table(table))])


def _table(table: Table) -> list[str]:
    heads = [f"{c.label.text}{f' ({c.label.unit})' if c.label.unit else ''} {c.arrow}".strip() for c in table.columns]
    return [
        f"## {table.protocol}",
        "",
        f"`{table.card['signature']}`; {table.sources} independent photographs; [95 % interval].",
        *([table.verdict.said] if table.verdict.said else []),
        "",
        "| | " + " | ".join(heads) + " |",
        "|---|" + "---:|" * len(heads),
        *("| " + " | ".join([_escape(row.name), *map(_cell, row.cells)]) + " |" for row in table.rows),
        *(["", table.trainers] if table.trainers else []),
        "",
    ]


def _cell(cell: Cell) -> str:
    text = f"**{cell.text}**" if cell.best else cell.text
    text = f"{text}{MARK}" if cell.trainer else text
    text = f"{text} (wins)" if cell.winner else text
    return f"{text} [{cell.interval}]" if cell.interval else text


def _escape(name: str) -> str:
    return " ".join(name.split()).replace("|", "\\|")
