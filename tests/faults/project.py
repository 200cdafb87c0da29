"""A project of every method at its smallest, on drawn pictures of 32 px; a part is trained in a second."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from ruamel.yaml import YAML

from stages.cli import preset
from stages.images.files import write_png
from stages.training import parts

ROOT = Path(__file__).resolve().parents[2]
SIZE, COUNTS = 32, {"train": 12, "val": 4, "test": 8}
LOOP = {"steps": 8, "batch": 4, "eval_every": 4, "eval_images": 4, "log_every": 3, "save_every": 2, "amp": "off"}
LOOP |= {"workers": 0}
TESTSET = {"masks": "centre", "samples": 32}  # two images a piece
METRICS = ["psnr", "l1", "diversity_pixel"]


def params() -> dict[str, Any]:
    """Preset tiny's networks; data, lengths, test sets and protocols smaller still; no MLflow."""
    values: dict[str, Any] = YAML(typ="safe").load(preset.render("tiny"))
    values["data"] = {"dataset": "dots"}
    values["datasets"] = {"dots": {"layout": "folder", "root": "dots", "size": SIZE, "duplicates": {"remove": False}}}
    values["masks"] = {name: values["masks"][name] for name in ("none", "centre", "large", "irregular")}
    values |= {"track": "none", "testsets": {"few": TESTSET}, "protocols": {"few": _protocol()}, "sweeps": {}}
    for method, block in values["methods"].items():
        for part in parts.order(values, method):
            block[part] |= {"loop": LOOP, "dataset": None}
    return values


def _protocol() -> dict[str, Any]:
    return {"testset": "few", "composite": True, "selection": "all", "metrics": METRICS}


def make(place: Path) -> Path:
    """The project in `place`: pictures and params, of which nothing is made yet."""
    draw = np.random.default_rng(0)
    for split, count in COUNTS.items():
        for i in range(count):
            coarse_HWC = draw.integers(0, 256, (8, 8, 3), dtype=np.uint8)
            write_png(place / "dots" / split / f"{i}.png", coarse_HWC.repeat(4, axis=0).repeat(4, axis=1))
    with (place / "params.yaml").open("w") as file:
        YAML().dump(params(), file)
    return place


def all_parts(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Every trained part of every method, parents first."""
    return [(method, part) for method in values["methods"] for part in parts.order(values, method)]
