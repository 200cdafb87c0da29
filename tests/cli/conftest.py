"""What tests of verbs share."""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import stages.methods
from stages.images import files
from tests.cli.tinter import HEIGHT, METHOD, PARAMS, WIDTH, classes, drawing


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with params.yaml, two pictures with masks and maps, and the method."""
    (tmp_path / "methods/tinter").mkdir(parents=True)
    (tmp_path / "methods/tinter/__init__.py").write_text("")
    (tmp_path / "methods/tinter/inpaint.py").write_text(METHOD)
    monkeypatch.setattr(stages.methods, "__path__", [*stages.methods.__path__, str(tmp_path / "methods")])
    (tmp_path / "params.yaml").write_text(PARAMS)
    rng, hole_HW = np.random.default_rng(0), np.zeros((HEIGHT, WIDTH), dtype=np.uint8)
    hole_HW[8:24, 8:32] = 255
    for key in ("a", "b"):
        files.write_png(tmp_path / f"images/{key}.png", rng.integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8))
        files.write_png(tmp_path / f"masks/{key}.png", hole_HW)
        files.write_png(tmp_path / f"edges/{key}.png", drawing().astype(np.uint8) * 255)
        files.write_png(tmp_path / f"labels/{key}.png", classes())
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    for name in [name for name in sys.modules if "tinter" in name]:
        sys.modules.pop(name)
    vars(stages.methods).pop("tinter", None)
