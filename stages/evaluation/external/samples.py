"""A results folder as a test set and its samples: images, holes and samples by key, read when they are needed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from pathlib import Path
from typing import Any

from stages.contract import Spec
from stages.images.files import read_hole, read_rgb
from stages.images.pixels import Bool, Uint8
from stages.sampling.external import result_file
from stages.sampling.external.folder import Case
from stages.sampling.external.survey import Survey


@dataclass(frozen=True)
class Originals:
    """The images of a folder, in the cases' order."""

    name: str
    cases: tuple[Case, ...]
    spec: Spec
    hash: str

    @cached_property
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

    def labels(self, index: int) -> Uint8 | None:
        """A folder of images brings no label maps."""
        return None


@dataclass(frozen=True)
class Holes:
    """The masks of a folder, of one declared polarity."""

    name: str
    masks: Mapping[str, Path]
    colour: str
    hash: str

    def hole(self, key: str) -> Bool:
        """(H, W), True where the pixel is missing."""
        return self._read(self.masks[key])

    @cached_property
    def _read(self) -> Callable[[Path], Bool]:
        return lru_cache(maxsize=1)(partial(read_hole, hole=self.colour))  # one mask may be of all images


@dataclass(frozen=True)
class FolderSamples:
    """The results themselves, described as finished samples of our own are."""

    place: Path
    description: Mapping[str, Any]
    survey: Survey

    @cached_property
    def _paths(self) -> dict[str, tuple[Path, ...]]:
        return {one.case.key: one.case.completions for one in self.survey.inspections}

    @cached_property
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
        return [one.hole_ratio for one in self.survey.inspections]

    @property
    def digest(self) -> str:
        """Covers every completion."""
        return self.survey.result_hash

    def raw_KHWC(self, key: str) -> Uint8:
        """An image's completions, uint8."""
        return result_file.read(self._paths[key])

    def side(self, key: str) -> dict[str, Path]:
        """Results bring no side pictures."""
        return {}
