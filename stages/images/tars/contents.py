"""What lies in a tar: its images with their label maps, by place. Read from its headers once, and kept as a list."""

from __future__ import annotations

import hashlib
import tarfile
from dataclasses import dataclass
from io import SEEK_END, BufferedReader
from itertools import groupby
from pathlib import Path

import pandas as pd
from webdataset.cache import islocal
from webdataset.tariterators import base_plus_ext

from stages.contract import UserError
from stages.images.stored import ByteRange
from stages.images.tars.copies import Copies, Tar
from stages.project import tables

IMAGES = ("jpg", "jpeg", "png", "webp")  # endings of a sample's image, in any case; the first that it has
COLUMNS = ["name", "offset", "length", "size", "sha256", "time"]  # of a member; of the tar, the same in every row
BLOCK = 512  # bytes; a tar ends with blocks of zeros


@dataclass(frozen=True, slots=True)
class Sample:
    """One key of a tar. A `length` of 0: there is no such member."""

    key: str
    image: ByteRange
    labels: ByteRange


def contents_of(url: str, copies: Copies, labels: str | None) -> tuple[Tar, list[Sample]]:
    """The tar with its size and checksum, and its samples in order; `labels`: the ending of their label maps, or None.

    A URL is taken to stay what it was when it was listed; a file is listed anew when its time is another.
    UserError where it is no whole tar, or nothing is in it.
    """
    frame = _listed(url, copies)
    tar = Tar(url, int(frame["size"].iloc[0]), str(frame["sha256"].iloc[0]))
    members = zip(frame["name"].astype(str), frame["offset"].tolist(), frame["length"].tolist(), strict=True)
    rows = [(*base_plus_ext(name), offset, length) for name, offset, length in members]
    keyed = groupby((row for row in rows if row[0] is not None), key=lambda row: row[0])
    none = ByteRange(url, 0, 0)  # one for all that have none
    return tar, [_sample(key, {row[1].lower(): row[2:] for row in found}, labels, none) for key, found in keyed]


def _sample(key: str, members: dict[str, tuple[int, int]], labels: str | None, none: ByteRange) -> Sample:
    image = next((members[ending] for ending in IMAGES if ending in members), None)
    maps = members.get(labels) if labels else None
    return Sample(key, *(none if at is None else ByteRange(none.shard, *at) for at in (image, maps)))


def _listed(url: str, copies: Copies) -> pd.DataFrame:
    """The list that is kept, or, where there is none of the tar as it is, a new one."""
    stem, time = copies.list_of(url), _time(url)
    try:
        frame = tables.read(stem, COLUMNS)
        if frame["time"].iloc[0] == time:
            return frame
    except UserError:
        pass  # there is none, or it is damaged
    try:
        with copies.opened(Tar(url)) as file:
            frame = pd.DataFrame(_members(file), columns=COLUMNS[:3])
            frame = frame.assign(size=file.seek(0, SEEK_END), sha256=_sha256(file), time=time)
    except tarfile.TarError as error:
        copies.forget(url)
        raise UserError(f"{url}: no whole, uncompressed tar with files ({error}); give one") from error
    tables.write(frame, stem)
    return frame


def _members(file: BufferedReader) -> list[tuple[str, int, int]]:
    """Name, offset and length of every file in the tar; TarError where it is not whole, or has none."""
    with tarfile.open(fileobj=file, mode="r:") as tar:
        found = [(member.name, member.offset_data, member.size) for member in tar if member.isreg()]
        file.seek(tar.offset)  # tarfile takes a damaged header, and the file's very end, for the tar's end
        if file.read(BLOCK) != bytes(BLOCK):
            raise tarfile.ReadError("it ends early, or is damaged")
    if not found:
        raise tarfile.ReadError("it is empty")
    return found


def _sha256(file: BufferedReader) -> str:
    file.seek(0)
    return hashlib.file_digest(file, "sha256").hexdigest()


def _time(url: str) -> int:
    """When a file was changed last, in nanoseconds; 0 for a URL, and where there is no such file."""
    path = Path(url)
    return path.stat().st_mtime_ns if islocal(url) and path.is_file() else 0
