"""A pass grows by what it keeps of an image, and not by pictures, however many images there are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stages.contract import Spec
from stages.evaluation import evaluator
from stages.evaluation.passes import COMPLETIONS, Pass
from stages.metrics.core import backbones
from stages.metrics.core.contract import MetricContext
from stages.sampling.testsets import TestSet, TestSetParams

SIZE, SIDE, CHANNELS = 16, 128, 5
BATCH_BYTES = COMPLETIONS * CHANNELS * SIDE**2 * 4  # 21 MB: what a network makes of a batch on its way


class Large(nn.Module):
    """Stands where AlexNet stands: large maps, averaged to 5 x 48 features an image."""

    def forward(self, image_BCHW: Tensor) -> Tensor:
        maps_BCHW = F.interpolate(image_BCHW, SIDE)[:, [0, 1, 2, 0, 1]]
        return maps_BCHW.mean(dim=3)[:, :, :48].flatten(1).contiguous()


@dataclass(frozen=True)
class Grey:
    """Pictures of one grey each, their holes and their completions: what a pass reads, from no disk."""

    count: int
    name: str = "grey"
    hash: str = ""
    spec: Spec = Spec(SIZE)  # noqa: RUF009 (frozen)
    place: Path = Path()
    digest: str = ""

    @property
    def keys(self) -> list[str]:
        return [str(number) for number in range(self.count)]

    @property
    def sources(self) -> list[str]:
        return self.keys

    @property
    def holes(self) -> list[float]:
        return [0.5] * self.count

    @property
    def description(self) -> dict[str, Any]:
        return {}

    def image(self, index: int) -> np.ndarray:
        return np.full((SIZE, SIZE, 3), index % 256, dtype=np.uint8)

    def hole(self, key: str) -> np.ndarray:
        return np.arange(SIZE)[:, None].repeat(SIZE, axis=1) < SIZE // 2

    def raw_KHWC(self, key: str) -> np.ndarray:
        return np.full((1, SIZE, SIZE, 3), int(key) % 200, dtype=np.uint8)

    def labels(self, index: int) -> None:
        return None

    def side(self, key: str) -> dict[str, Path]:
        return {}


def resident_after(images: int) -> int:
    """The process's bytes once so many images are scored."""
    grey = Grey(images)
    testset = TestSet("grey", TestSetParams(dataset="grey", masks="half", samples=1), grey, grey, tuple(range(images)))
    context = MetricContext(torch.device("cpu"), images)
    scored = evaluator.score(Pass(grey, testset, True, ["psnr", "kd_alexnet"], context))
    assert scored.rows["alexnet_images"].shape == (images, CHANNELS * 48)
    return psutil.Process().memory_info().rss


def test_five_times_the_images_take_no_more_than_their_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(backbones.NETWORKS, "alexnet", Large)
    backbones.backbone.cache_clear()
    few = resident_after(8 * COMPLETIONS)
    assert resident_after(40 * COMPLETIONS) - few < 4 * BATCH_BYTES
    backbones.backbone.cache_clear()
