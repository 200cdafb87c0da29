"""How a metric's value is shown to people: the label that its module gives it, and where its column stands."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, get_args

Group = Literal["fidelity", "perception", "diversity", "distribution", "known region", "other"]
GROUPS: tuple[Group, ...] = get_args(Group)  # in the order in which their columns stand
SHORT = {"alexnet": "alex"}  # feature networks, in a column's heading


@dataclass(frozen=True)
class Label:
    """A value for people: column heading, unit, one line of meaning, the group of columns that it stands in.

    `rank` orders the columns of a group: the lowest first, equal ones by name; without one, a column stands last.
    A value that is no `column` is told in words beside the table.
    """

    text: str
    unit: str
    meaning: str
    group: Group
    rank: float = math.inf
    column: bool = True

    @property
    def place(self) -> tuple[int, float]:
        """Sorts labels: by group, then by rank."""
        return GROUPS.index(self.group), self.rank


def label(value: str, labels: Mapping[str, Label]) -> Label:
    """The label of the longest first words of `value` that `labels` has; the words that follow are put to its text.

    `{"lpips": Label("LPIPS", ...)}` makes "LPIPS alex" of `lpips_alex`. A value without a label keeps its own name.
    """
    known = [start for start in labels if f"{value}_".startswith(f"{start}_")]
    if not known:
        return Label(value, "", value, "other")
    found, variant = labels[max(known, key=len)], value[len(max(known, key=len)) + 1 :]
    return replace(found, text=f"{found.text} {SHORT.get(variant, variant.replace('_', ' '))}".strip())
