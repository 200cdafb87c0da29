"""A dataset's block of params.yaml."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from stages.contract import Params
from stages.images.encoded import MAX_PIXELS

Share = Annotated[float, Field(ge=0, lt=1)]


class Resize(Params):
    """How an image is brought near its final size, before it is cropped."""

    policy: Literal["shorter", "square", "none"] = "shorter"  # shorter side, both sides, or not at all
    side: int | None = None  # null: the dataset's size. Training only: val and test are resized to the size itself


class Shares(Params):
    """Shares of the training images taken where a source brings no such split, by a seeded hash of the name."""

    val: Share = 0.02
    test: Share = 0.0


class Duplicates(Params):
    """Which training images count as duplicates of a val or test image, and what becomes of them."""

    near: Annotated[int, Field(ge=0, le=16)] | None = 8  # bits of 64 that differ at most (and 16 x 16 thumbnails agree)
    remove: bool = True  # false: listed, and kept
    limit: Share = 0.25  # a larger share of train removed ends the run: splits overlap, or pictures only look alike


class DatasetParams(Params):
    """The keys that every layout has."""

    layout: str
    size: Annotated[int, Field(ge=8)]  # pixels a side
    root: str | None = None  # the source's folder; ~ and $VARIABLES are expanded
    splits: str | None = None  # a split file of yours: csv or parquet (path, split[, source]), or lines PATH SPLIT
    shares: Shares = Shares()
    resize: Resize = Resize()
    crop: Literal["random", "centre"] = "random"  # in training; val and test are cropped at the centre
    flip: Annotated[float, Field(ge=0, le=1)] = 0.5  # probability, in training
    format: Literal["png", "jpg"] = "png"
    quality: Annotated[int, Field(ge=1, le=100)] = 95  # of jpg
    max_pixels: Annotated[int, Field(gt=0)] = MAX_PIXELS  # a larger image is quarantined before it is decoded
    quarantine_limit: Share = 0.01  # a larger share of unusable files ends the run with an error
    duplicates: Duplicates = Duplicates()
    shard_mb: Annotated[float, Field(gt=0)] = 256
    packed_mb: Annotated[float, Field(ge=0)] = 4096  # a split of more pixels is read from its tars
    seed: int = 0
    manifest: str = ""  # a digest of the source's files; written by `plurifill shard --refresh`

    @model_validator(mode="after")
    def _large_enough(self) -> "DatasetParams":
        if self.resize.side is not None and self.resize.side < self.size:
            raise ValueError(f"resize.side {self.resize.side} is smaller than size {self.size}")
        return self
