"""A dataset as `plurifill shard` left it: images by position, from the packed pixels or out of the tars."""

import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from stages.contract import Spec, UserError
from stages.images.pixels import Uint8
from stages.project import tables

SPLITS = ("train", "val", "test")


@dataclass(frozen=True)
class ByteRange:
    """Where one member's bytes lie: a tar's name, offset and length (length 0: there is no such member)."""

    shard: str
    offset: int
    length: int


@dataclass(frozen=True)
class Dataset:
    """One split. Images are uint8 RGB (H, W, 3): val and test are size x size, train is as resized, not yet cropped.

    `hash` covers keys and pixels of the split; `flip` is the probability of a left-right flip in training.
    """

    folder: Path
    name: str
    split: str
    spec: Spec
    hash: str
    flip: float
    keys: list[str]
    sources: list[str]
    shapes: list[tuple[int, int]]
    images: list[ByteRange]
    maps: list[ByteRange]
    starts: list[int]  # of each image in the packed pixels
    packed: Uint8 | None

    @classmethod
    def open(cls, folder: Path, split: str) -> "Dataset":
        """A split of the dataset in `folder`; UserError where it was not made, or the split is empty."""
        card = read_card(folder)
        frame = tables.read(folder / "index")
        frame = frame[frame["split"] == split]
        if frame.empty:
            raise UserError(f"{folder}: no {split} images; its splits: {card['counts']}")
        shapes = list(zip(frame["height"].tolist(), frame["width"].tolist(), strict=True))
        ends = np.cumsum([3 * height * width for height, width in shapes])
        shards = frame["shard"].tolist()
        return cls(
            folder=folder,
            name=card["name"],
            split=split,
            spec=Spec(card["size"], card["classes"]),
            hash=card["splits"][split],
            flip=card["flip"],
            keys=frame["key"].astype(str).tolist(),
            sources=frame["source"].astype(str).tolist(),
            shapes=shapes,
            images=_ranges(shards, frame["offset"].tolist(), frame["length"].tolist()),
            maps=_ranges(shards, frame["labels_offset"].tolist(), frame["labels_length"].tolist()),
            starts=[0, *ends.tolist()],
            packed=_packed(folder, split, int(ends[-1])),
        )

    def __len__(self) -> int:
        return len(self.keys)

    def image(self, index: int) -> Uint8:
        """uint8 RGB (H, W, 3), as stored."""
        if self.packed is None:
            return decode(self._member(self.images[index]))
        flat = self.packed[self.starts[index] : self.starts[index + 1]]
        return np.asarray(flat).reshape(*self.shapes[index], 3)

    def labels(self, index: int) -> Uint8 | None:
        """uint8 classes (H, W) of the image's very pixels; None where the data has no label maps."""
        if not self.maps[index].length:
            return None
        data = np.frombuffer(self._member(self.maps[index]), dtype=np.uint8)
        return np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), dtype=np.uint8)

    def _member(self, member: ByteRange) -> bytes:
        with (self.folder / member.shard).open("rb") as tar:
            tar.seek(member.offset)
            return tar.read(member.length)


def read_card(folder: Path) -> dict:
    """dataset.json: name, size, classes, counts, split hashes, fingerprint, manifest; UserError where it is missing."""
    path = folder / "dataset.json"
    if not path.is_file():
        raise UserError(f"{path}: no such dataset; make it by `plurifill shard {folder.name}` (or dvc repro)")
    return json.loads(path.read_text())


def packed_path(folder: Path, split: str) -> Path:
    """The split's pixels one after the other, in the index's order."""
    return folder / f"packed-{split}.bin"


def decode(data: bytes) -> Uint8:
    """A stored member (PNG or JPEG) as uint8 RGB (H, W, 3)."""
    if data[:2] == b"\xff\xd8":
        import simplejpeg  # here, since datasets stored as PNG do without it

        return simplejpeg.decode_jpeg(data, colorspace="RGB")
    bgr_HWC = np.asarray(cv2.imdecode(np.frombuffer(data, dtype=np.uint8), cv2.IMREAD_COLOR), dtype=np.uint8)
    return np.ascontiguousarray(bgr_HWC[..., ::-1])


def _packed(folder: Path, split: str, expected: int) -> Uint8 | None:
    path = packed_path(folder, split)
    if not path.is_file():
        return None
    if path.stat().st_size != expected:
        raise UserError(f"{path}: {path.stat().st_size} bytes where {expected} were written; run plurifill shard again")
    return np.memmap(path, dtype=np.uint8, mode="r")


def _ranges(shards: list[str], offsets: list[int], lengths: list[int]) -> list[ByteRange]:
    return [ByteRange(*row) for row in zip(shards, offsets, lengths, strict=True)]
