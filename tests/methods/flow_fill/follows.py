"""Does a transfer follow its target? `python -m tests.methods.flow_fill.follows [DATASET]`, on trained parts.

100 pairs of test images under the centre half hole: the filled hole's LPIPS and colour distance to the chosen target's,
against those to another image's, paired. Prints both means and the p of a paired t test; writes a grid of the first.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from scipy.stats import ttest_rel
from torch import Tensor

from stages.contract import Request, Transfers
from stages.images import masks
from stages.images.dataset import Dataset
from stages.images.files import write_png
from stages.images.pixels import blank, composite, to_float, to_uint8
from stages.metrics.core import lpips_network
from stages.project import params, paths
from stages.project.entries import Entry
from stages.sampling import inpainters

PAIRS, SHOWN, ELSEWHERE = 100, 8, 37  # another image: so many places further on
GRID = Path("reports/transfer.png")


def images(name: str) -> Tensor:
    """The first test images (B, 3, H, W)."""
    test = Dataset.open(paths.shards(name), "test")
    return to_float(np.stack([test.image(i) for i in range(min(PAIRS, len(test)))]))


def hole(x_BCHW: Tensor) -> Tensor:
    """The centre half, at the whole's size."""
    side = x_BCHW.shape[-1]
    inner = slice(side // 4, side - side // 4)
    return F.interpolate(x_BCHW[..., inner, inner], size=side, mode="bilinear", align_corners=False)


def colour(x_BCHW: Tensor, other_BCHW: Tensor) -> Tensor:
    """Distance of the holes' mean colours, in grey levels."""
    return 127.5 * (x_BCHW.mean((2, 3)) - other_BCHW.mean((2, 3))).norm(dim=1)


def main(name: str = "") -> None:
    """Transfer, measure, print, draw."""
    values = params.read()
    source_BCHW = images(name or values["data"]["dataset"])
    target_BCHW, other_BCHW = source_BCHW.roll(1, 0), source_BCHW.roll(ELSEWHERE, 0)
    hole_HW = masks.generator_of({"generator": "box", "side": 0.5}).draw(
        np.random.default_rng(0), source_BCHW.shape[-1]
    )
    known_B1HW = torch.from_numpy(~hole_HW).float().expand(len(source_BCHW), 1, -1, -1)
    inpainter = inpainters.load(values, Entry("flow_fill"), torch.device("cpu"))
    assert isinstance(inpainter, Transfers)
    request = Request(blank(source_BCHW, known_B1HW), known_B1HW, torch.zeros(len(source_BCHW), 1, dtype=torch.int64))
    done_BCHW = composite(inpainter.transfer(request, target_BCHW).raw_BKCHW[:, 0], source_BCHW, known_B1HW)
    distances = {"colour": colour, "lpips_squeeze": lpips_network.distance("squeeze")}
    for figure, distance in distances.items():
        if distance is not None:
            with torch.no_grad():
                chosen_B, random_B = (distance(hole(done_BCHW), hole(x)).numpy() for x in (target_BCHW, other_BCHW))
            p = float(ttest_rel(chosen_B, random_B, alternative="less").pvalue)
            row = {
                "figure": figure,
                "n": len(chosen_B),
                "chosen": float(chosen_B.mean()),
                "random": float(random_B.mean()),
            }
            print(json.dumps({**row, "p": p}))
    rows = [source_BCHW, request.image_BCHW, target_BCHW, done_BCHW]
    grid_HWC = np.concatenate([np.concatenate(list(to_uint8(x[:SHOWN]).numpy()), 1) for x in rows])
    write_png(GRID, grid_HWC)
    print(GRID)


if __name__ == "__main__":
    main(*sys.argv[1:])
