"""Completions on disk: PNGs in tar pieces, each with a record of its checksums, written whole or not at all.

A piece counts as done when its record is there and fits its tar; a run that was killed keeps its pieces, and a
damaged piece is found and made again. Members are `<key>/<kk>.png`, the raw output, uint8 RGB.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stages.contract import UserError
from stages.images.files import decode_rgb, encode_png
from stages.project import tables
from stages.project.files import visible, write_bytes, write_json
from stages.project.hashing import of_file, of_values
from stages.sampling.latents import Digests

DESCRIPTION = "store.json"
OLDER = "draw.json"  # its name in earlier versions
RENAMED = {"draw": "testset", "row": "entry"}  # and the names of what it tells
SIDE = "side"  # the folder of side pictures, one an image
COLUMNS = ("key", "source", "hole", "k", "sha256", "piece")  # of the index, those that are read
LATENCY = ("key", "hole", "batch", "samples", "warm_up", "phase", "seconds", "joules")  # whatever was measured


@dataclass(frozen=True)
class Completion:
    """One completion: its image, where that comes from, which of K it is, its seed, checksum and hole's share."""

    key: str
    source: str
    k: int
    seed: int
    sha256: str
    hole: float


@dataclass(frozen=True)
class Record:
    """What a piece holds, how long it took (rows of the latency table), and what was drawn before its pixels."""

    tar_sha256: str
    entries: tuple[Completion, ...]
    latency: tuple[dict[str, Any], ...]
    peak_memory_bytes: int
    latents: Digests = field(default_factory=dict)
    side: Mapping[str, str] = field(default_factory=dict)  # sha256 of its images' side pictures, by their paths

    def plain(self) -> dict[str, Any]:
        """As it is written: as ever, where there are no latents or no side pictures."""
        return {name: value for name, value in asdict(self).items() if value or name not in {"latents", "side"}}


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
    pictures: Sequence[tuple[Completion, bytes]],
    latency: Sequence[dict[str, Any]],
    peak_memory_bytes: int,
    latents: Digests,
) -> Record:
    """The tar first, its record last: without a record a piece is not there."""
    path = tar_path(place, number)
    write_bytes(path, _tar(pictures))
    entries = tuple(entry for entry, _ in pictures)
    side = _side(place, dict.fromkeys(entry.key for entry in entries))
    record = Record(of_file(path), entries, tuple(latency), peak_memory_bytes, latents, side)
    write_json(path.with_suffix(".json"), record.plain(), indent=None)
    return record


def read_piece(place: Path, number: int) -> Record | None:
    """The record of a piece that is there and undamaged, its side pictures too, else None."""
    path = tar_path(place, number)
    try:
        plain = json.loads(path.with_suffix(".json").read_bytes())
        entries = tuple(Completion(**entry) for entry in plain.pop("entries"))
        latents = {name: tuple(found) for name, found in plain.pop("latents", {}).items()}
        record = Record(entries=entries, latency=tuple(plain.pop("latency")), latents=latents, **plain)
        whole = of_file(path) == record.tar_sha256 and all(
            of_file(place / name) == sha256 for name, sha256 in record.side.items()
        )
        return record if whole else None
    except (OSError, ValueError, TypeError, KeyError, AttributeError):  # not there, or not what we wrote
        return None


def clear_halves(place: Path) -> None:
    """Remove what a killed run had begun to write."""
    for half in place.rglob(".*"):
        half.unlink()


def finish(place: Path, records: Sequence[Record], description: dict[str, Any]) -> None:
    """The tables and the description that make a folder of pieces a finished store."""
    rows = [{**asdict(e), "piece": tar_path(place, n).name} for n, record in enumerate(records) for e in record.entries]
    tables.write(pd.DataFrame(rows), place / "index")
    timed = [row for record in records for row in record.latency]
    frame = pd.DataFrame(timed, columns=list(LATENCY))
    tables.write(frame.astype({"seconds": float, "joules": float}), place / "latency")
    write_json(place / DESCRIPTION, description)


class Samples(Protocol):
    """Completions by image, and what tells of them; `digest` covers them all.

    Keys, sources and holes (ratios) are in the test set's order.
    """

    @property
    def place(self) -> Path: ...

    @property
    def description(self) -> Mapping[str, Any]: ...

    @property
    def keys(self) -> list[str]: ...

    @property
    def sources(self) -> list[str]: ...

    @property
    def holes(self) -> list[float]: ...

    @property
    def digest(self) -> str: ...

    def raw_KHWC(self, key: str) -> NDArray[np.uint8]: ...

    def side(self, key: str) -> dict[str, Path]: ...


