"""A dataset as `plurifill shard` left it: images by position, from the packed pixels or out of the tars."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from stages.contract import Spec, UserError
from stages.images.appearance import sha256_of
from stages.images.columns import Ranges, Rows, Texts
from stages.images.pixels import Bool, Uint8
from stages.images.stored import ByteRange, decode, decode_map
from stages.images.tars.streamed import Streamed
from stages.project import tables
from stages.project.hashing import of_folder

SPLITS = ("train", "val", "test")
CARD = "dataset.json"


@dataclass(frozen=True)
class Dataset:
    """One split. Images are uint8 RGB (H, W, 3): val and test are size x size, train is as resized, not yet cropped.

    `hash` covers keys and pixels of the split, of a streamed one also what its order hangs on; `flip` is the
    probability of a left-right flip in training.
    What is read is held against its checksum once: UserError where it is not what was stored, or is gone.
    """

    folder: Path
    name: str
    split: str
    spec: Spec
    hash: str
    flip: float
    keys: Texts
    sources: Texts
    shape_N2: NDArray[np.int64]  # height, width
    images: Ranges
    maps: Ranges
    starts: NDArray[np.int64]  # of each image in the packed pixels
    packed: Uint8 | None
    sha256: dict[str, Texts]  # of pixels: of "images" and of "maps"
    whole: dict[str, Bool]  # which of these were checked, (N,)
    streamed: Streamed | None = None  # a split that is not stored: it is read out of others' tars

    @classmethod
    def open(cls, folder: Path, split: str) -> "Dataset":
        """A split of the dataset in `folder`; UserError where it was not made, or the split is empty."""
        card = read_card(folder)
        if not card["counts"].get(split):
            raise UserError(f"{folder}: no {split} images; its splits: {card['counts']}")
        rows = Rows.read(folder / "index", split)
        if (found := len(rows.texts["key"])) != card["counts"][split]:  # where rows lie has no checksum of its own
            were = f"{found} {split} images where {card['counts'][split]} were written"
            raise _damaged(folder, f"{folder / 'index'}{tables.ENDING}: {were}")
        shape_N2 = np.stack([rows.numbers("height"), rows.numbers("width")], axis=1)
        starts = np.concatenate([[0], np.cumsum(3 * shape_N2.prod(axis=1))])
        images = rows.ranges()
        streamed = Streamed.of(card["streamed"]) if split == "train" and "streamed" in card else None
        return cls(
            folder=folder,
            name=card["name"],
            split=split,
            spec=Spec(card["size"], card["classes"]),
            hash=streamed.hash(card["splits"][split], images.tar_N) if streamed else card["splits"][split],
            flip=card["flip"],
            keys=rows.texts["key"],
            sources=rows.texts["source"],
            shape_N2=shape_N2,
            images=images,
            maps=rows.ranges("labels_"),
            starts=starts,
            packed=_packed(folder, split, int(starts[-1])),
            sha256={"images": rows.texts["sha256"], "maps": rows.texts["labels_sha256"]},
            whole={kind: np.zeros(len(shape_N2), dtype=np.bool_) for kind in ("images", "maps")},
            streamed=streamed,
        )

    def __len__(self) -> int:
        return len(self.keys)

    def image(self, index: int) -> Uint8:
        """uint8 RGB (H, W, 3), as stored."""
        if self.packed is None:
            return self._checked("images", index, _decoded(lambda: self._image(self.images[index])))
        flat = self.packed[self.starts[index] : self.starts[index + 1]]
        return self._checked("images", index, np.asarray(flat).reshape(*self.shape_N2[index], 3))

    def labels(self, index: int) -> Uint8 | None:
        """uint8 classes (H, W) of the image's very pixels; None where the data has no label maps."""
        if not self.maps[index].length:
            return None
        return self._checked("maps", index, _decoded(lambda: self._labels(self.maps[index], self.images[index])))

    def _image(self, at: ByteRange) -> Uint8:
        return self.streamed.image(at) if self.streamed else decode(self._member(at))

    def _labels(self, at: ByteRange, image_at: ByteRange) -> Uint8:
        return self.streamed.labels(at, image_at) if self.streamed else decode_map(self._member(at))

    def _member(self, member: ByteRange) -> bytes:
        try:
            with (self.folder / member.shard).open("rb") as tar:
                tar.seek(member.offset)
                return tar.read(member.length)
        except FileNotFoundError as error:
            raise _damaged(self.folder, f"{self.folder / member.shard}: gone") from error

    def _checked(self, kind: str, index: int, image: Uint8 | None) -> Uint8:
        """The image or map as it is, if it is what was stored; None where nothing could be decoded."""
        if not self.whole[kind][index]:
            if image is None or sha256_of(image) != self.sha256[kind][index]:
                raise _damaged(self.folder, f"{self._place(kind, index)}: {self.keys[index]} is not what was stored")
            self.whole[kind][index] = True
        assert image is not None
        return image

    def _place(self, kind: str, index: int) -> Path | str:
        """The file, or the URL, that an image or map is read from."""
        if kind == "images" and self.packed is not None:
            return packed_path(self.folder, self.split)
        shard = self.images[index].shard
        return shard if self.streamed else self.folder / shard


def read_card(folder: Path) -> dict:
    """dataset.json: name, size, classes, counts, split hashes, fingerprint, manifest; UserError: missing, damaged."""
    path = folder / CARD
    if not path.is_file():
        raise UserError(f"{path}: no such dataset; make it by `plurifill shard {folder.name}` (or dvc repro)")
    try:
        return json.loads(path.read_bytes())
    except ValueError as error:
        raise _damaged(folder, f"{path}: damaged") from error


def is_whole(folder: Path) -> bool:
    """Whether a dataset lies there, and every file of it is the one that was written."""
    try:
        card = read_card(folder)
    except UserError:
        return False
    return card.get("files") == {name: digest for name, digest in of_folder(folder).items() if name != CARD}


def packed_path(folder: Path, split: str) -> Path:
    """The split's pixels one after the other, in the index's order."""
    return folder / f"packed-{split}.bin"


def _decoded(read: Callable[[], Uint8]) -> Uint8 | None:
    """What `read` gives; None for damaged bytes, which decoders refuse in ways of their own."""
    try:
        return read()
    except (ValueError, TypeError, cv2.error):
        return None


def _damaged(folder: Path, what: str) -> UserError:
    return UserError(f"{what}; make the dataset anew by `plurifill shard {folder.name}` (or dvc repro)")


def _packed(folder: Path, split: str, expected: int) -> Uint8 | None:
    path = packed_path(folder, split)
    if not path.is_file():
        return None
    if path.stat().st_size != expected:
        raise _damaged(folder, f"{path}: {path.stat().st_size} bytes where {expected} were written")
    return np.memmap(path, dtype=np.uint8, mode="r")
