"""A pass: a test set's images with their completions, shown once to all metrics that judge the same pixels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from stages.images.pixels import composite, to_float
from stages.metrics.core.batch import EvalBatch
from stages.metrics.core.contract import MetricContext
from stages.metrics.core.lookup import PACKAGE, module
from stages.project import code, plugins, weights
from stages.project.hashing import of_values
from stages.sampling.sampler import chunks
from stages.sampling.store import Samples
from stages.sampling.testsets import TestSet

COMPLETIONS = 64  # in a batch: bounds memory, whatever K is; no score depends on it
# on a CPU, where VGG judges: pixels a batch. Its vectors of more are blocks over 32 MB, which the C library maps anew
# each time, and the system fills page by page: a quarter of the time
VGG_PIXELS = 16 * 64 * 64
CODE = ("stages.evaluation.passes", "stages.evaluation.evaluator")  # what metrics are shown by
ROOMS = (PACKAGE, "stages.images.pixels")  # what their numbers depend on beside their own files
Piece = Sequence[tuple[str, int]]  # images that are shown together: keys, and positions in the dataset


@dataclass(frozen=True)
class Pass:
    """Finished samples under the metrics of `names`, composited or raw."""

    finished: Samples
    testset: TestSet
    composited: bool
    names: Sequence[str]
    context: MetricContext

    def pieces(self) -> list[Piece]:
        """All images in order: those whose completions go together in a batch, or one alone."""
        positions = dict(zip(self.testset.keys, self.testset.chosen, strict=True))
        images = [(key, positions[key]) for key in self.finished.keys]
        return list(chunks(images, max(1, self.together // self.testset.params.samples)))

    @property
    def together(self) -> int:
        """Completions in a batch."""
        if self.context.device.type == "cpu" and "vgg16" in {module(name).needs(name) for name in self.names}:
            return min(COMPLETIONS, max(1, VGG_PIXELS // self.testset.dataset.spec.size**2))
        return COMPLETIONS

    def batches(self, piece: Piece) -> Iterator[EvalBatch]:
        """A piece's images with all their completions: one batch, or several of an image that has many."""
        device, total = self.context.device, self.testset.params.samples
        image_BCHW = to_float(np.stack([self.testset.dataset.image(position) for _, position in piece])).to(device)
        hole_BHW = np.stack([self.testset.masks.hole(key) for key, _ in piece])
        known_B1HW = torch.from_numpy(~hole_BHW)[:, None].to(device, torch.float32)
        raw_BKHWC = np.stack([self.finished.raw_KHWC(key) for key, _ in piece])
        for first in range(0, total, self.together):
            some_BKHWC = raw_BKHWC[:, first : first + self.together]
            raw_RCHW = to_float(some_BKHWC.reshape(-1, *some_BKHWC.shape[2:])).to(device)
            raw_BKCHW = judged_BKCHW = raw_RCHW.unflatten(0, some_BKHWC.shape[:2])
            if self.composited:
                judged_BKCHW = composite(raw_BKCHW, image_BCHW[:, None], known_B1HW[:, None])
            yield EvalBatch(image_BCHW, known_B1HW, raw_BKCHW, judged_BKCHW, first, total)

    def fingerprint(self) -> str:
        """Of all that what it shows and what metrics tell of that depend on, the code included."""
        learnt = self.context.training_images
        return of_values(
            {
                **self.testset.identity(),
                "samples": self.finished.digest,
                "composited": self.composited,
                "metrics": list(self.names),
                "weights": digests(self.names),
                "learnt": learnt.place.name if learnt else "",
                "code": code.digest(*CODE, *(f"{PACKAGE}.{name}" for name in plugins.names(PACKAGE)), rooms=ROOMS),
            }
        )


def digests(names: Sequence[str]) -> dict[str, str]:
    """The digest of every network that the metrics need, by network; "absent" where it cannot be had."""
    needed = {module(name).needs(name) for name in names}
    return {network: weights.digest(network) for network in sorted(network for network in needed if network)}
