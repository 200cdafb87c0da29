"""A split of which nothing is stored: its images are read out of others' tars, and made to fit as they are read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from threading import Thread
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.contract import UserError
from stages.images.dataset_params import DatasetParams
from stages.images.pixels import Uint8
from stages.images.prepare import fitted, fitted_map
from stages.images.sources.label_maps import map_of
from stages.images.stored import ByteRange
from stages.images.tars.copies import Copies, Tar
from stages.images.tars.pictures import picture_of
from stages.project import paths
from stages.project.hashing import of_values

FITTING = {"layout", "size", "resize", "crop", "max_pixels"}  # params that images depend on
GB = 1e9


def copies_of(cache_gb: float) -> Copies:
    """This project's."""
    return Copies(paths.tars() / "copies", cache_gb * GB)


@dataclass(frozen=True)
class Streamed:
    """The tars of a training split, and how an image of them becomes one of the dataset's.

    An epoch meets them in groups of `group`: where one is drawn from, the next is fetched.
    """

    tars: dict[str, Tar]  # by URL
    copies: Copies
    params: DatasetParams
    group: int
    ahead: list[str] = field(default_factory=list)  # URLs that were last asked for before they are read

    @classmethod
    def of(cls, card: dict[str, Any]) -> Streamed:
        """As `card_of` told."""
        tars = {tar["url"]: Tar(**tar) for tar in card["tars"]}
        return cls(tars, copies_of(card["cache_gb"]), DatasetParams.model_validate(card["params"]), card["group"])

    def hash(self, content: str, tar_N: NDArray[np.int64]) -> str:
        """A digest of the split's content, and of which images lie in a tar, if the order of an epoch hangs on that."""
        if int(tar_N.max()) < self.group:
            return content
        return of_values({"content": content, "group": self.group, "tars": tar_N.tolist()})

    def image(self, at: ByteRange) -> Uint8:
        """uint8 RGB (H, W, 3), as `prepare` makes it; ValueError for damaged bytes."""
        return fitted(self._whole(at), "train", self.params)

    def labels(self, at: ByteRange, image_at: ByteRange) -> Uint8:
        """uint8 classes (H, W) of the image's very pixels."""
        labels_HW = map_of(self.copies.read(self.tars[at.shard], at))
        return fitted_map(labels_HW, self._whole(image_at), "train", self.params)

    def fetch_ahead(self, urls: list[str]) -> None:
        """Fetch tars while others are read; what fails is told by who needs them."""
        if urls != self.ahead:
            self.ahead[:] = urls
            Thread(target=self._fetch, args=(urls,), daemon=True).start()

    def _fetch(self, urls: list[str]) -> None:
        for url in urls:
            try:
                self.copies.opened(self.tars[url]).close()
            except (UserError, OSError):
                return

    def _whole(self, at: ByteRange) -> Uint8:
        return picture_of(self.copies.read(self.tars[at.shard], at), self.params.max_pixels)


def card_of(tars: Iterable[Tar], params: Any) -> dict[str, Any]:
    """What `Streamed.of` must know, as plain values."""
    block = params.model_dump(mode="json", include=FITTING)
    return {"tars": [asdict(tar) for tar in tars], "params": block, "group": params.group, "cache_gb": params.cache_gb}
