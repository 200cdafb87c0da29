"""One image of a source before it is prepared: where it is, which split it goes to, what it shares pixels with."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from stages.images.files import decode_rgb
from stages.images.pixels import Uint8


@dataclass(frozen=True)
class Item:
    """`name` is relative to the root and unique; `source` is what related images share (a photograph, a city)."""

    name: str
    split: str
    path: Path
    source: str
    labels: Callable[[], Uint8] | None = None
    beside: tuple[Path, ...] = ()  # further files it is made of: label maps

    def image(self, limit: int) -> Uint8:
        """uint8 RGB (H, W, 3); ValueError tells why it cannot be had."""
        return decode_rgb(self.path.read_bytes(), limit)
