"""Peak signal-to-noise ratio in dB, peak 255, over the whole image and all channels."""

from collections.abc import Mapping

from torch import Tensor

from stages.metrics.core.batch import EvalBatch
from stages.metrics.core.contract import Better, Default, Metric, MetricContext
from stages.metrics.core.label import Label
from stages.metrics.core.pixel_difference import difference

NAMES = ("psnr",)
BETTER: Better = "higher"
LABELS = {"psnr": Label("PSNR", "dB", "peak signal-to-noise ratio against the original", "fidelity", rank=10)}
DEFAULTS = (Default("psnr"),)


def psnr(batch: EvalBatch) -> Mapping[str, Tensor]:
    """(B, K). An exact copy counts as one grey level in one value, so that no mean is infinite."""
    square_BKCHW = difference(batch).square()
    floor = 1.0 / square_BKCHW[0, 0].numel()
    mse_BK = square_BKCHW.mean(dim=(2, 3, 4)).clamp_min(floor)
    return {"psnr": 10.0 * (255.0**2 / mse_BK).log10()}


def needs(name: str) -> None:
    """No weights."""


def build(context: MetricContext, name: str) -> Metric:
    """The metric `psnr`."""
    return psnr
