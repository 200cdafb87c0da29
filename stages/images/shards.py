"""WebDataset tars and packed pixels, written so that the same data gives the same bytes."""

from __future__ import annotations

import tarfile
from pathlib import Path
from typing import BinaryIO

from webdataset import TarWriter

from stages.images.dataset import packed_path
from stages.images.pixels import Uint8
from stages.images.stored import ByteRange
from stages.project.files import sync

BLOCK = 512  # a tar's members fill whole blocks


class Shards:
    """`<name>-<split>-000000.tar`, -000001.tar ..., after `count` that are there: full when over `limit` bytes."""

    def __init__(self, folder: Path, name: str, split: str, limit: float, count: int = 0) -> None:
        self.folder, self.stem, self.limit, self.count = folder, f"{name}-{split}", limit, count
        self.file: BinaryIO | None = None
        self.tar: TarWriter | None = None

    @property
    def is_full(self) -> bool:
        """Whether the tar that is open should be closed before more is added."""
        return self.tar is not None and self.tar.tarstream.offset > self.limit

    def add(self, key: str, members: dict[str, bytes]) -> dict[str, ByteRange]:
        """Write one sample's members (ending -> bytes), side by side in one tar; where each one's bytes are."""
        tar = self.tar = self.tar or self._begun()
        return {ending: self._write(tar, key, ending, data) for ending, data in members.items()}

    def close(self) -> str:
        """Finish the tar that is open: its name; empty where none is."""
        if self.tar is None or self.file is None:
            return ""
        self.tar.close()
        self.file.close()
        self.tar, name, self.count = None, self._name, self.count + 1
        return name

    @property
    def _name(self) -> str:
        return f"{self.stem}-{self.count:06d}.tar"

    def _begun(self) -> TarWriter:
        """A writer that lets nothing of this machine into the bytes: time 0, no owner."""
        self.file = (self.folder / self._name).open("wb")  # not by its name, which the writer would take for a URL
        tar = TarWriter(self.file, user="", group="", mode=0o644, mtime=0, encoder=False)
        tar.tarstream.format = tarfile.GNU_FORMAT  # the writer takes a format, and does not hand it on
        return tar

    def _write(self, tar: TarWriter, key: str, ending: str, data: bytes) -> ByteRange:
        tar.write({"__key__": key, ending: data})  # one by one: the writer would sort them
        tar.tarstream.members.clear()  # tarfile would keep every header
        filled = -(-len(data) // BLOCK) * BLOCK
        return ByteRange(self._name, tar.tarstream.offset - filled, len(data))


class Packed:
    """A split's pixels one after the other, after `size` bytes that are there; none are kept when over `limit`."""

    def __init__(self, folder: Path, split: str, limit: float, size: int = 0) -> None:
        self.path, self.limit, self.size = packed_path(folder, split), limit, size
        self.file: BinaryIO | None = None

    @property
    def given_up(self) -> bool:
        """Whether there are too many."""
        return self.size > self.limit

    def add(self, image_HWC: Uint8) -> None:
        """One more image."""
        before, self.size = self.size, self.size + image_HWC.nbytes
        if not self.given_up:
            self.file = self.file or self._opened(before)
            self.file.write(image_HWC.tobytes())

    def flush(self) -> None:
        """Wait until what was added is on the disk."""
        if self.file is not None:
            self.file.flush()
            sync(self.path)

    def finish(self) -> None:
        """No more is to come: only now is what was given up removed, since whoever goes on looks for it till then."""
        self.close()
        if self.given_up:
            self.path.unlink(missing_ok=True)

    def close(self) -> None:
        """Close the file."""
        if self.file is not None:
            self.file.close()
            self.file = None

    def _opened(self, size: int) -> BinaryIO:
        """The file, to be written on from there: what lies behind, a process has left that was stopped."""
        file = self.path.open("ab")
        file.truncate(size)
        return file
