"""The generator at its smallest, 16 px, and the whole method as `whole.py` has it."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from stages.contract import Spec, Trained
from stages.methods.mm_invertfill.blocks.generator import Generator, Sizes
from stages.methods.mm_invertfill.prior import PriorPart
from tests.methods.conftest import PlainTools
from tests.methods.mm_invertfill.whole import LABELLED, PLAIN, WIDTHS, born
from tests.methods.small import Small

SPEC = Spec(16)
SMALL: dict[str, dict[str, Any]] = {"prior": {**WIDTHS, "r1_every": 2, "path_every": 3, "augment": 0.6}}
MADE = Small("mm_invertfill", SMALL, SPEC)


def generator(size: int = SPEC.size, strength: float = 0.0) -> Generator:
    """A generator, its noise of one strength in all layers; weights are a function of its size."""
    torch.manual_seed(0)
    net = Generator(Sizes(**WIDTHS), Spec(size))
    for name, parameter in net.named_parameters():
        if name.endswith("strength"):
            torch.nn.init.constant_(parameter, strength)
    return net


def styles(net: Generator, count: int = 2, seed: int = 1) -> torch.Tensor:
    """Random styles, another for every layer."""
    return torch.randn(count, net.layers, net.latent, generator=torch.Generator().manual_seed(seed))


def noise(net: Generator, count: int = 2, seed: int = 2) -> list[torch.Tensor]:
    """Noise maps."""
    draw = torch.Generator().manual_seed(seed)
    return [torch.randn(count, 1, side, side, generator=draw) for side in net.noise_sides]


def images(count: int = 4, size: int = SPEC.size) -> torch.Tensor:
    """Random pictures in [-1, 1]."""
    return torch.rand(count, 3, size, size, generator=torch.Generator().manual_seed(0)) * 2 - 1


@pytest.fixture
def part(accelerator: PlainTools) -> PriorPart:
    """The prior, untrained."""
    return MADE.part("prior", {}, accelerator)


@pytest.fixture(scope="session")
def family() -> dict[str, Trained]:
    """prior and encoder of data without label maps."""
    return born(PLAIN)


@pytest.fixture(scope="session")
def labelled() -> dict[str, Trained]:
    """The same of data with label maps."""
    return born(LABELLED)
