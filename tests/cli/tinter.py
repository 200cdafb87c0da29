"""A method that paints what guides it, in a folder beside the project's own, with pictures, masks and maps for it."""

from pathlib import Path

import numpy as np

from stages.cli import inpaint
from stages.images import files

CLASSES, HEIGHT, WIDTH = 4, 30, 40
PARAMS = """\
methods:
  tinter: {inpaint: {classes: 4, truth: false, variants: {truth: {truth: true}, lines: {classes: 0}}}}
  classical: {inpaint: {algorithm: mean}}
"""
METHOD = '''\
"""Paints what guides it: red the labels, green the edges; blue tells where labels are known."""
import torch

from stages import contract
from stages.contract import Completions, Guidance

PARENTS: tuple[str, ...] = ()
SHARED: tuple[str, ...] = ()


class Params(contract.Params):
    classes: int
    truth: bool


class Tinter:
    edges = True

    def __init__(self, params):
        self.classes, self.guided_by_truth = params.classes, params.truth

    def guidance(self, image_BCHW, known_B1HW, labels_BHW):
        return Guidance(torch.zeros_like(known_B1HW), known_B1HW)

    def sample(self, request):
        given, plane_B1HW = request.guidance, torch.zeros_like(request.known_B1HW)
        red_B1HW = plane_B1HW if given.labels_BHW is None else given.labels_BHW[:, None].float()
        green_B1HW = plane_B1HW if given.edges_B1HW is None else 255 * given.edges_B1HW * given.edges_known_B1HW
        blue_B1HW = plane_B1HW if given.labels_BHW is None else 255 * given.labels_known_B1HW
        raw_BCHW = torch.cat([red_B1HW, green_B1HW, blue_B1HW], 1) / 127.5 - 1
        return Completions(raw_BCHW[:, None].expand(-1, request.seeds_BK.shape[1], -1, -1, -1))


def build(params, parents, device) -> Tinter:
    return Tinter(params)
'''


def drawing() -> np.ndarray:
    """Edges (H, W): a line through the hole and one beside it."""
    edges_HW = np.zeros((HEIGHT, WIDTH), dtype=bool)
    edges_HW[15], edges_HW[:, 2] = True, True
    return edges_HW


def classes() -> np.ndarray:
    """Labels (H, W) in stripes, unknown in a corner of the hole."""
    labels_HW = (np.arange(WIDTH) // 5 % CLASSES).astype(np.uint8)[None].repeat(HEIGHT, axis=0)
    labels_HW[10:13, 10:13] = 255
    return labels_HW


def run(work: Path, **options: object) -> Path:
    given = {"method": "tinter", "image": work / "images/a.png", "mask": work / "masks/a.png", "output": work / "o.png"}
    inpaint.main(**{**given, **options})  # type: ignore[arg-type]
    return work / "o.png" if "output" not in options else Path(str(options["output"]))


def painted(path: Path) -> np.ndarray:
    """A completion's hole, (N, 3)."""
    return files.read_rgb(path)[8:24, 8:32].reshape(-1, 3)


def inside(map_HW: np.ndarray) -> np.ndarray:
    return map_HW[8:24, 8:32].reshape(-1)
