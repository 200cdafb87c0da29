"""Columns of an index in memory: a split of millions of images is known by arrays, not by as many objects."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import overload

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stages.images.stored import ByteRange
from stages.project import tables

Ints = NDArray[np.int64]
TEXTS = ("key", "source", "sha256", "labels_sha256")
NUMBERS = ("width", "height", "offset", "length", "labels_offset", "labels_length")


class Texts(Sequence[str]):
    """Texts in one buffer: the bytes of all, and where each one's end."""

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self._bytes, self._ends = bytearray(), array("q", [0])
        self.extend(texts)

    def extend(self, texts: Iterable[str]) -> None:
        """More of them."""
        for text in texts:
            self._bytes += text.encode()
            self._ends.append(len(self._bytes))

    def __len__(self) -> int:
        return len(self._ends) - 1

    @overload
    def __getitem__(self, index: int) -> str: ...

    @overload
    def __getitem__(self, index: slice) -> list[str]: ...

    def __getitem__(self, index: int | slice) -> str | list[str]:
        places = range(len(self))[index]
        return self._text(places) if isinstance(places, int) else [self._text(place) for place in places]

    def __iter__(self) -> Iterator[str]:
        return map(self._text, range(len(self)))

    def _text(self, place: int) -> str:
        return self._bytes[self._ends[place] : self._ends[place + 1]].decode()


@dataclass(frozen=True)
class Ranges:
    """Where a member of each image lies: the tars, sorted, of each image its tar's number, offset and length."""

    tars: list[str]
    tar_N: Ints
    offset_N: Ints
    length_N: Ints

    def __getitem__(self, place: int) -> ByteRange:
        return ByteRange(self.tars[self.tar_N[place]], int(self.offset_N[place]), int(self.length_N[place]))


@dataclass
class Rows:
    """One split's rows of an index."""

    texts: dict[str, Texts] = field(default_factory=lambda: {name: Texts() for name in TEXTS})
    _numbers: dict[str, array[int]] = field(default_factory=lambda: {name: array("q") for name in (*NUMBERS, "tar")})
    _tars: dict[str, int] = field(default_factory=dict)  # in the order in which they came

    @classmethod
    def read(cls, index: Path, split: str) -> Rows:
        """Those of the index at that stem, of which a piece is in memory at a time. UserError where it is damaged."""
        rows = cls()
        for frame in tables.read_pieces(index, ("split", "shard", *TEXTS, *NUMBERS)):
            rows.add(frame[frame["split"] == split])
        return rows

    def add(self, frame: pd.DataFrame) -> None:
        """The next rows."""
        for name in TEXTS:
            self.texts[name].extend(frame[name].astype(str))
        for name in NUMBERS:
            self._numbers[name].extend(frame[name].tolist())
        self._numbers["tar"].extend(self._tars.setdefault(tar, len(self._tars)) for tar in frame["shard"])

    def numbers(self, name: str) -> Ints:
        """A column of NUMBERS."""
        return np.frombuffer(self._numbers[name], dtype=np.int64)

    def ranges(self, of: str = "") -> Ranges:
        """Of images; `labels_`: of their label maps."""
        tars = sorted(self._tars)
        rank = {tar: number for number, tar in enumerate(tars)}
        rank_T = np.array([rank[tar] for tar in self._tars], dtype=np.int64)
        return Ranges(tars, rank_T[self.numbers("tar")], self.numbers(f"{of}offset"), self.numbers(f"{of}length"))
