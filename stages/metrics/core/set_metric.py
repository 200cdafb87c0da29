"""Set-level metrics: features of all images and completions are collected, then compared set by set.

The real images' features are kept on disk by content.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Generic, TypeVar
from zipfile import BadZipFile

import numpy as np
import torch
from torch import Tensor

from stages.metrics.core.backbones import backbone, completions
from stages.metrics.core.batch import EvalBatch
from stages.metrics.core.contract import MetricContext
from stages.project import weights
from stages.project.files import atomic
from stages.project.progress import tell

Statistics = TypeVar("Statistics")


class FeatureCollector:
    """Sees every batch; then gives real_ND and fake_NKD, images in the order in which they were seen."""

    def __init__(self, network: str, context: MetricContext) -> None:
        self.network, self.net = network, backbone(network, context.device)
        self.path = context.real / f"{network}-{weights.digest(network)}.npz" if context.real else None
        self.kept = load(self.path) if self.path else None
        self.real: list[Tensor] = []
        self.parts: list[Tensor] = []
        self.fake: list[Tensor] = []

    def see(self, batch: EvalBatch) -> None:
        """Take in a batch's features."""
        if batch.first == 0 and self.kept is None:
            self.real.append(self.net(batch.image_BCHW).cpu())
        self.parts.append(completions(batch, self.network).cpu())
        if batch.ends:
            self.fake.append(torch.cat(self.parts, dim=1))
            self.parts = []

    def real_ND(self) -> Tensor:
        """The real images' features, computed once for all methods."""
        if self.kept is None:
            self.kept = torch.cat(self.real)
            if self.path:
                save(self.path, self.kept)
        return self.kept

    def fake_NKD(self) -> Tensor:
        """The completions' features."""
        self.fake = [torch.cat(self.fake)]
        return self.fake[0]


class SetComparison(Generic[Statistics]):
    """Collects, then compares the real images with each set of one completion an image; the means over these sets.

    So a number's bias depends on the images' count, and never on the samples'. `statistics` of the real features
    are taken once for all sets; `compare` gives numbers by name from them and a set's features (N, D).
    """

    def __init__(
        self,
        features: FeatureCollector,
        statistics: Callable[[Tensor], Statistics],
        compare: Callable[[Statistics, Tensor], Mapping[str, float]],
    ) -> None:
        self.features, self.statistics, self.compare = features, statistics, compare

    def __call__(self, batch: EvalBatch) -> Mapping[str, Tensor]:
        self.features.see(batch)
        return {}

    def whole(self, sets_SN: Tensor) -> Mapping[str, float]:
        """Each row of `sets` names one completion an image."""
        return self._on(torch.arange(sets_SN.shape[1]), sets_SN)

    def _on(self, images_M: Tensor, sets_SN: Tensor) -> Mapping[str, float]:
        real, fake_NKD = self.statistics(self.features.real_ND()[images_M]), self.features.fake_NKD()
        told = [self.compare(real, fake_NKD[images_M, set_N[images_M]]) for set_N in sets_SN]
        return {name: sum(one[name] for one in told) / len(told) for name in told[0]}


class SubsetComparison(SetComparison[Statistics]):
    """The same for a number that some of the images have, too: it is given with an interval."""

    def among(self, images_M: Tensor, sets_SN: Tensor) -> Mapping[str, float]:
        """The numbers on the images of these positions alone."""
        return self._on(images_M, sets_SN)


def load(path: Path) -> Tensor | None:
    """Features that `save` left; None where there are none, or they are damaged."""
    try:
        with np.load(path) as arrays:
            return torch.from_numpy(arrays["features"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, EOFError, KeyError, BadZipFile):
        tell(f"WARNING: {path} is damaged; the features are computed again")
        return None


def save(path: Path, features_ND: Tensor) -> None:
    """Features as a file that is there whole or not at all: a zip, which has checksums."""
    with atomic(path) as part:
        np.savez(part, features=features_ND.numpy())
