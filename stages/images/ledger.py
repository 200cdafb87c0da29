"""What is finished of a dataset that is being made: whoever goes on from it makes what came after, and nothing else."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, BinaryIO

from stages.images.dataset import packed_path
from stages.project.files import sync, write_text
from stages.project.hashing import of_file

BUFFER = 2**20  # bytes that are in memory at once
Row = tuple[str, Any]  # a table's name, and plain values


@dataclass(frozen=True)
class Finished:
    """One tar and all that came of the images up to its end: pixels, and rows of tables.

    An entry without a tar is of images of which none is stored here.
    """

    split: str
    items: int  # of the split that are done
    tar: str  # its name; empty: none
    tar_sha256: str
    packed: int  # bytes of the split's packed pixels that are done; those given up count too
    packed_sha256: str  # of this entry's own; empty where they are given up


class Ledger:
    """Entries as files, each with a file of rows, in a folder within the dataset's own while that is being made."""

    def __init__(self, part: Path, packed_limit: float) -> None:
        self.part, self.packed_limit = part, packed_limit
        self.folder, self.count = part / ".finished", 0
        self._begun: BinaryIO | None = None

    def note(self, table: str, values: Any) -> None:
        """A row of the entry that is to come. It is written, and not kept in memory."""
        begun = self._begun or self._opened()
        begun.write(json.dumps([table, values]).encode() + b"\n")

    def add(self, entry: Finished) -> None:
        """One more entry; what it tells of is on the disk by then."""
        if entry.tar:
            sync(self.part / entry.tar)
        rows = self._rows(self.count)
        if self._begun is None:
            self._opened()
        self.close()
        sync(rows)
        text = json.dumps({**vars(entry), "rows_sha256": of_file(rows)})
        write_text(self._path(self.count), f"{_digest(text)}\n{text}")
        self.count += 1

    def _opened(self) -> BinaryIO:
        """A new file of rows: what is there, a process has left that was stopped."""
        self.folder.mkdir(exist_ok=True)
        self._begun = self._rows(self.count).open("wb")
        return self._begun

    def close(self) -> None:
        """Close the file of rows that is open."""
        if self._begun is not None:
            self._begun.close()
            self._begun = None

    def taken_up(self) -> Iterator[Finished]:
        """The entries of a process that was stopped, up to the first of which something is damaged or gone.

        After the last of them, what else it had begun to write is removed.
        """
        kept = {self.folder}
        for entry in self._standing():
            kept |= {self.part / entry.tar, packed_path(self.part, entry.split)}
            yield entry
        for path in set(self.part.iterdir()) - kept:
            path.unlink()

    def rows(self) -> Iterator[Row]:
        """What was noted for all entries so far, in order."""
        for number in range(self.count):
            with self._rows(number).open("rb") as file:
                for line in file:
                    table, values = json.loads(line)
                    yield table, values

    def _standing(self) -> Iterator[Finished]:
        given_up = {entry.split for entry in self._readable() if entry.packed > self.packed_limit}
        packed = dict[str, int]()  # bytes by split
        for entry in self._readable():
            start = entry.packed if entry.split in given_up else packed.get(entry.split, 0)
            if not self._stands(entry, start):
                return
            packed[entry.split] = entry.packed
            self.count += 1
            yield entry

    def remove(self) -> None:
        """The dataset is whole."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:06d}.json"

    def _rows(self, number: int) -> Path:
        return self.folder / f"{number:06d}.rows"

    def _readable(self) -> Iterator[Finished]:
        for number in count():
            if not (path := self._path(number)).is_file():
                return
            digest, _, text = path.read_text("utf-8", "replace").partition("\n")
            if digest != _digest(text):
                return
            values = json.loads(text)
            if not _is(self._rows(number), values.pop("rows_sha256")):
                return
            yield Finished(**values)

    def _stands(self, entry: Finished, start: int) -> bool:
        """Whether its tar, and its packed pixels from `start` on, are what was written."""
        pixels = packed_path(self.part, entry.split)
        try:
            packed = digest_of(pixels, start, entry.packed) if entry.packed > start else entry.packed_sha256
        except OSError:
            return False
        return packed == entry.packed_sha256 and (not entry.tar or _is(self.part / entry.tar, entry.tar_sha256))


def digest_of(path: Path, start: int, end: int) -> str:
    """sha256 of a file's bytes from `start` to `end`, or to where it ends before."""
    digest, left = hashlib.sha256(), end - start
    with path.open("rb") as file:
        file.seek(start)
        while some := file.read(min(left, BUFFER)):
            digest.update(some)
            left -= len(some)
    return digest.hexdigest()


def _is(path: Path, sha256: str) -> bool:
    """Whether a file is there, and the one that was written."""
    try:
        return of_file(path) == sha256
    except OSError:
        return False


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
