"""The project's sweeps over this method: they have the rows of the paper's tables (paper 002, Sec. 5)."""

from __future__ import annotations

from copy import deepcopy
from functools import reduce
from typing import Any

import pytest
from ruamel.yaml import YAML

from stages.cli import preset
from stages.project.entries import Entry
from stages.sampling import inpainters
from stages.training import parts

VALUES: Any = YAML(typ="safe").load(preset.render("tiny"))
ROWS = {  # of the paper's tables
    "mm_modules": 8,  # Table 5's five, and each module taken away alone
    "mm_modalities": 6,
    "mm_fusion": 9,
    "mm_bottlenecks": 8,
    "mm_comparators": 5,
    "mm_sampling": 4,
}


def at(point: dict[str, Any]) -> Any:
    """params.yaml as the point has it."""
    values = deepcopy(VALUES)
    for key, value in point.items():
        *blocks, last = key.split(".")
        reduce(lambda block, word: block[word], blocks, values)[last] = value
    return values


def meaning(point: dict[str, Any]) -> tuple[Any, Any]:
    """What the point's encoder and inpainter are, validated."""
    values = at(point)
    trained = parts.plan(values, "mm_invertfill", "encoder").params
    return trained, inpainters.params(values, Entry("mm_invertfill"))


@pytest.mark.parametrize("name", ROWS)
def test_a_sweep_has_the_tables_rows_no_two_alike_and_one_is_the_paper_itself(name: str) -> None:
    found = [meaning(point) for point in VALUES["sweeps"][name]["points"]]
    assert len(found) == ROWS[name] and all(one not in found[:number] for number, one in enumerate(found))
    own = meaning({})
    alike = [(trained.model_copy(update={"bottlenecks": own[0].bottlenecks}), how) for trained, how in found]
    assert alike.count(own) == (4 if name == "mm_bottlenecks" else 1)  # ACB of 2, 4, 6 and 8
