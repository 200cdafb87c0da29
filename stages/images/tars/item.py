"""An image in a tar made by others, before it is prepared."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from stages.images.pixels import Uint8
from stages.images.sources.item import Item
from stages.images.sources.label_maps import map_of
from stages.images.stored import ByteRange
from stages.images.tars.contents import Sample
from stages.images.tars.copies import Copies, Tar
from stages.images.tars.pictures import picture_of


@dataclass(frozen=True, slots=True, kw_only=True)
class TarItem(Item):
    """`path` is its tar's, for messages alone. Where it `streams`, and is for training, it stays where it is."""

    copies: Copies
    tar: Tar
    image_at: ByteRange
    labels_at: ByteRange
    streams: bool

    def image(self, limit: int) -> Uint8:
        """uint8 RGB (H, W, 3); ValueError tells why it cannot be had."""
        if not self.image_at.length:
            raise ValueError("no image of that key in the tar")
        return picture_of(self.copies.read(self.tar, self.image_at), limit)

    @property
    def stays(self) -> tuple[ByteRange, ByteRange] | None:
        """Where its image and its label map are read in training; None where shards are made of it."""
        return (self.image_at, self.labels_at) if self.streams and self.split == "train" else None

    def stamps(self) -> Iterator[tuple[str, int, int]]:
        """Its places in a tar of that checksum."""
        for at in (self.image_at, self.labels_at):
            yield f"{self.tar.sha256}/{at.offset}", at.length, 0


def tar_items(split: str, tar: Tar, samples: list[Sample], copies: Copies, streams: bool) -> list[TarItem]:
    """Items that are called after the split, the tar and the key."""
    path = Path(tar.url)
    return [
        TarItem(
            name=f"{split}/{path.stem}/{sample.key}",
            split=split,
            root=path,
            file=".",
            labels=partial(_labels, copies, tar, sample.labels) if sample.labels.length else None,
            copies=copies,
            tar=tar,
            image_at=sample.image,
            labels_at=sample.labels,
            streams=streams,
        )
        for sample in samples
    ]


def _labels(copies: Copies, tar: Tar, at: ByteRange) -> Uint8:
    try:
        return map_of(copies.read(tar, at))
    except ValueError as error:
        raise ValueError(f"label map: {error}") from error
