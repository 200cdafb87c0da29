"""`plurifill inpaint --edges --labels`: each map that does not fit is one clear line."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stages.contract import UserError
from stages.images import files
from tests.cli.tinter import HEIGHT, WIDTH, classes, drawing, run

FAULTS = {  # a bad input: its options, files by their names in the work folder, and what is said of it
    "no such edges": ({"edges": "no.png"}, r"no\.png: no such file or folder"),
    "edges of another size": ({"edges": "small.png"}, "small.png: 9 x 8 pixels, but .*a.png has 40 x 30"),
    "even levels": ({"edges": "even.png"}, "even.png: 50% of it are white.*--edge-colour white or black"),
    "levels of 0 and 1": ({"edges": "ones.png"}, "ones.png: its levels are 0 and 1, both on one side"),
    "the image as edges": ({"edges": "images/a.png"}, "a.png: the edge map is the image itself"),
    "edges that are none": ({"edges": "text.png"}, "text.png: not an image"),
    "a colour of no edges": ({"edge_colour": "white"}, "--edge-colour: there are no edge maps"),
    "labels of another size": ({"labels": "small.png"}, "small.png: 9 x 8 pixels, but .*a.png has 40 x 30"),
    "a class too many": (
        {"labels": "seven.png"},
        "seven.png: class 7 in it, but the method knows 4; .* 0 to 3",
    ),
    "colours": (
        {"labels": "colours.png"},
        "colours.png: mode RGB where one class a pixel .*; give a grey or",
    ),
    "JPEG labels": ({"labels": "labels.jpg"}, "labels.jpg: JPEG where a PNG is expected"),
    "labels that are none": ({"labels": "text.png"}, "text.png: not an image"),
    "labels of no use": (
        {"method": "tinter/lines", "labels": "labels/a.png"},
        "tinter/lines: it was trained without label",
    ),
    "a method without maps": (
        {"method": "classical", "edges": "edges/a.png", "labels": "labels/a.png"},
        r"classical: maps do not guide it; leave out --edges and --labels \(methods that they guide: .*tinter",
    ),
    "the truth": (
        {"method": "tinter/truth"},
        "tinter/truth: what the hole holds guides it .* give plurifill inpaint --edges or",
    ),
}


def spoil(work: Path) -> None:
    """Write the files that do not fit."""
    even_HW = np.indices((HEIGHT, WIDTH)).sum(axis=0) % 2 * 255
    files.write_png(work / "even.png", even_HW.astype(np.uint8))
    files.write_png(work / "small.png", np.zeros((8, 9), dtype=np.uint8))
    files.write_png(work / "ones.png", drawing().astype(np.uint8))
    files.write_png(work / "colours.png", np.zeros((HEIGHT, WIDTH, 3), dtype=np.uint8))
    files.write_png(work / "seven.png", np.full((HEIGHT, WIDTH), 7, dtype=np.uint8))
    Image.fromarray(classes()).save(work / "labels.jpg")
    (work / "text.png").write_text("no image")


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_one_clear_line(work, fault):
    spoil(work)
    options, line = FAULTS[fault]
    maps = {name: work / value for name, value in options.items() if name in ("edges", "labels")}
    with pytest.raises(UserError, match=line) as told:
        run(work, **{**options, **maps})
    assert "\n" not in str(told.value)
