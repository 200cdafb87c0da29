"""Inpainting whose posterior is known: a Gaussian field, a square of it missing; samplers that are exact, and not.

`python -m tests.metrics.known_posterior [--experiments 200]` prints how often each is called what, by n, in pixels.
"""

import argparse
from collections import Counter
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch.linalg import cholesky

from stages.evaluation import calibration
from stages.evaluation.calibration import Ranks
from stages.metrics.calibration import Calibration
from stages.metrics.core.batch import EvalBatch
from stages.metrics.core.contract import Metric

SIDE, SPAN = 16, 2.0  # pixels: of the field, and over which it is correlated
DEVIATION = 0.2  # of a pixel, in [-1, 1]: clipping would be at five of them
SAMPLERS = {  # posterior's standard deviation times scale, about its mean plus shift standard deviations
    "exact": (1.0, 0.0),
    "shrunken": (0.8, 0.0),
    "widened": (1.25, 0.0),
    "shifted": (1.0, 0.5),
}


def batch(images: int, samples: int, sampler: str, seed: int, side: int = SIDE) -> EvalBatch:
    """Fields, the middle quarter of each missing, and a sampler's completions of them."""
    scale, shift = SAMPLERS[sampler]
    source = torch.Generator().manual_seed(seed)
    field_PP, hole_P = covariance(side), hole(side).flatten()
    image_BCP = torch.randn(images, 3, side**2, generator=source, dtype=torch.float64) @ cholesky(field_PP).mT
    gain_HK = torch.linalg.solve(field_PP[~hole_P][:, ~hole_P], field_PP[~hole_P][:, hole_P]).mT
    posterior_HH = field_PP[hole_P][:, hole_P] - gain_HK @ field_PP[~hole_P][:, hole_P]
    sizes = images, samples, 3, int(hole_P.sum())
    noise_BKCH = torch.randn(sizes, generator=source, dtype=torch.float64) @ cholesky(posterior_HH).mT
    raw_BKCP = image_BCP[:, None].repeat(1, samples, 1, 1)
    centre_BCH = image_BCP[..., ~hole_P] @ gain_HK.mT + shift * posterior_HH.diagonal().sqrt()
    raw_BKCP[..., hole_P] = centre_BCH[:, None] + scale * noise_BKCH
    known_B1HW = (~hole(side)).expand(images, 1, side, side).float()
    image_BCHW, raw_BKCHW = (x.float().unflatten(-1, (side, side)) * DEVIATION for x in (image_BCP, raw_BKCP))
    return EvalBatch(image_BCHW, known_B1HW, raw_BKCHW, raw_BKCHW, 0, samples)


def covariance(side: int) -> Tensor:
    """Of a field of unit variance; correlated as a Gaussian of SPAN pixels."""
    at_P2 = torch.cartesian_prod(torch.arange(side), torch.arange(side)).double()
    return torch.exp(-torch.cdist(at_P2, at_P2).square() / (2 * SPAN**2)) + 1e-4 * torch.eye(
        side**2, dtype=torch.float64
    )


def hole(side: int) -> Tensor:
    """(side, side): True in the middle."""
    hole_HW = torch.zeros(side, side, dtype=torch.bool)
    hole_HW[side // 4 : -side // 4, side // 4 : -side // 4] = True
    return hole_HW


def ranks(metric: Callable[[], Metric], images: int, samples: int, sampler: str, seed: int, side: int = SIDE) -> Ranks:
    """What a metric of ranks gives; every image is of a photograph of its own."""
    (value_BK,) = metric()(batch(images, samples, sampler, seed, side)).values()
    return Ranks(value_BK.double().numpy(), tuple(map(str, range(images))))


def told(found: Ranks) -> str:
    """In a word."""
    return calibration.word(found.p(), found.mean().estimate, found.photographs)


def main(experiments: int) -> None:
    """A line a sampler and n: the median p, and how often it is called what."""
    print("sampler    images samples  median p  called")
    for sampler in SAMPLERS:
        for images, samples in ((50, 8), (50, 16), (200, 8), (200, 16)):
            found = [ranks(pixels, images, samples, sampler, seed) for seed in range(experiments)]
            counts = Counter(told(one) for one in found)
            words = ", ".join(f"{word} {count / experiments:.1%}" for word, count in counts.most_common())
            print(f"{sampler:10} {images:6} {samples:7}  {np.median([one.p() for one in found]):8.2g}  {words}")


def pixels() -> Calibration:
    """The metric of ranks in the hole's pixels."""
    return Calibration("calibration_pixel")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--experiments", type=int, default=200)
    main(parser.parse_args().experiments)
