"""What was trained: each part's curves, figures before and after, pictures and card, from its finished folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stages import tables
from stages.images import pixels
from stages.pages import curves
from stages.pages.embed import Picture, picture
from stages.pages.words import number

CHARTS = 6  # a part; the others stay in its curves table


@dataclass(frozen=True)
class Figure:
    """One val figure: of the untrained network, and of the released one."""

    name: str
    untrained: str
    final: str


@dataclass(frozen=True)
class Trained:
    """One part: `facts` are name and value; `left_out` are the losses it had to do without."""

    title: str
    facts: tuple[tuple[str, str], ...]
    figures: tuple[Figure, ...]
    charts: tuple[curves.Curve, ...]
    pictures: tuple[Picture, ...]
    card: str
    left_out: tuple[str, ...]


def read(models: Path) -> list[Trained]:
    """Every finished part below `models` (<method>/<part>/config.json), in the order in which they were finished."""
    configs = sorted(models.glob("*/*/config.json"), key=lambda path: (path.parts[-3], path.stat().st_mtime_ns))
    return [_part(path.parent) for path in configs]


def _part(folder: Path) -> Trained:
    config, metrics = (json.loads((folder / name).read_text()) for name in ("config.json", "metrics.json"))
    drawn = [(path, pixels.read_rgb(path)) for path in sorted((folder / "pictures").glob("*.png"))]
    return Trained(
        title=f"{config['method']}/{config['part']}",
        facts=_facts(config, metrics),
        figures=_figures(metrics),
        charts=tuple(curves.draw(tables.read(folder / "curves"))[:CHARTS]),
        pictures=tuple(picture(image_HWC, path.stem.replace("_", " ")) for path, image_HWC in drawn),
        card=(folder / "card.md").read_text(),
        left_out=tuple(config["left_out"]),
    )


def _facts(config: Mapping[str, Any], metrics: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    return (
        ("data", f"{config['dataset']['name']}, {config['spec']['size']} px"),
        ("parameters", curves.short(metrics["parameters"])),
        ("images seen", curves.short(metrics["images"])),
        ("time", duration(metrics["seconds"])),
    )


def _figures(metrics: Mapping[str, Any]) -> tuple[Figure, ...]:
    before = metrics["untrained"]
    return tuple(
        Figure(name, number(before[name]) if name in before else "–", number(value))
        for name, value in metrics["final"].items()
    )


def duration(seconds: float) -> str:
    """Seconds in the unit that a person would use."""
    for size, unit in ((3600.0, "h"), (60.0, "min")):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"