class SampleStore:
    """One entry's finished samples of a test set; `keys` are in the test set's order."""

    def __init__(self, place: Path, description: dict[str, Any], index: pd.DataFrame) -> None:
        self.place, self.description = place, description
        self.latency = tables.read(place / "latency")
        images = index.drop_duplicates("key")
        self.keys: list[str] = images["key"].astype(str).tolist()
        self.sources: list[str] = images["source"].astype(str).tolist()
        self.holes: list[float] = images["hole"].tolist()
        self._stored = _stored(index)
        self._piece, self._members = "", dict[str, bytes]()

    @classmethod
    def open(cls, place: Path) -> SampleStore:
        """UserError where there are no finished samples."""
        try:
            found = cls(place, describe(place), tables.read(place / "index", COLUMNS))
            found._refuse_other_samples()
        except (OSError, ValueError, LookupError, TypeError, UserError) as error:  # damaged, or of an older version
            raise UserError(f"{place}: no finished samples; run `plurifill sample` (or dvc repro)") from error
        return found

    @property
    def digest(self) -> str:
        """Covers every completion."""
        return of_values({key: [one.sha256 for one in stored] for key, stored in self._stored.items()})

    def raw_KHWC(self, key: str) -> NDArray[np.uint8]:
        """An image's completions in order; UserError where a picture is not the one that was written."""
        stored = self._stored[key]
        self._open_piece(stored[0].piece)
        return np.stack([self._picture(key, one.k, one.sha256) for one in stored])

    def side(self, key: str) -> dict[str, Path]:
        """An image's side pictures by name; kept for the first few images."""
        return {path.stem: path for path in visible(self.place / SIDE / key, "*.png")}

    def _refuse_other_samples(self) -> None:
        """ValueError unless the index has every sample of every image once, in pieces of this folder."""
        found = [[one.k for one in stored] for stored in self._stored.values()]
        told = {"images": len(found), "samples": len(found[0]), **self.description}
        if len(found) != told["images"] or any(one != list(range(told["samples"])) for one in found):
            raise ValueError("other samples in the index than it was finished with")
        if any(Path(one.piece).name != one.piece for stored in self._stored.values() for one in stored):
            raise ValueError("a piece that is no file of this folder")

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
            with tarfile.open(self.place / name, "r:") as tar:  # files alone: links are none of ours
                self._members = {one.name: tar.extractfile(one).read() for one in tar if one.isreg()}  # type: ignore[union-attr]
        except (OSError, ValueError, tarfile.TarError) as error:
            path = self.place / name
            raise UserError(f"{path}: damaged ({error}); run `plurifill sample` to have it made again") from error
        self._piece = name


class Stored(NamedTuple):
    """Where a completion lies, and its checksum."""

    k: int
    sha256: str
    piece: str


def _stored(index: pd.DataFrame) -> dict[str, list[Stored]]:
    """Every image's completions in order; plain values, since a frame of each image's own takes kilobytes."""
    found: dict[str, list[Stored]] = {str(key): [] for key in index["key"]}
    columns = (index[name].tolist() for name in ("key", "k", "sha256", "piece"))
    for key, k, sha256, piece in zip(*columns, strict=True):
        found[str(key)].append(Stored(int(k), sha256, piece))
    return {key: sorted(stored) for key, stored in found.items()}


def finished(samples: Path) -> list[Path]:
    """The folders of all finished stores below a folder of samples (or of one method's), sorted."""
    found = (path for name in (DESCRIPTION, OLDER) for path in samples.rglob(name))
    return sorted({path.parent for path in found if not _hidden(path, samples)})


def is_finished(place: Path) -> bool:
    """Whether a finished store lies there, its description and tables whole."""
    try:
        SampleStore.open(place)
    except UserError:
        return False
    return True


def fingerprint(place: Path) -> str | None:
    """What the store that lies there says that it is of; None where none does."""
    try:
        return describe(place).get("fingerprint")
    except (OSError, UserError):
        return None


def describe(place: Path) -> dict[str, Any]:
    """What a finished store tells of its samples; OSError where there is none, UserError where that is damaged."""
    path = place / OLDER if (place / OLDER).is_file() else place / DESCRIPTION
    try:
        return translated(dict(json.loads(path.read_bytes())))
    except (ValueError, TypeError) as error:
        raise UserError(f"{path}: damaged; run `plurifill sample` to have it made again") from error


def translated(description: Mapping[str, Any]) -> dict[str, Any]:
    """A description in today's words, whichever version wrote it."""
    return {RENAMED.get(name, name): value for name, value in description.items()}


def member(key: str, k: int) -> str:
    """A completion's name in its tar."""
    return f"{key}/{k:02d}.png"


def _side(place: Path, keys: Iterable[str]) -> dict[str, str]:
    """Digests of the images' side pictures by their paths in the store."""
    found = (path for key in keys for path in visible(place / SIDE / key, "*.png"))
    return {path.relative_to(place).as_posix(): of_file(path) for path in found}


def _hidden(path: Path, below: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(below).parts)


def _tar(pictures: Sequence[tuple[Completion, bytes]]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:  # no times or owners: the same bytes for the same pictures
        for entry, data in pictures:
            info = tarfile.TarInfo(member(entry.key, entry.k))
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return buffer.getvalue()
