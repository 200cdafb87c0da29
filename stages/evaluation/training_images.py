"""The images that a method learnt from, for metrics that compare its completions with them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from torch import Tensor

from stages.images.dataset import Dataset
from stages.images.pixels import Uint8, to_float
from stages.metrics.core.contract import TrainingImages
from stages.project import paths
from stages.project.hashing import of_values

BATCH = 64


def training_images(datasets: Sequence[str]) -> TrainingImages | None:
    """All training images of the datasets, cropped to the centre; None where nothing was learnt, or it is not here."""
    if not datasets or not all(paths.shards(name).is_dir() for name in datasets):
        return None
    opened = [Dataset.open(paths.shards(name), "train") for name in datasets]
    content = of_values({one.name: [one.hash, one.spec.size] for one in opened})
    return TrainingImages(paths.progress("learnt", "+".join(datasets), content), lambda: _batches(opened))


def _batches(datasets: Sequence[Dataset]) -> Iterator[Tensor]:
    for one in datasets:
        for start in range(0, len(one), BATCH):
            some = range(start, min(start + BATCH, len(one)))
            yield to_float(np.stack([_centre(one.image(i), one.spec.size) for i in some]))


def _centre(image_HWC: Uint8, size: int) -> Uint8:
    top, left = ((side - size) // 2 for side in image_HWC.shape[:2])
    return image_HWC[top : top + size, left : left + size]
