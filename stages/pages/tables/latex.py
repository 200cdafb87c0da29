"""The page's tables as LaTeX (booktabs): one `table` a protocol, with its card's signature as the caption."""

from collections.abc import Sequence

from stages.pages.tables.cells import MARK, Cell
from stages.pages.tables.table import Table

SPECIAL = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
SPECIAL |= {sign: f"\\{sign}" for sign in "&%$#_{}"}
SPECIAL |= {"↑": r"$\uparrow$", "↓": r"$\downarrow$", "–": "--", "×": r"$\times$", MARK: r"$^{\dagger}$"}


def render(tables: Sequence[Table]) -> str:
    """All protocols' tables; the best estimate is bold, one that beats all others beyond chance is starred."""
    heading = ["% needs \\usepackage{booktabs}; intervals are 95 %, over source photographs"]
    return "\n".join([*heading, *(line for table in tables for line in _table(table))])


def escape(text: str) -> str:
    """Any text as LaTeX that shows it."""
    return "".join(SPECIAL.get(sign, sign) for sign in " ".join(text.split()))


def _table(table: Table) -> list[str]:
    heads = [f"{escape(c.label.text)} {escape(c.arrow)}".strip() for c in table.columns]
    verdict = [f"% {' '.join(table.verdict.said.split())}"] if table.verdict.said else []
    trainers = f" {escape(table.trainers)}" if table.trainers else ""
    return [
        "",
        *verdict,
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{escape(table.protocol)}: \texttt{{{escape(str(table.card['signature']))}}}.{trainers}}}",
        rf"\begin{{tabular}}{{l{'r' * len(heads)}}}",
        r"\toprule",
        " & ".join(["", *heads]) + r" \\",
        r"\midrule",
        *(" & ".join([escape(row.name), *map(_cell, row.cells)]) + r" \\" for row in table.rows),
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table}",
    ]


def _cell(cell: Cell) -> str:
    text = rf"\textbf{{{escape(cell.text)}}}" if cell.best else escape(cell.text)
    star = ("$^{*}$" if cell.winner else "") + (escape(MARK) if cell.trainer else "")
    interval = f" {{\\scriptsize [{escape(cell.interval)}]}}" if cell.interval else ""
    return text + star + interval
