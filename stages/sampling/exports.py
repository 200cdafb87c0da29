"""Completions as plain files: `<entry>/<key>/<kk>.png`, raw, and `<entry>.json` beside them: what they are."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stages.images.files import read_rgb, write_png
from stages.images.pixels import Uint8
from stages.project.files import write_json
from stages.sampling.store import SampleStore, member, translated


def write(finished: SampleStore, place: Path, keys: Sequence[str], samples: int) -> int:
    """The first `samples` completions (0: all) of the images `keys` into the folder `place`; how many there are."""
    count = 0
    for key in keys:
        for k, raw_HWC in enumerate(finished.raw_KHWC(key)[: samples or None]):
            write_png(place / member(key, k), raw_HWC)
            count += 1
    write_json(place.with_name(f"{place.name}.json"), dict(finished.description))
    return count


@dataclass(frozen=True)
class Exported:
    """One entry's exported completions of a test set."""

    place: Path
    description: dict[str, Any]

    @classmethod
    def open(cls, description: Path) -> Exported:
        """By the `<entry>.json` that `write` left beside the pictures."""
        place = description.with_name(description.name.removesuffix(".json"))
        return cls(place, translated(json.loads(description.read_bytes())))

    @property
    def keys(self) -> list[str]:
        """The images that have a first completion, by name."""
        return sorted(path.parent.relative_to(self.place).as_posix() for path in self.place.rglob("00.png"))

    def first(self, key: str) -> Uint8:
        """An image's first completion, raw, (H, W, 3)."""
        return read_rgb(self.place / member(key, 0))
