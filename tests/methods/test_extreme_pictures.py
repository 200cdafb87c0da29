"""Pictures that no network was made for, through every trained method: a line, four pixels, one known pixel."""

from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np
import pytest
import torch

from stages.contract import Trained
from stages.project import plugins
from stages.sampling.completion import Job, completions
from tests.methods.conftest import PlainTools, mean_square
from tests.methods.dsi import conftest as dsi
from tests.methods.flow_fill import conftest as flow_fill
from tests.methods.latent_codes import conftest as latent_codes
from tests.methods.mm_invertfill import whole as mm_invertfill
from tests.methods.small import Small, learn

SIZE, SEEDS = 32, (3, 4)
SHAPES = {"a row": (1, 50), "a column": (50, 1), "four pixels": (2, 2), "one known pixel": (40, 30)}


def released(made: Small, blocks: Callable[[int], Any] | None = None) -> dict[str, Trained]:
    """The parts, untrained, or after a step on `blocks`."""
    accelerator, parents = PlainTools(mean_square), {}
    for name in (name for name in made.params if name != "inpaint"):
        part = made.part(name, parents, accelerator)
        learn(part, blocks, range(1)) if blocks else []
        parents[name] = made.release(name, part)
    return parents


FAMILIES: Mapping[str, Callable[[], dict[str, Trained]]] = {
    "latent_codes": lambda: released(latent_codes.MADE),
    "flow_fill": lambda: released(flow_fill.MADE, flow_fill.blocks),
    "dsi": lambda: released(dsi.MADE, dsi.blocks),
    "mm_invertfill": lambda: mm_invertfill.born(mm_invertfill.PLAIN),
}


@cache
def inpainter(method: str) -> Any:
    module = import_module(f"stages.methods.{method}.inpaint")
    return module.build(module.Params(), FAMILIES[method](), torch.device("cpu"))


def picture(what: str) -> tuple[np.ndarray, np.ndarray]:
    """The picture (H, W, 3) and its hole (H, W): all but a pixel or two, which no window's middle holds."""
    image_HWC = np.random.default_rng(0).integers(0, 256, (*SHAPES[what], 3), dtype=np.uint8)
    hole_HW = np.ones(SHAPES[what], dtype=bool)
    hole_HW[0, 0] = False
    if what in {"a row", "a column"}:
        hole_HW.reshape(-1)[20:] = False
    return image_HWC, hole_HW


def test_every_trained_method_is_here() -> None:
    trained = [name for name in plugins.names("stages.methods") if plugins.find(f"stages.methods.{name}", "inpaint")]
    assert set(FAMILIES) == {name for name in trained if import_module(f"stages.methods.{name}.inpaint").PARENTS}


@pytest.mark.parametrize("window", ["whole", "hole"])
@pytest.mark.parametrize("what", SHAPES)
@pytest.mark.parametrize("method", FAMILIES)
def test_the_hole_is_filled_and_what_is_known_stays(method: str, what: str, window: str) -> None:
    image_HWC, hole_HW = picture(what)
    job = Job(inpainter(method), torch.device("cpu"), SIZE, seeds=SEEDS, window=window)
    done_KHWC = completions(job, image_HWC, hole_HW).numpy()
    assert done_KHWC.shape == (len(SEEDS), *image_HWC.shape) and done_KHWC.dtype == np.uint8
    assert (done_KHWC[:, ~hole_HW] == image_HWC[~hole_HW]).all()
    other_HWC = np.where(hole_HW[..., None], 255 - image_HWC, image_HWC)
    assert (completions(job, other_HWC, hole_HW).numpy() == done_KHWC).all()  # and does not hang on what was there
