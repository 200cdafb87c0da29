"""A small folder of results as somebody else would hand it in."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stages.evaluation.external.score import Folders
from tests.metrics.conftest import backbones as backbones

SIZE, KEYS = 32, ("a", "b", 'it\'s a "c"')  # the third name has a space and quotes
Make = Callable[..., Folders]


def save(path: Path, pixels: np.ndarray, **options) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)


@pytest.fixture
def handed_in(tmp_path) -> Make:
    """handed_in(samples, kind, hole): 3 random images, a box hole in each, completions that are random in it."""

    def make(samples: int = 1, kind: str = "composited", hole: str = "white") -> Folders:
        rng, root = np.random.default_rng(0), tmp_path / "handed \"in\" by 'us'"
        for key in KEYS:
            image_HWC = rng.integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)
            hole_HW = np.zeros((SIZE, SIZE), dtype=bool)
            hole_HW[8:20, 4:20] = True
            save(root / "images" / f"{key}.png", image_HWC)
            save(root / "masks" / f"{key}.png", np.where(hole_HW == (hole == "white"), 255, 0).astype(np.uint8))
            for k in range(samples):
                raw_HWC = np.clip(image_HWC.astype(int) + rng.integers(-9, 10, image_HWC.shape), 0, 255)
                raw_HWC[hole_HW] = rng.integers(0, 256, (int(hole_HW.sum()), 3))
                done_HWC = raw_HWC if kind == "raw" else np.where(hole_HW[..., None], raw_HWC, image_HWC)
                name = f"{key}.png" if samples == 1 else f"{key}/{k:02d}.png"
                save(root / "results" / name, done_HWC.astype(np.uint8))
        return Folders(root / "results", root / "images", root / "masks", hole, kind)

    return make
