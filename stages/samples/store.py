"""Completions on disk: PNGs in tar pieces, each with a record of its checksums, written whole or not at all.

A piece counts as done when its record is there and fits its tar; a run that was killed keeps its pieces, and a
damaged piece is found and made again. Members are `<key>/<kk>.png`, the raw output, uint8 RGB.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stages import tables
from stages.contract import UserError
from stages.engine.fingerprint import of_file
from stages.images.pixels import decode_rgb, encode_png


@dataclass(frozen=True)
class Entry:
    """One completion: its image, where that comes from, which of K it is, its seed, checksum and hole's share."""

    key: str
    source: str
    k: int
    seed: int
    sha256: str
    hole: float


@dataclass(frozen=True)
class Record:
    """What a piece holds and how long it took (rows of the latency table)."""

    tar_sha256: str
    entries: tuple[Entry, ...]
    latency: tuple[dict[str, Any], ...]
    peak_memory_bytes: int


def folder(row: str) -> str:
    """The folder of a row's completions below its draw: the variant's name, or `plain` for the method as it stands."""
    return row.partition("/")[2] or "plain"


def tar_path(place: Path, number: int) -> Path:
    """The tar of a piece; its record lies beside it."""
    return place / f"samples-{number:05d}.tar"


def encode(picture_HWC: NDArray[np.uint8]) -> tuple[bytes, str]:
    """A completion as PNG, and its sha256."""
    data = encode_png(picture_HWC)
    return data, hashlib.sha256(data).hexdigest()


def write_piece(
    place: Path,
    number: int,
    pictures: Sequence[tuple[Entry, bytes]],
    latency: Sequence[dict[str, Any]],
    peak_memory_bytes: int,
) -> Record:
    """The tar first, its record last: without a record a piece is not there."""
    path = tar_path(place, number)
    write_atomically(path, _tar(pictures))
    entries = tuple(entry for entry, _ in pictures)
    record = Record(of_file(path), entries, tuple(latency), peak_memory_bytes)
    write_atomically(path.with_suffix(".json"), json.dumps(asdict(record)).encode())
    return record


def read_piece(place: Path, number: int) -> Record | None:
    """The record of a piece that is there and undamaged, else None."""
    path = tar_path(place, number)
    try:
        plain = json.loads(path.with_suffix(".json").read_bytes())
        entries = tuple(Entry(**entry) for entry in plain.pop("entries"))
        record = Record(entries=entries, latency=tuple(plain.pop("latency")), **plain)
        return record if of_file(path) == record.tar_sha256 else None
    except (OSError, ValueError, TypeError, KeyError, AttributeError):  # not there, or not what we wrote
        return None


def write_atomically(path: Path, data: bytes) -> None:
    """The file is there whole, or not at all, whenever the machine stops."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    with part.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def clear_halves(place: Path) -> None:
    """Remove what a killed run had begun to write."""
    for half in place.glob(".*"):
        half.unlink()


LATENCY = ("key", "hole", "batch", "samples", "warm_up", "phase", "seconds", "joules")  # whatever was measured


def finish(place: Path, records: Sequence[Record], description: dict[str, Any]) -> None:
    """The tables and the description that make a folder of pieces a finished draw."""
    rows = [{**asdict(e), "piece": tar_path(place, n).name} for n, record in enumerate(records) for e in record.entries]
    tables.write(pd.DataFrame(rows), place / "index")
    timed = [row for record in records for row in record.latency]
    frame = pd.DataFrame(timed, columns=list(LATENCY))
    tables.write(frame.astype({"seconds": float, "joules": float}), place / "latency")
    write_atomically(place / "draw.json", json.dumps(description, indent=1).encode())


class Samples(Protocol):
    """Completions by image: `draw` describes them; keys, sources and holes (their ratios) are in the draw's order."""

    @property
    def place(self) -> Path: ...

    @property
    def draw(self) -> Mapping[str, Any]: ...

    @property
    def keys(self) -> list[str]: ...

    @property
    def sources(self) -> list[str]: ...

    @property
    def holes(self) -> list[float]: ...

    def raw_KHWC(self, key: str) -> NDArray[np.uint8]: ...

    def side(self, key: str) -> dict[str, Path]: ...


class Finished:
    """A finished draw: `draw` is its description, `keys` are in the draw's order."""

    def __init__(self, place: Path, draw: dict[str, Any], index: pd.DataFrame) -> None:
        self.place, self.draw = place, draw
        self.latency = tables.read(place / "latency")
        images = index.drop_duplicates("key")
        self.keys: list[str] = images["key"].astype(str).tolist()
        self.sources: list[str] = images["source"].astype(str).tolist()
        self.holes: list[float] = images["hole"].tolist()
        self._rows = {str(key): rows.sort_values("k") for key, rows in index.groupby("key", sort=False)}
        self._piece, self._members = "", dict[str, bytes]()

    @classmethod
    def open(cls, place: Path) -> Finished:
        """UserError where there is no finished draw."""
        try:
            return cls(place, json.loads((place / "draw.json").read_bytes()), tables.read(place / "index"))
        except (OSError, ValueError, KeyError) as error:  # KeyError: a column that an older version did not write
            raise UserError(f"{place}: no finished samples; run `plurifill sample` (or dvc repro)") from error

    def raw_KHWC(self, key: str) -> NDArray[np.uint8]:
        """An image's completions in order; UserError where a picture is not the one that was written."""
        rows = self._rows[key]
        self._open_piece(str(rows["piece"].iloc[0]))
        return np.stack([self._picture(key, int(k), sha) for k, sha in zip(rows["k"], rows["sha256"], strict=True)])

    def side(self, key: str) -> dict[str, Path]:
        """An image's side pictures by name; kept for the first few images."""
        return {path.stem: path for path in sorted((self.place / "side" / key).glob("*.png"))}

    def _picture(self, key: str, k: int, sha256: str) -> NDArray[np.uint8]:
        data = self._members.get(member(key, k), b"")
        if hashlib.sha256(data).hexdigest() != sha256:
            path = self.place / self._piece
            raise UserError(f"{path}: {member(key, k)} is damaged; run `plurifill sample` to have it made again")
        return decode_rgb(data)

    def _open_piece(self, name: str) -> None:
        if name == self._piece:
            return
        try:
            with tarfile.open(self.place / name) as tar:
                self._members = {info.name: tar.extractfile(info).read() for info in tar}  # type: ignore[union-attr]
        except (OSError, tarfile.TarError) as error:
            path = self.place / name
            raise UserError(f"{path}: damaged ({error}); run `plurifill sample` to have it made again") from error
        self._piece = name


def member(key: str, k: int) -> str:
    """A completion's name in its tar."""
    return f"{key}/{k:02d}.png"


def _tar(pictures: Sequence[tuple[Entry, bytes]]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:  # no times or owners: the same bytes for the same pictures
        for entry, data in pictures:
            info = tarfile.TarInfo(member(entry.key, entry.k))
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return buffer.getvalue()
