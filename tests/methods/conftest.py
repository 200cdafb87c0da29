"""Small images and a plain workbench on which any part can learn for a few steps."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from stages.contract import Batch, Features, Perceptual, SetDistance


class PlainTools:
    """contract.Accelerator in float32 on the CPU: one process, no clipping, every descent a step."""

    def __init__(self, perceptual: Perceptual | None = None, features: Features | None = None) -> None:
        self.distance, self.maps = perceptual, features

    def prepare(self, module: nn.Module) -> nn.Module:
        return module

    def autocast(self) -> AbstractContextManager[Any]:
        return nullcontext()

    def minimize(self, loss: Tensor, optimizer: Optimizer) -> None:
        parameters = [p for group in optimizer.param_groups for p in group["params"]]
        for parameter, slope in zip(parameters, torch.autograd.grad(loss, parameters, allow_unused=True), strict=True):
            parameter.grad = slope
        optimizer.step()
        optimizer.zero_grad()

    def perceptual(self, net: str) -> Perceptual | None:
        return self.distance

    def features(self, net: str) -> Features | None:
        return self.maps

    def frechet(self) -> SetDistance | None:
        return None if self.maps is None else MeanDistance()


class MeanDistance:
    """Stands where a Frechet distance would: that of the sets' mean colours."""

    def features(self, image_BCHW: Tensor) -> Tensor:
        return image_BCHW.mean((2, 3))

    def distance(self, real_ND: Tensor, fake_MD: Tensor) -> float:
        return float((real_ND.mean(0) - fake_MD.mean(0)).square().sum())


def mean_square(image_BCHW: Tensor, other_BCHW: Tensor) -> Tensor:
    """Stands where a perceptual distance would, so that its term is there."""
    return (image_BCHW - other_BCHW).square().mean((1, 2, 3))


def pyramid(image_BCHW: Tensor) -> list[Tensor]:
    """Stands where a classifier's maps would: three convolutions of fixed random weights, each of half the size."""
    draw, here_BChw, maps = torch.Generator().manual_seed(0), image_BCHW, []
    for inputs in (3, 8, 8):
        weight = torch.randn(8, inputs, 3, 3, generator=draw) / (9 * inputs) ** 0.5
        here_BChw = nn.functional.conv2d(here_BChw, weight, stride=2, padding=1).relu()
        maps.append(here_BChw)
    return maps


@pytest.fixture
def accelerator() -> PlainTools:
    return PlainTools(mean_square, pyramid)


@pytest.fixture
def bare_tools() -> PlainTools:
    """No weights of classifiers are to be had."""
    return PlainTools()


@pytest.fixture
def batch_of() -> Callable[..., Batch]:
    """batch_of(k, count=4, size=32): a batch of random blocks and box holes that is a function of k."""

    def make(k: int, count: int = 4, size: int = 32) -> Batch:
        generator = torch.Generator().manual_seed(k)
        coarse_BCHW = torch.rand(count, 3, 8, 8, generator=generator) * 2 - 1
        image_BCHW = nn.functional.interpolate(coarse_BCHW, size=size, mode="bilinear")
        known_B1HW = torch.ones(count, 1, size, size)
        for index in range(count):
            top, left = torch.randint(0, size // 2, (2,), generator=generator).tolist()
            known_B1HW[index, :, top : top + size // 2, left : left + size // 2] = 0
        keys = tuple(f"{k}-{index}" for index in range(count))
        return Batch(image_BCHW, known_B1HW, keys, torch.arange(count) + 1000 * k)

    return make
