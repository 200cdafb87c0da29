"""Set-level metrics: features of all images and completions, compared set by set.

The real images' features are kept on disk by content.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Generic, TypeVar

import torch
from torch import Tensor

from stages.metrics.core.backbones import backbone, completions
from stages.metrics.core.batch import EvalBatch
from stages.metrics.core.contract import MetricContext
from stages.project import arrays, weights

Statistics = TypeVar("Statistics")


class ImageFeatures:
    """A network's features of images and completions: rows of every batch, then real_ND and fake_NKD of all images."""

    def __init__(self, network: str, context: MetricContext) -> None:
        self.network, self.net = network, backbone(network, context.device)
        self.path = context.real / f"{network}-{weights.digest(network)}.npz" if context.real else None
        self.kept = load(self.path) if self.path else None
        self.real, self.fake = f"{network}_images", f"{network}_completions"
        self.rows = (self.fake,) if self.kept is not None else (self.fake, self.real)
        self.parts: list[Tensor] = []

    def __call__(self, batch: EvalBatch) -> dict[str, Tensor]:
        """The rows of a batch's images, where it is their last one: (B, K, D), and of the images themselves (B, D)."""
        self.parts = [*(self.parts if batch.first else ()), completions(batch, self.network).cpu()]
        if not batch.ends:
            return {}
        told = {self.fake: torch.cat(self.parts, dim=1)}
        if self.real in self.rows:
            told[self.real] = batch.once(self.real, lambda: self.net(batch.image_BCHW)).cpu()
        return told

    def real_ND(self, seen: Mapping[str, Tensor]) -> Tensor:
        """The real images' features, computed once for all methods."""
        if self.kept is None:
            self.kept = seen[self.real]
            if self.path:
                save(self.path, self.kept)
        return self.kept

    def fake_NKD(self, seen: Mapping[str, Tensor]) -> Tensor:
        """The completions' features."""
        return seen[self.fake]


class SetComparison(Generic[Statistics]):
    """Compares the real images with each set of one completion an image; the means over these sets.

    So a number's bias depends on the images' count, and never on the samples'. `statistics` of the real features
    are taken once for all sets; `compare` gives numbers by name from them and a set's features (N, D).
    """

    def __init__(
        self,
        features: ImageFeatures,
        statistics: Callable[[Tensor], Statistics],
        compare: Callable[[Statistics, Tensor], Mapping[str, float]],
    ) -> None:
        self.features, self.statistics, self.compare = features, statistics, compare
        self.rows = features.rows

    def __call__(self, batch: EvalBatch) -> Mapping[str, Tensor]:
        return self.features(batch)

    def whole(self, seen: Mapping[str, Tensor], sets_SN: Tensor) -> Mapping[str, float]:
        """Each set of `sets` names one completion an image."""
        return self._on(seen, torch.arange(sets_SN.shape[1]), sets_SN)

    def _on(self, seen: Mapping[str, Tensor], images_M: Tensor, sets_SN: Tensor) -> Mapping[str, float]:
        real, fake_NKD = self.statistics(self.features.real_ND(seen)[images_M]), self.features.fake_NKD(seen)
        told = [self.compare(real, fake_NKD[images_M, set_N[images_M]]) for set_N in sets_SN]
        return {name: sum(one[name] for one in told) / len(told) for name in told[0]}


class SubsetComparison(SetComparison[Statistics]):
    """The same for a number that some of the images have, too: it is given with an interval."""

    def among(self, seen: Mapping[str, Tensor], images_M: Tensor, sets_SN: Tensor) -> Mapping[str, float]:
        """The numbers on the images of these positions alone."""
        return self._on(seen, images_M, sets_SN)


def load(path: Path) -> Tensor | None:
    """Features that `save` left; None where there are none, or they are damaged."""
    kept = arrays.read(path)
    return torch.from_numpy(kept["features"]) if kept and "features" in kept else None


def save(path: Path, features_ND: Tensor) -> None:
    """Features as a file that is there whole or not at all."""
    arrays.write(path, {"features": features_ND.numpy()})
