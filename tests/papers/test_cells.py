"""The page of cells is complete, up to date, and true of the presets."""

from itertools import product
from pathlib import Path
from typing import Any

import pytest

from stages.evaluation import protocols
from stages.project.params import dig
from stages.sampling import testsets
from stages.sampling.external.layouts import NAMED
from tests.papers import cells

ROOT = Path(__file__).resolve().parents[2]
# counted in the papers: rows and columns, of a table with a hole (paper 003 has no ICT on CelebA-HQ) in two parts
SHAPES = {
    "000 Table 1": (5, 8), "000 Table 2": (9, 1), "000 Table 3": (2, 3),
    "001 Table 1": (8, 5), "001 Table 2": (4, 3), "001 Table 3": (5, 3),
    "002 Table 1": (10, 9), "002 Table 2": (9, 9), "002 Table 3": (5, 4), "002 Table 4": (5, 3),
    "002 Table 5": (5, 2), "002 Table 6": (6, 2), "002 Table 7": (9, 2), "002 Table 8": (8, 4),
    "003 Table 1, CelebA-HQ": (5, 12), "003 Table 1, Places2": (6, 12), "003 Table 2": (3, 15),
    "003 Table 3": (4, 3), "003 Table 4": (5, 4),
}  # fmt: skip
TABLES = cells.tables()
COLUMNS = [column for table in TABLES for column in cells.columns(table)]
ROWS = [(name, row) for table in TABLES for name, row in table["rows"].items()]


def test_every_table_of_the_papers_is_there_with_its_rows_and_columns():
    assert {t["table"]: (len(t["rows"]), len(list(cells.columns(t)))) for t in TABLES} == SHAPES
    assert all(len({column.name for column in cells.columns(t)}) == SHAPES[t["table"]][1] for t in TABLES)


def test_the_page_is_up_to_date():
    assert (ROOT / cells.PAGE).read_text() == cells.render()  # else: python -m tests.papers.cells


@pytest.mark.parametrize(
    "column", [c for c in COLUMNS if not c.missing and "command" not in c.how], ids=lambda c: c.name
)
def test_a_columns_value_is_one_of_its_protocols_under_its_preset(column: cells.Column):
    values = cells.values(column.how["preset"])
    judged = protocols.read(values)[column.protocol]
    testsets.read(values, judged.testset)
    assert any(column.value == metric or column.value.startswith(f"{metric}_") for metric in judged.metrics)


@pytest.mark.parametrize(("name", "row"), ROWS, ids=[name for name, _ in ROWS])
def test_a_row_names_completions_that_can_be_had(name: str, row: dict[str, Any]):
    values = cells.values("paper")
    if "entry" in row:
        assert row["entry"] in values["methods"]
    elif "results" in row:
        assert row["results"] in {*NAMED, "a pattern"}
    elif "sweep" in row:
        assert any(_is(point, row["at"], values) for point in _points(values["sweeps"][row["sweep"]]))
    else:
        assert row["missing"]


def _points(sweep: dict[str, Any]) -> list[dict[str, Any]]:
    grid = sweep.get("grid", {})
    return sweep.get("points") or [dict(zip(grid, some, strict=True)) for some in product(*grid.values())]


def _is(point: dict[str, Any], at: dict[str, Any], values: Any) -> bool:
    """The point that says this, and of all else what the preset says."""
    return at.items() <= point.items() and all(dig(values, key) == point[key] for key in point.keys() - at.keys())
