"""The whole method at its smallest: 32 px, a prior of 16 px in 2 levels of 2 steps, a few training steps a part."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from stages.contract import Batch, Spec, Trained
from tests.methods.conftest import PlainTools, mean_square
from tests.methods.small import Small, learn

SPEC = Spec(32)
SMALL: dict[str, dict[str, Any]] = {
    "prior": {
        "stage1": 0.5,
        "levels": 2,
        "flow_steps": 2,
        "hidden": 8,
        "condition": 8,
        "width": 4,
        "dilations": [2],
        "stem": 2,
        "lr": 3e-3,
    },
    "decoder": {"width": 4, "blocks": 1, "stem": 2, "discriminator_width": 4, "lpips": 0.1, "lr": 1e-3},
    "inpaint": {},
}


MADE = Small("flow_fill", SMALL, SPEC)
make_part, release, make_inpainter = MADE.part, MADE.release, MADE.inpainter


@pytest.fixture(scope="session")
def family() -> dict[str, Trained]:
    """prior and decoder after 20 and 4 steps on one batch, as released."""
    accelerator, parents = PlainTools(mean_square), {}
    for name, steps in (("prior", 20), ("decoder", 4)):
        part = make_part(name, parents, accelerator)
        learn(part, blocks, range(steps))
        parents[name] = release(name, part)
    return parents


def blocks(k: int, count: int = 4, size: int = 32) -> Batch:
    """Random coloured blocks with a box hole in the middle, a function of k."""
    generator = torch.Generator().manual_seed(k)
    image_BCHW = torch.rand(count, 3, 4, 4, generator=generator) * 2 - 1
    image_BCHW = torch.nn.functional.interpolate(image_BCHW, size=size)
    known_B1HW = torch.ones(count, 1, size, size)
    known_B1HW[:, :, size // 4 : -size // 4, size // 4 : -size // 4] = 0
    return Batch(image_BCHW, known_B1HW, tuple(map(str, range(count))), torch.arange(count) + 1000 * k)
