"""What is finished of a dataset that is being made: whoever goes on from it makes what came after, and nothing else."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from stages.images.dataset import packed_path
from stages.project.files import sync, write_text
from stages.project.hashing import of_file

BUFFER = 2**20  # bytes that are in memory at once


@dataclass(frozen=True)
class Finished:
    """One tar and all that came of the images up to its end: pixels, rows of the audit, what held-out images look like.

    An entry without a tar is of images of which none is stored here.
    """

    split: str
    items: int  # of the split that are done
    tar: str  # its name; empty: none
    tar_sha256: str
    packed: int  # bytes of the split's packed pixels that are done; those given up count too
    packed_sha256: str  # of this entry's own; empty where they are given up
    rows: dict[str, Any]  # of the audit, as its `fresh` gave them
    held_out: list[dict[str, Any]]


class Ledger:
    """Entries as files, in a folder within the dataset's own while that is being made."""

    def __init__(self, part: Path, packed_limit: float) -> None:
        self.part, self.packed_limit = part, packed_limit
        self.folder, self.count = part / ".finished", 0

    def add(self, entry: Finished) -> None:
        """One more entry; what it tells of is on the disk by then."""
        if entry.tar:
            sync(self.part / entry.tar)
        self.folder.mkdir(exist_ok=True)
        text = json.dumps(vars(entry))  # no `asdict`, which copies all rows
        write_text(self._path(self.count), f"{_digest(text)}\n{text}")
        self.count += 1

    def taken_up(self) -> list[Finished]:
        """The entries of a process that was stopped, up to the first of which something is damaged or gone.

        What else it had begun to write is removed.
        """
        entries = list(self._standing())
        kept = {self.folder} | {self.part / entry.tar for entry in entries}
        kept |= {packed_path(self.part, entry.split) for entry in entries}
        for path in set(self.part.iterdir()) - kept:
            path.unlink()
        return entries

    def _standing(self) -> Iterator[Finished]:
        entries = list(self._readable())
        given_up = {entry.split for entry in entries if entry.packed > self.packed_limit}
        packed = dict[str, int]()  # bytes by split
        for entry in entries:
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

    def _readable(self) -> Iterator[Finished]:
        for number in count():
            if not (path := self._path(number)).is_file():
                return
            digest, _, text = path.read_text("utf-8", "replace").partition("\n")
            if digest != _digest(text):
                return
            yield Finished(**json.loads(text))

    def _stands(self, entry: Finished, start: int) -> bool:
        """Whether its tar, and its packed pixels from `start` on, are what was written."""
        pixels = packed_path(self.part, entry.split)
        try:
            tar = of_file(self.part / entry.tar) if entry.tar else ""
            packed = digest_of(pixels, start, entry.packed) if entry.packed > start else entry.packed_sha256
        except OSError:
            return False
        return (tar, packed) == (entry.tar_sha256, entry.packed_sha256)


def digest_of(path: Path, start: int, end: int) -> str:
    """sha256 of a file's bytes from `start` to `end`, or to where it ends before."""
    digest, left = hashlib.sha256(), end - start
    with path.open("rb") as file:
        file.seek(start)
        while some := file.read(min(left, BUFFER)):
            digest.update(some)
            left -= len(some)
    return digest.hexdigest()


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
