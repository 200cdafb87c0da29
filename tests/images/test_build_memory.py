"""Making a dataset grows by the list of its source, and not by what is written of every image."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import cv2
import numpy as np
import pytest

from stages.images.build import build
from tests.images.conftest import params_of, silent

FEW, MANY = 300, 1200
BYTES = 400  # an image: its name (its item's fields, the folder's list), and a few numbers


def peak(root: Path, count: int) -> int:
    """The most bytes that were in use at once."""
    for number in range(count):
        noise_HWC = np.random.default_rng(number).integers(0, 256, (16, 16, 3), dtype=np.uint8)
        cv2.imwrite(str(root / f"{number:06}.png"), noise_HWC)
    tracemalloc.start()
    build("d", params_of("folder", root=str(root)), root.with_name(f"made{count}"), silent)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most


def test_four_times_the_images_take_little_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for size in ("project.tables.PIECE", "images.duplicates.TOGETHER", "images.ledger.BUFFER"):  # more than is here
        monkeypatch.setattr(f"stages.{size}", 50)
    (tmp_path / "source").mkdir()
    peak(tmp_path / "source", 50)  # what is imported on the way, and kept by libraries
    few = peak(tmp_path / "source", FEW)
    assert peak(tmp_path / "source", MANY) - few < BYTES * (MANY - FEW)
