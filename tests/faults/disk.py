"""A small disk that can be filled: a tmpfs, which root may mount."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

BALLAST = "ballast"
NO_DISK = "a small tmpfs needs root (or CAP_SYS_ADMIN)"


def can_mount() -> bool:
    """Whether this process may."""
    return shutil.which("mount") is not None and os.geteuid() == 0


@dataclass(frozen=True)
class Disk:
    """A mounted file system; its data lies in `folder`, beside what takes its room away."""

    mounted: Path

    @property
    def folder(self) -> Path:
        return self.mounted / "data"

    def leave(self, room: int) -> None:
        """So many bytes, in whole pages."""
        found = os.statvfs(self.mounted)
        with (self.mounted / BALLAST).open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, max(1, found.f_bavail * found.f_frsize - room))

    def clear(self) -> None:
        """There is room again."""
        (self.mounted / BALLAST).unlink()


@contextmanager
def small_disk(place: Path, size: int) -> Iterator[Disk]:
    """A disk of `size` bytes, gone at the end with all that is on it."""
    place.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)], check=True)
    try:
        disk = Disk(place)
        disk.folder.mkdir()
        yield disk
    finally:
        subprocess.run(["umount", str(place)], check=True)
