"""Where a dataset's images come from: what the masks that belong to them are named and laid out after."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np

from stages.contract import UserError
from stages.images.dataset_params import DatasetParams
from stages.images.layouts import layout
from stages.images.pixels import Bool
from stages.images.prepare import crop, resize, stored_size
from stages.images.sources.item import Item
from stages.project import tables


@dataclass(frozen=True)
class Source:
    """The source of a split of the dataset that lies in `folder`."""

    folder: Path
    params: DatasetParams
    split: str

    def name(self, key: str) -> Path:
        """The file, relative to the source's root, of the image with that key."""
        return Path(self._names[key])

    def fit(self, hole_HW: Bool, key: str) -> Bool:
        """A mask file's hole_HW as the image was resized and cropped, (size, size).

        A mask of the size itself is of the stored image, and so is any square one unless nothing is resized. Any
        other must have the shape of the image in the source; UserError where it has not.
        """
        size, (height, width) = self.params.size, hole_HW.shape
        if (height, width) == (size, size):
            return hole_HW
        if height != width or self.params.resize.policy == "none":
            self._refuse_another_shape(height, width, key)
        mask_HW = hole_HW.astype(np.uint8)
        resized_HW = resize(mask_HW, stored_size(mask_HW, "test", self.params), cv2.INTER_NEAREST)
        return np.ascontiguousarray(crop(resized_HW, size)).view(np.bool_)

    def _refuse_another_shape(self, height: int, width: int, key: str) -> None:
        """A mask may be larger or smaller than its image where images are resized."""
        tall, wide = self._items[self._names[key]].image(self.params.max_pixels).shape[:2]
        scaled = self.params.resize.policy != "none" and abs(width * tall - height * wide) <= max(tall, wide)
        if (height, width) != (tall, wide) and not scaled:
            shapes = f"the mask has {width} x {height} pixels, its image {wide} x {tall}"
            raise UserError(f"{self._names[key]}: {shapes}; give a mask of the image's shape")

    @cached_property
    def _names(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for frame in tables.read_pieces(self.folder / "index", ("split", "key", "name")):
            own = frame[frame["split"] == self.split].astype(str)
            found |= dict(zip(own["key"], own["name"], strict=True))
        return found

    @cached_property
    def _items(self) -> dict[str, Item]:
        items = layout(self.params.layout).items(self.params)
        return {item.name: item for item in items if item.split == self.split}
