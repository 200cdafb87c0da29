"""Every point of the project's sweeps over this method learns, completes, and completes differently (paper 002, 5)."""

from __future__ import annotations

import json
from functools import cache
from itertools import combinations
from typing import Any

import pytest
import torch
from ruamel.yaml import YAML
from torch import Tensor

from stages.cli import preset
from stages.contract import Trained
from tests.methods.conftest import PlainTools, mean_square
from tests.methods.mm_invertfill.whole import LABELLED, SMALL, blocks, born, bridged, request
from tests.methods.small import learn

SWEEPS: Any = YAML(typ="safe").load(preset.render("photographs"))["sweeps"]
NAMES = [name for name in SWEEPS if name.startswith("mm_")]


def changed(point: dict[str, Any], block: str) -> dict[str, Any]:
    """What the point says of a block, laid on the small one; keys of `mean` together."""
    start, found = f"methods.mm_invertfill.{block}.", {}
    for key, value in point.items():
        first, _, second = key.removeprefix(start).partition(".")
        if key.startswith(start):
            found[first] = {**SMALL[block][first], second: value} if second else value
    return found


@cache
def parents() -> dict[str, Trained]:
    """The generator of all."""
    return {"prior": born(LABELLED)["prior"]}


@cache
def trained(changes: str) -> Trained:
    """An encoder after two steps, as released; what it adds to the generator's maps is heard."""
    part = LABELLED.part("encoder", parents(), PlainTools(mean_square), **json.loads(changes))
    rows = learn(part, blocks, range(2))
    assert all(value == value and abs(value) < 1e3 for row in rows for value in row.values()), "a loss is no number"
    bridged(part.model)
    return LABELLED.release("encoder", part, **json.loads(changes))


def completed(point: dict[str, Any]) -> Tensor:
    """Two completions of two images, guided as the point asks for."""
    family = {**parents(), "encoder": trained(json.dumps(changed(point, "encoder"), sort_keys=True))}
    inpainter, batch, asked = LABELLED.inpainter(family, **changed(point, "inpaint")), blocks(7), request(7)
    image_BCHW = batch.image_BCHW if inpainter.guided_by_truth else asked.image_BCHW
    guidance = inpainter.guidance(image_BCHW, batch.known_B1HW, batch.labels_BHW)
    return inpainter.sample(request(7, guidance=guidance)).raw_BKCHW


@pytest.mark.parametrize("name", NAMES)
def test_every_point_learns_and_completes_and_no_two_complete_alike(name):
    found = [completed(point) for point in SWEEPS[name]["points"]]
    assert all(raw_BKCHW.isfinite().all() and raw_BKCHW.abs().max() <= 1 for raw_BKCHW in found)
    assert all(raw_BKCHW.shape == (2, 2, 3, 32, 32) for raw_BKCHW in found)
    for one, other in combinations(found, 2):
        assert (one - other).abs().mean() > 1e-5


@pytest.mark.parametrize("space", ["f_w_plus", "w_plus", "none"])
def test_completions_of_an_image_differ_unless_nothing_is_inverted(space):
    raw_BKCHW = completed({"methods.mm_invertfill.encoder.space": space})
    assert torch.equal(raw_BKCHW[:, 0], raw_BKCHW[:, 1]) is (space == "none")
