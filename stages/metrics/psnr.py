"""Peak signal-to-noise ratio in dB, peak 255, over the whole image and all channels."""

from collections.abc import Mapping

from torch import Tensor

from stages.metrics.reconstruction import difference
from stages.metrics.view import Axes, Metric, View

BETTER = "higher"


def psnr(view: View) -> Mapping[str, Tensor]:
    """(B, K). An exact copy counts as one grey level in one value, so that no mean is infinite."""
    square_BKCHW = difference(view).square()
    floor = 1.0 / square_BKCHW[0, 0].numel()
    mse_BK = square_BKCHW.mean(dim=(2, 3, 4)).clamp_min(floor)
    return {"psnr": 10.0 * (255.0**2 / mse_BK).log10()}


def build(axes: Axes, name: str) -> Metric:
    """The metric `psnr`."""
    return psnr
