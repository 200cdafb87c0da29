"""A results folder as what a pass over a draw asks for: images, holes and samples by key, read when they are needed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from stages.contract import Spec
from stages.external import png
from stages.external.folder import Case
from stages.external.survey import Survey
from stages.images.pixels import Bool, Uint8, read_hole, read_rgb


@dataclass(frozen=True)
class Originals:
    """The images of a folder, in the cases' order."""

    name: str
    cases: tuple[Case, ...]
    spec: Spec
    hash: str

    @property
    def keys(self) -> list[str]:
        """File stems."""
        return [case.key for case in self.cases]

    @property
    def sources(self) -> list[str]:
        """Every image counts as a photograph of its own."""
        return self.keys

    def image(self, index: int) -> Uint8:
        """(H, W, 3)."""
        return read_rgb(self.cases[index].image)


@dataclass(frozen=True)
class Holes:
    """The masks of a folder, of one declared polarity."""

    name: str
    masks: Mapping[str, Path]
    colour: str
    hash: str

    def hole(self, key: str) -> Bool:
        """(H, W), True where the pixel is missing."""
        return read_hole(self.masks[key], self.colour)


@dataclass(frozen=True)
class Drawn:
    """The results themselves; `draw` describes them as a finished draw of our own is described."""

    place: Path
    draw: Mapping[str, Any]
    survey: Survey

    @cached_property
    def _paths(self) -> dict[str, tuple[Path, ...]]:
        return {look.case.key: look.case.completions for look in self.survey.looks}

    @property
    def keys(self) -> list[str]:
        """In the images' order."""
        return list(self._paths)

    @property
    def sources(self) -> list[str]:
        """Every image counts as a photograph of its own."""
        return self.keys

    @property
    def holes(self) -> list[float]:
        """Hole ratios by image."""
        return [look.hole_ratio for look in self.survey.looks]

    def raw_KHWC(self, key: str) -> Uint8:
        """An image's completions, uint8."""
        return png.read(self._paths[key])

    def side(self, key: str) -> dict[str, Path]:
        """Results bring no side pictures."""
        return {}
