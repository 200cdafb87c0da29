"""The whole method at its smallest: 32 px, 4 x 4 structure codes of 16, a few training steps a part."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from stages.contract import Batch, Request, Spec, Trained
from stages.images.pixels import blank
from tests.methods.conftest import PlainTools, mean_square
from tests.methods.small import Small, learn

SPEC = Spec(32)
SMALL: dict[str, dict[str, Any]] = {
    "vq": {"width": 8, "residual_width": 4, "blocks": 1, "codes": 16, "channels": 8, "lr": 3e-3, "restart_after": 2},
    "prior": {
        "hidden": 8,
        "layers": 4,
        "attentions": 2,
        "heads": 2,
        "key_width": 4,
        "value_width": 4,
        "output_layers": 1,
        "condition_width": 4,
        "condition_dilations": [1, 2],
        "stem": 2,
        "lr": 3e-3,
        "warmup_steps": 1,
    },
    "decoder": {"width": 4, "dilations": [2], "discriminator_width": 4, "lpips": 0.1, "lr": 3e-3},
    "inpaint": {},
}


MADE = Small("dsi", SMALL, SPEC)
make_part, release, make_inpainter = MADE.part, MADE.release, MADE.inpainter


def blocks(k: int, count: int = 4, size: int = 32) -> Batch:
    """Random coloured blocks with a box hole in the middle, a function of k."""
    generator = torch.Generator().manual_seed(k)
    image_BCHW = torch.rand(count, 3, 4, 4, generator=generator) * 2 - 1
    image_BCHW = torch.nn.functional.interpolate(image_BCHW, size=size)
    known_B1HW = torch.ones(count, 1, size, size)
    known_B1HW[:, :, size // 4 : -size // 4, size // 4 : -size // 4] = 0
    return Batch(image_BCHW, known_B1HW, tuple(map(str, range(count))), torch.arange(count) + 1000 * k)


def request(k: int = 7, count: int = 4, samples: int = 3) -> Request:
    """Blanked images and seeds."""
    batch = blocks(k, count)
    seeds_BK = torch.arange(count * samples).view(count, samples)
    return Request(blank(batch.image_BCHW, batch.known_B1HW), batch.known_B1HW, seeds_BK)


@pytest.fixture(scope="session")
def family() -> dict[str, Trained]:
    """vq, prior and decoder after a few steps, as released."""
    accelerator, parents = PlainTools(mean_square), {}
    for name, steps in (("vq", 20), ("prior", 10), ("decoder", 3)):
        part = make_part(name, parents, accelerator)
        learn(part, blocks, range(steps))
        parents[name] = release(name, part)
    return parents
