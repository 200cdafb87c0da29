"""WebDataset tars and packed pixels, written so that the same data gives the same bytes."""

import io
import tarfile
from pathlib import Path
from typing import BinaryIO

from stages.images.dataset import ByteRange, packed_path
from stages.images.pixels import Uint8

BLOCK = 512  # a tar's members fill whole blocks


class Shards:
    """`<name>-<split>-000000.tar`, -000001.tar ...: a new one when the last is over `limit` bytes."""

    def __init__(self, folder: Path, name: str, split: str, limit: float) -> None:
        self.folder, self.stem, self.limit = folder, f"{name}-{split}", limit
        self.count = 0
        self.tar: tarfile.TarFile | None = None

    def add(self, key: str, members: dict[str, bytes]) -> dict[str, ByteRange]:
        """Write one sample's members (ending -> bytes), side by side in one tar; where each one's bytes are."""
        if self.tar is not None and self.tar.offset > self.limit:
            self.close()
        if self.tar is None:
            self.tar = tarfile.open(self.folder / self._name, "w", format=tarfile.GNU_FORMAT)  # noqa: SIM115
        return {ending: self._write(self.tar, f"{key}.{ending}", data) for ending, data in members.items()}

    def close(self) -> None:
        """Finish the tar that is open."""
        if self.tar is not None:
            self.tar.close()
            self.tar = None
            self.count += 1

    @property
    def _name(self) -> str:
        return f"{self.stem}-{self.count:06d}.tar"

    def _write(self, tar: tarfile.TarFile, name: str, data: bytes) -> ByteRange:
        header = tarfile.TarInfo(name)  # time 0, owner 0: nothing of this machine enters the bytes
        header.size = len(data)
        tar.addfile(header, io.BytesIO(data))
        filled = -(-len(data) // BLOCK) * BLOCK
        return ByteRange(self._name, tar.offset - filled, len(data))


class Packed:
    """A split's pixels one after the other; given up, and removed, when they are over `limit` bytes."""

    def __init__(self, folder: Path, split: str, limit: float) -> None:
        self.path, self.room = packed_path(folder, split), limit
        self.file: BinaryIO | None = None
        self.given_up = False

    def add(self, image_HWC: Uint8) -> None:
        """One more image."""
        self.room -= image_HWC.nbytes
        if self.room < 0 and not self.given_up:
            self.close()
            self.path.unlink(missing_ok=True)
            self.given_up = True
        if not self.given_up:
            self.file = self.file or self.path.open("wb")
            self.file.write(image_HWC.tobytes())

    def close(self) -> None:
        """Finish the file."""
        if self.file is not None:
            self.file.close()
            self.file = None
