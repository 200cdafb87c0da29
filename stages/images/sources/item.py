"""One image of a source before it is prepared: where it is, which split it goes to, what it shares pixels with."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from stages.images.files import decode_rgb
from stages.images.listing import UNREAD, text_of
from stages.images.pixels import Uint8
from stages.images.stored import ByteRange


@dataclass(frozen=True, slots=True)  # there is one for every image of a source: what images share, they share in memory
class Item:
    """The image is the file `root / file`. `name` is unique; `source` is what related images share (a photograph).

    Where nothing else is given, both `file` and `source` are the name. Name and source are text that every table can
    hold, which the bytes of a file name need not be.
    """

    name: str
    split: str
    root: Path
    source: str = ""
    file: str = ""
    labels: Callable[[], Uint8] | None = None
    beside: tuple[Path, ...] = ()  # further files it is made of: label maps

    def __post_init__(self) -> None:
        text, file = text_of(self.name), self.file or self.name
        name = self.name if self.name == text else text  # the same text, once in memory
        source = name if self.source in ("", self.name) else text_of(self.source)
        for field, value in (("name", name), ("file", file), ("source", source)):
            object.__setattr__(self, field, value)

    @property
    def path(self) -> Path:
        """Its file."""
        return self.root / self.file

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
        path = self.path
        try:
            return decode_rgb(path.read_bytes(), limit)
        except ValueError as error:
            if (kind := path.suffix.lower()) in UNREAD:
                raise ValueError(f"{kind} pictures cannot be read here; convert it to PNG or JPEG") from error
            raise
