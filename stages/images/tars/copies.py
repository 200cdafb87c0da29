"""Local copies of tars: fetched when first read, the least recently read removed when there are too many bytes."""

from __future__ import annotations

import hashlib
import os
import time
from contextlib import closing
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

from webdataset.cache import LRUCleanup, islocal

from stages.contract import UserError
from stages.images.stored import ByteRange
from stages.images.tars.transfer import TransferError, pieces
from stages.images.tars.urls import STALL_S
from stages.project import locks
from stages.project.files import atomic
from stages.project.hashing import SHOWN

TRIES, PAUSE_S = 5, 2.0  # of a transfer; before the second, and twice as long before each one more: half a minute
PATIENCE_S = 3600.0  # for another process that fetches the same tar


@dataclass(frozen=True)
class Tar:
    """A tar as it was when it was indexed; before that `size` is 0 and `sha256` empty."""

    url: str
    size: int = 0  # bytes
    sha256: str = ""


@dataclass(frozen=True)
class Copies:
    """Those in `folder`, shared by all processes of the machine; `limit` bytes of them at most.

    A tar on the disk is read where it lies. UserError where one cannot be had, with its URL and why: a transfer is
    tried so many times, and nothing of it is kept that is not whole.
    """

    folder: Path
    limit: float
    pause_s: float = PAUSE_S
    stall_s: int = STALL_S
    tries: int = TRIES

    def read(self, tar: Tar, at: ByteRange) -> bytes:
        """A member's bytes."""
        with self.opened(tar) as file:
            file.seek(at.offset)
            return file.read(at.length)

    def opened(self, tar: Tar) -> BufferedReader:
        """The tar as a file, fetched where there is no copy."""
        if islocal(tar.url):
            return _in_place(tar).open("rb")
        while True:
            try:
                path = self._fetched(tar)
                os.utime(path)  # its ctime too, by which the one is found that was not read for longest
                return path.open("rb")
            except FileNotFoundError:  # removed by another process meanwhile
                continue

    def forget(self, url: str) -> None:
        """Remove what is kept of the tar."""
        for path in (self._copy(url), *self.list_of(url).parent.glob(f"{_name(url)}.*")):
            path.unlink(missing_ok=True)

    def list_of(self, url: str) -> Path:
        """Where the list of a tar's members is kept, without its ending."""
        return self.folder.with_name("lists") / _name(url)

    def _copy(self, url: str) -> Path:
        return self.folder / f"{_name(url)}.tar"

    def _fetched(self, tar: Tar) -> Path:
        path = self._copy(tar.url)
        lock = self.folder.with_name("locks") / path.name
        if not path.exists():
            with locks.held(lock, PATIENCE_S, f"{tar.url}: another process is fetching it; wait for it, or stop it"):
                if not path.exists():
                    self._fetch(tar, path)
        return path

    def _fetch(self, tar: Tar, path: Path) -> None:
        reason = ""
        for attempt in range(self.tries):
            time.sleep(self.pause_s * 2 ** (attempt - 1) if attempt else 0)
            try:
                with atomic(path) as part:
                    self._make_room(tar.size, part)
                    return self._take(tar, part)
            except TransferError as error:
                reason = str(error)
        raise UserError(f"{tar.url}: {reason}; tried {self.tries} times; mend that, and run the same command to go on")

    def _make_room(self, size: int, part: Path) -> None:
        """A tar of that many bytes is to come; `part` has them at once, so that others see them who make room."""
        with locks.held(self.folder.with_name("locks") / "room", PATIENCE_S, f"{self.folder}: no room is made"):
            LRUCleanup(str(self.folder), self.limit - size, interval=None).cleanup()
            part.touch()
            os.truncate(part, size)

    def _take(self, tar: Tar, part: Path) -> None:
        """Fetch it into `part`; UserError where it is another than was indexed."""
        sha256, size = self._transfer(tar.url, part), part.stat().st_size
        if tar.sha256 in {"", sha256}:
            return
        if size < tar.size:
            raise TransferError(f"{size} of its {tar.size} bytes came")
        self.forget(tar.url)
        raise UserError(f"{tar.url}: it has changed since it was indexed; index it anew by `plurifill shard`")

    def _transfer(self, url: str, part: Path) -> str:
        """sha256 of all that came."""
        digest = hashlib.sha256()
        with closing(pieces(url, self.stall_s)) as coming, part.open("r+b") as file:
            for data in coming:
                digest.update(data)
                file.write(data)
            file.truncate()
        return digest.hexdigest()


def _name(url: str) -> str:
    return hashlib.sha256(url.encode()).hexdigest()[:SHOWN]


def _in_place(tar: Tar) -> Path:
    path = Path(tar.url)
    if not path.is_file():
        raise UserError(f"{path}: no such tar; put it there, or name another")
    if tar.size and path.stat().st_size != tar.size:
        raise UserError(f"{path}: it has changed since it was indexed; index it anew by `plurifill shard`")
    return path
