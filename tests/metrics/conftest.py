"""Random batches on the uint8 grid, and the reason why a test of LPIPS cannot run here."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from stages.metrics.core.batch import EvalBatch

MakeBatch = Callable[..., EvalBatch]


@pytest.fixture
def make_batch() -> MakeBatch:
    """make_batch(images, samples, size, seed): random images, a box hole, completions that differ in and out of it."""

    def make(images: int = 2, samples: int = 4, size: int = 64, seed: int = 0) -> EvalBatch:
        source = torch.Generator().manual_seed(seed)
        image_BCHW = torch.randint(0, 256, (images, 3, size, size), generator=source) / 127.5 - 1
        raw_BKCHW = torch.randint(0, 256, (images, samples, 3, size, size), generator=source) / 127.5 - 1
        known_B1HW = torch.ones(images, 1, size, size)
        known_B1HW[..., size // 4 : -size // 4, size // 8 : -size // 4] = 0
        judged_BKCHW = torch.where(known_B1HW[:, None] > 0, image_BCHW[:, None], raw_BKCHW)
        return EvalBatch(image_BCHW, known_B1HW, raw_BKCHW, judged_BKCHW, first=0, total=samples)

    return make


@pytest.fixture(scope="session")
def backbones() -> Path:
    """The folder of pretrained backbones (PLURIFILL_WEIGHTS)."""
    folder = os.environ.get("PLURIFILL_WEIGHTS", "")
    if not folder or not Path(folder).is_dir():
        pytest.skip("PLURIFILL_WEIGHTS names no folder of pretrained backbones")
    return Path(folder)
