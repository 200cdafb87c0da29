"""Structural similarity (Wang et al. 2004, eq. 13), mean over channels and over windows that lie inside the image.

`ssim_uniform7`: 7x7 uniform window, sample covariance (scikit-image's default; paper 001). `ssim_gaussian11`: 11x11
Gaussian window, sigma 1.5 (the original's; MAT). K1 = 0.01, K2 = 0.03, levels 0..255.
"""

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from stages.contract import UserError
from stages.images.pixels import LEVELS
from stages.metrics.core.batch import EvalBatch
from stages.metrics.core.contract import Better, Default, MetricContext, require_side
from stages.metrics.core.label import Label

NAMES = ("ssim_uniform7", "ssim_gaussian11")
BETTER: Better = "higher"
LABELS = {
    name: Label(f"SSIM {window}", "", "structural similarity to the original", "fidelity", rank=20)
    for name, window in zip(NAMES, ("7×7", "11×11"), strict=True)
}
DEFAULTS = (Default("ssim_uniform7"), Default("ssim_gaussian11"))
C1, C2 = (0.01 * 255.0) ** 2, (0.03 * 255.0) ** 2


def windows() -> dict[str, tuple[Tensor, float]]:
    """By name: the window's profile along one axis (sums to 1) and the covariance's correction."""
    offsets = torch.arange(11.0, dtype=torch.float64) - 5.0
    gaussian = torch.exp(-0.5 * (offsets / 1.5).square())
    return {
        "ssim_uniform7": (torch.full((7,), 1 / 7, dtype=torch.float64), 49 / 48),
        "ssim_gaussian11": (gaussian / gaussian.sum(), 1.0),
    }


class Ssim:
    """SSIM under one window."""

    def __init__(self, name: str, profile_L: Tensor, correction: float, device: torch.device) -> None:
        self.name, self.correction = name, correction
        self.profile_L = profile_L.to(device, torch.float32)
        self.bands: dict[int, Tensor] = {}

    def __call__(self, batch: EvalBatch) -> Mapping[str, Tensor]:
        image_BCHW = batch.image_BCHW * LEVELS
        completions = (batch.judged_BKCHW[:, k] * LEVELS for k in range(batch.judged_BKCHW.shape[1]))
        mean_BCHW, variance_BCHW = self.moments(image_BCHW)
        values = [self.between(image_BCHW, mean_BCHW, variance_BCHW, other_BCHW) for other_BCHW in completions]
        return {self.name: torch.stack(values, dim=1)}

    def moments(self, image_BCHW: Tensor) -> tuple[Tensor, Tensor]:
        """Local mean and variance."""
        mean_BCHW = self.smooth(image_BCHW)
        return mean_BCHW, self.correction * (self.smooth(image_BCHW.square()) - mean_BCHW.square())

    def between(self, image_BCHW: Tensor, mean_BCHW: Tensor, variance_BCHW: Tensor, other_BCHW: Tensor) -> Tensor:
        """Eq. 13 between an image, whose moments are known, and another: (B,)."""
        other_mean_BCHW, other_variance_BCHW = self.moments(other_BCHW)
        product_BCHW = mean_BCHW * other_mean_BCHW
        covariance_BCHW = self.correction * (self.smooth(image_BCHW * other_BCHW) - product_BCHW)
        # levels are centred at 0 inside, so the means, and only they, are shifted back by LEVELS
        light, other_light = mean_BCHW + LEVELS, other_mean_BCHW + LEVELS
        luminance = (2 * light * other_light + C1) / (light.square() + other_light.square() + C1)
        structure = (2 * covariance_BCHW + C2) / (variance_BCHW + other_variance_BCHW + C2)
        return (luminance * structure).mean(dim=(1, 2, 3))

    def smooth(self, image_BCHW: Tensor) -> Tensor:
        """The window's average at every place where it fits: two products, several times as fast as convolutions."""
        rows, columns = (self._band(size) for size in image_BCHW.shape[-2:])
        return rows @ (image_BCHW @ columns.mT)

    def _band(self, size: int) -> Tensor:
        """The profile along a side of `size` pixels: a row for every place where it fits."""
        if size not in self.bands:
            row_L = F.pad(self.profile_L, (0, size - len(self.profile_L)))
            places = size - len(self.profile_L) + 1
            self.bands[size] = torch.stack([row_L.roll(place) for place in range(places)])
        return self.bands[size]


def needs(name: str) -> None:
    """No weights."""


def build(context: MetricContext, name: str) -> Ssim:
    """The metric `ssim_uniform7` or `ssim_gaussian11`; AbsentError for images that are smaller than its window."""
    if name not in windows():
        raise UserError(f"params: metric {name}: write {' or '.join(windows())}")
    profile_L, correction = windows()[name]
    require_side(name, len(profile_L), context)
    return Ssim(name, profile_L, correction, context.device)
