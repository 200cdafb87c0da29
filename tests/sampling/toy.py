"""A project small enough for a test: one folder of pictures, its shards, two test sets, the classical method."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from ruamel.yaml import YAML
from torch import Tensor

from stages import shard
from stages.contract import Completions, Request
from stages.images.files import write_png

SIZE, IMAGES = 64, 12
VARIANTS = {"mean": {}, "telea": {"algorithm": "telea"}}
METRICS = ["psnr", "ssim_uniform7", "l1", "known_error", "diversity_pixel", "collapsed"]


def params(root: Path) -> dict[str, Any]:
    """params.yaml of the toy project."""
    return {
        "data": {"dataset": "toy"},
        "datasets": {"toy": {"layout": "folder", "root": str(root / "pictures"), "size": SIZE}},
        "masks": {"centre": {"generator": "box", "side": 0.5}},
        "methods": {"classical": {"inpaint": {"algorithm": "mean", "radius": 3.0, "variants": VARIANTS}}},
        "testsets": {
            "centre": {"masks": "centre", "samples": 3},
            "few": {"masks": "centre", "images": 4, "samples": 2},
        },
        "protocols": {
            "centre": {"testset": "centre", "composite": True, "selection": "all", "metrics": METRICS},
            "raw": {"testset": "centre", "composite": False, "selection": "first", "metrics": ["psnr", "l1"]},
            "few": {"testset": "few", "composite": True, "selection": "best_of_k", "metrics": ["psnr", "fd_alexnet"]},
        },
    }


def write_params(root: Path, values: Mapping[str, Any]) -> None:
    """The values as params.yaml of the project in `root`."""
    with (root / "params.yaml").open("w") as file:
        YAML().dump(dict(values), file)


def make(root: Path) -> Path:
    """The project in `root`, its dataset and masks made."""
    rng = np.random.default_rng(0)
    for number in range(IMAGES):
        coarse_HWC = rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)
        write_png(root / "pictures" / "test" / f"{number:02d}.png", coarse_HWC.repeat(8, axis=0).repeat(8, axis=1))
    write_params(root, params(root))
    with inside(root):
        shard.main(["toy"])
    return root


@contextmanager
def inside(root: Path) -> Iterator[None]:
    """Run in the project's folder, with its data and reports in it."""
    before, names = Path.cwd(), ("PLURIFILL_DATA", "PLURIFILL_REPORTS")
    kept = {name: os.environ.pop(name, None) for name in names}
    os.chdir(root)
    try:
        yield
    finally:
        os.chdir(before)
        os.environ.update({name: value for name, value in kept.items() if value is not None})


class Noise:
    """An inpainter whose sample is noise of its own seed around the image; counts its calls."""

    def __init__(self) -> None:
        self.calls = 0

    def sample(self, request: Request) -> Completions:
        """Each completion from its seed alone."""
        self.calls += 1
        size = request.image_BCHW.shape[1:]
        sources = [torch.Generator().manual_seed(seed) for seed in request.seeds_BK.flatten().tolist()]
        drawn = [torch.rand(size, generator=source) for source in sources]
        noise_BKCHW = torch.stack(drawn).unflatten(0, request.seeds_BK.shape)
        raw_BKCHW = (request.image_BCHW[:, None] * 0.5 + noise_BKCHW - 0.5).clamp(-1, 1)
        side = {"known": request.known_B1HW[:, 0] > 0, "noise": noise_BKCHW * 2 - 1}
        return Completions(raw_BKCHW, side, {"noise": 0.25})


class Structured(Noise):
    """Noise after structure codes (B, K, 4, 4) of 16 kinds, each completion's from its seed alone.

    The first `pictured` samples' structures are side pictures; the completion of the seed `odd` has one other code.
    """

    def __init__(self, pictured: int = 0, odd: int | None = None) -> None:
        super().__init__()
        self.pictured, self.odd = pictured, odd

    def sample(self, request: Request) -> Completions:
        """Noise's pixels, and what was drawn before them."""
        codes_RHW = torch.stack([codes(seed, seed == self.odd) for seed in request.seeds_BK.flatten().tolist()])
        codes_BKHW = codes_RHW.unflatten(0, request.seeds_BK.shape)
        names = ["structure", *(f"structure-{k:02d}" for k in range(1, self.pictured))][: self.pictured]
        side = {name: structure(codes_BKHW[:, k]) for k, name in enumerate(names)}
        return Completions(super().sample(request).raw_BKCHW, side, latents={"structures": codes_BKHW})


def codes(seed: int, odd: bool = False) -> Tensor:
    """Structure codes (4, 4) of a seed; `odd`: one of them is another."""
    codes_HW = torch.randint(0, 16, (4, 4), generator=torch.Generator().manual_seed(seed))
    codes_HW[2, 1] += odd
    return codes_HW


def structure(codes_BHW: Tensor) -> Tensor:
    """Codes as a picture (B, 3, H, W) in [-1, 1]."""
    return (codes_BHW[:, None] / 8 - 1).expand(-1, 3, -1, -1)
