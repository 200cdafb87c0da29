"""Small painted pictures, and datasets made of them."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from stages.images.build import build
from stages.images.dataset_params import DatasetParams
from stages.images.layouts import layout
from stages.images.sources.item import Item

Paint = Callable[..., Path]
Make = Callable[..., tuple[dict[str, Any], Path]]


def picture(seed: int, height: int = 40, width: int = 48) -> np.ndarray:
    """Smooth random colours: pictures of other seeds look other, also to a perceptual hash."""
    coarse = np.random.default_rng(seed).integers(0, 256, (9, 9, 3), dtype=np.uint8)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)


@pytest.fixture(scope="session")
def paint() -> Paint:
    """Save a picture at a path and return the path."""

    def paint(path: Path, seed: int = 0, mode: str = "RGB", height: int = 40, width: int = 48, **save: Any) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture(seed, height, width)).convert(mode).save(path, **save)
        return path

    return paint


def params_of(name: str, **keys: Any) -> DatasetParams:
    """Params of a dataset of that layout, at 16 px."""
    return layout(name).Params.model_validate({"layout": name, "size": 16, **keys})


def silent(items: Iterable[Item], split: str, total: int) -> Iterable[Item]:
    """No progress bar."""
    return items


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Build a dataset and return its card and folder."""

    def make(layout: str, name: str = "d", **keys: Any) -> tuple[dict[str, Any], Path]:
        folder = tmp_path / "made" / name
        return build("d", params_of(layout, **keys), folder, silent), folder

    return make
