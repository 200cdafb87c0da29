"""One image of a source before it is prepared: where it is, which split it goes to, what it shares pixels with."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from stages.images.files import decode_rgb
from stages.images.listing import UNREAD, text_of
from stages.images.pixels import Uint8
from stages.images.stored import ByteRange


@dataclass(frozen=True, slots=True)  # there is one for every image of a source
class Item:
    """`name` is relative to the root and unique; `source` is what related images share (a photograph, a city).

    Both are text that every table can hold, which the bytes of a file name need not be: files are found by `path`.
    """

    name: str
    split: str
    path: Path
    source: str
    labels: Callable[[], Uint8] | None = None
    beside: tuple[Path, ...] = ()  # further files it is made of: label maps

    def __post_init__(self) -> None:
        name = text_of(self.name)
        source = name if self.source == self.name else text_of(self.source)  # one text in memory
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "source", source)

    @property
    def stays(self) -> tuple[ByteRange, ByteRange] | None:
        """Where the image and its label map lie, if training is to read them there; None: shards are made of them."""
        return None

    def stamps(self) -> Iterator[tuple[str, int, int]]:
        """Name, size in bytes and time of each file that it is made of; one that is gone is of size -1."""
        for path in (self.path, *self.beside):
            stat = path.stat() if path.is_file() else None
            yield (text_of(path.name), stat.st_size, stat.st_mtime_ns) if stat else (text_of(path.name), -1, 0)

    def image(self, limit: int) -> Uint8:
        """uint8 RGB (H, W, 3); ValueError tells why it cannot be had."""
        try:
            return decode_rgb(self.path.read_bytes(), limit)
        except ValueError as error:
            if (kind := self.path.suffix.lower()) in UNREAD:
                raise ValueError(f"{kind} pictures cannot be read here; convert it to PNG or JPEG") from error
            raise
