"""Training: each part's curves, values before and after, pictures and card, from its finished folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stages.images import files
from stages.pages.drawings import curves
from stages.pages.embed import Picture, picture
from stages.pages.found import Found
from stages.pages.labels import number
from stages.pages.parts import Part
from stages.pages.section import Content, Nothing
from stages.project import tables
from stages.project.files import visible

TITLE = "Training"
ORDER = 50
CHARTS = 6  # of a part; the others stay in its curves table


@dataclass(frozen=True)
class Value:
    """One value on val: of the untrained network, and of the released one."""

    name: str
    untrained: str
    final: str


@dataclass(frozen=True)
class Trained:
    """One part: `facts` are name and value; `left_out` are the losses it had to do without."""

    title: str
    facts: tuple[tuple[str, str], ...]
    values: tuple[Value, ...]
    charts: tuple[curves.Curve, ...]
    pictures: tuple[Picture, ...]
    card: str
    left_out: tuple[str, ...]


def content(found: Found) -> Content | Nothing:
    """Every finished part."""
    if not found.parts:
        return Nothing(
            "No trained part is here: methods without training need none; others are made by plurifill train METHOD."
        )
    return {"trained": [_trained(part) for part in found.parts]}


def _trained(part: Part) -> Trained:
    drawn = {path.stem: files.read_rgb(path) for path in visible(part.folder / "pictures", "*.png")}
    return Trained(
        part.title,
        part.facts,
        values=_values(part.metrics),
        charts=tuple(curves.draw(tables.read(part.folder / "curves"))[:CHARTS]),
        pictures=tuple(picture(image_HWC, name.replace("_", " ")) for name, image_HWC in drawn.items()),
        card=(part.folder / "card.md").read_text(),
        left_out=tuple(part.config["left_out"]),
    )


def _values(metrics: Mapping[str, Any]) -> tuple[Value, ...]:
    before = metrics["untrained"]
    return tuple(
        Value(name, number(before[name]) if name in before else "–", number(value))
        for name, value in metrics["final"].items()
    )
