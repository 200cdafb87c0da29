"""What tests of verbs share."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from stages.images import files
from tests.cli.tinter import HEIGHT, METHOD, PARAMS, WIDTH, classes, drawing
from tests.methods.planted import planted


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with params.yaml, two pictures with masks and maps, and the method."""
    (tmp_path / "params.yaml").write_text(PARAMS)
    rng, hole_HW = np.random.default_rng(0), np.zeros((HEIGHT, WIDTH), dtype=np.uint8)
    hole_HW[8:24, 8:32] = 255
    for key in ("a", "b"):
        files.write_png(tmp_path / f"images/{key}.png", rng.integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8))
        files.write_png(tmp_path / f"masks/{key}.png", hole_HW)
        files.write_png(tmp_path / f"edges/{key}.png", drawing().astype(np.uint8) * 255)
        files.write_png(tmp_path / f"labels/{key}.png", classes())
    monkeypatch.chdir(tmp_path)
    with planted("tinter", METHOD, tmp_path / "methods"):
        yield tmp_path
