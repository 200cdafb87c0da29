"""`plurifill inpaint --edges --labels`: a person's maps reach the method as they were drawn, and no other way.

The method is a folder that the test puts beside the project's own.
"""

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import get_type_hints

import numpy as np
import pytest
from PIL import Image

import stages.methods
from stages.cli import inpaint
from stages.contract import UserError
from stages.images import files
from stages.project import plugins
from stages.sampling import inpainters

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


def run(work: Path, **options: object) -> Path:
    given = {"method": "tinter", "image": work / "images/a.png", "mask": work / "masks/a.png", "output": work / "o.png"}
    inpaint.main(**{**given, **options})  # type: ignore[arg-type]
    return work / "o.png" if "output" not in options else Path(str(options["output"]))


def painted(path: Path) -> np.ndarray:
    """A completion's hole, (N, 3)."""
    return files.read_rgb(path)[8:24, 8:32].reshape(-1, 3)


def inside(map_HW: np.ndarray) -> np.ndarray:
    return map_HW[8:24, 8:32].reshape(-1)


def test_maps_are_known_in_the_hole_and_known_pixels_are_untouched(work):
    done = run(work, edges=work / "edges/a.png", labels=work / "labels/a.png")
    red_N, green_N, blue_N = painted(done).T
    assert (green_N == inside(drawing()) * 255).all()
    assert (red_N == inside(classes())).all() and (blue_N == (inside(classes()) != 255) * 255).all()
    hole_HW = files.read_hole(work / "masks/a.png")
    assert (files.read_rgb(done)[~hole_HW] == files.read_rgb(work / "images/a.png")[~hole_HW]).all()


def test_without_maps_the_method_has_its_own_and_with_one_the_other_is_its_own(work):
    assert (painted(run(work)) == 0).all()
    assert (painted(run(work, labels=work / "labels/a.png", output=work / "l.png"))[:, 1] == 0).all()
    assert (painted(run(work, edges=work / "edges/a.png", output=work / "e.png"))[:, [0, 2]] == 0).all()


def strokes(ink: int) -> Image.Image:
    """The drawing on a transparent ground."""
    return Image.fromarray(np.dstack([np.full((HEIGHT, WIDTH, 3), ink, dtype=np.uint8), drawing() * np.uint8(255)]))


EDGE_FILES = {
    "black on white": (lambda: Image.fromarray(255 - drawing() * np.uint8(255)), {}),
    "black on white, declared": (lambda: Image.fromarray(255 - drawing() * np.uint8(255)), {"edge_colour": "black"}),
    "white on black, declared": (lambda: Image.fromarray(drawing() * np.uint8(255)), {"edge_colour": "white"}),
    "one bit": (lambda: Image.fromarray(drawing()), {}),
    "RGB": (lambda: Image.fromarray(drawing() * np.uint8(255)).convert("RGB"), {}),
    "grey levels": (lambda: Image.fromarray(np.where(drawing(), 40, 230).astype(np.uint8)), {}),
    "black strokes": (lambda: strokes(0), {}),
    "white strokes": (lambda: strokes(255), {}),
}


@pytest.mark.parametrize("kind", EDGE_FILES)
def test_edges_are_read_however_they_are_drawn(work, kind, capsys):
    make, options = EDGE_FILES[kind]
    make().save(work / "drawn.png")
    plain = run(work, edges=work / "edges/a.png", output=work / "plain.png").read_bytes()
    assert run(work, edges=work / "drawn.png", **options).read_bytes() == plain
    told = capsys.readouterr().err
    assert ("levels are 40 and 230" in told) == (kind == "grey levels")


def test_a_palette_map_is_read_by_its_indices(work):
    palette = Image.fromarray(classes(), mode="P")
    palette.putpalette(list(np.random.default_rng(0).integers(0, 256, 768)))
    palette.save(work / "palette.png")
    grey = run(work, labels=work / "labels/a.png", output=work / "grey.png").read_bytes()
    assert run(work, labels=work / "palette.png").read_bytes() == grey


def test_maps_are_paired_by_name_as_masks_are(work):
    files.write_png(work / "edges/b.png", drawing()[::-1].astype(np.uint8) * 255)
    files.write_png(work / "edges/0-first-by-position.png", np.zeros((3, 3), dtype=np.uint8))
    folders = {"image": work / "images", "mask": work / "masks", "output": work / "out"}
    run(work, **folders, edges=work / "edges", labels=work / "labels/a.png")
    for key, edges_HW in (("a", drawing()), ("b", drawing()[::-1])):
        assert (painted(work / f"out/{key}/00.png")[:, 1] == inside(edges_HW) * 255).all()
        assert (painted(work / f"out/{key}/00.png")[:, 0] == inside(classes())).all()
    (work / "edges/b.png").unlink()
    with pytest.raises(UserError, match=r"edges: no edges named b\.\* \(1 of 2 images have none\)"):
        run(work, **folders, edges=work / "edges")


def test_each_of_an_images_masks_is_guided_by_the_images_map(work):
    both = work / "both"
    both.mkdir()
    shutil.copy(work / "images/a.png", both / "a.png")
    for number in ("001", "002"):
        shutil.copy(work / "masks/a.png", both / f"a_mask{number}.png")
    run(work, image=both, mask=both, output=work / "out", edges=work / "edges")
    for key in ("a_mask001", "a_mask002"):
        assert (painted(work / f"out/{key}/00.png")[:, 1] == inside(drawing()) * 255).all()


def test_a_changed_map_makes_the_picture_again_and_an_unchanged_one_does_not(work):
    maps = {"edges": work / "edges/a.png", "labels": work / "labels/a.png"}
    done = run(work, **maps)
    note = json.loads((work / "o.provenance.json").read_text())
    assert (
        note["edges"]["file"] == "a.png" and note["edges"]["colour"] == "white" and len(note["edges"]["sha256"]) == 64
    )
    assert note["labels"]["file"] == "a.png" and note["labels"]["classes"] == CLASSES
    time = done.stat().st_mtime_ns
    run(work, **maps)
    assert done.stat().st_mtime_ns == time
    files.write_png(work / "edges/a.png", drawing()[:, ::-1].astype(np.uint8) * 255)
    run(work, **maps)
    assert done.stat().st_mtime_ns != time
    assert set(note) - set(json.loads((run(work).with_suffix(".provenance.json")).read_text())) == {"edges", "labels"}


def test_guidance_by_the_truth_takes_a_persons_maps_in_its_place(work):
    green_N = painted(run(work, method="tinter/truth", edges=work / "edges/a.png"))[:, 1]
    assert (green_N == inside(drawing()) * 255).all()


def faults(work: Path) -> dict[str, tuple[dict[str, object], str]]:
    """Each bad input with what its line must say."""
    even_HW = np.indices((HEIGHT, WIDTH)).sum(axis=0) % 2 * 255
    files.write_png(work / "even.png", even_HW.astype(np.uint8))
    files.write_png(work / "small.png", np.zeros((8, 9), dtype=np.uint8))
    files.write_png(work / "ones.png", drawing().astype(np.uint8))
    files.write_png(work / "colours.png", np.zeros((HEIGHT, WIDTH, 3), dtype=np.uint8))
    files.write_png(work / "seven.png", np.full((HEIGHT, WIDTH), 7, dtype=np.uint8))
    Image.fromarray(classes()).save(work / "labels.jpg")
    (work / "text.png").write_text("no image")
    edges, labels = work / "edges/a.png", work / "labels/a.png"
    return {
        "no such edges": ({"edges": work / "no.png"}, r"no\.png: no such file or folder"),
        "edges of another size": ({"edges": work / "small.png"}, "small.png: 9 x 8 pixels, but .*a.png has 40 x 30"),
        "even levels": ({"edges": work / "even.png"}, "even.png: 50% of it are white.*--edge-colour white or black"),
        "levels of 0 and 1": ({"edges": work / "ones.png"}, "ones.png: its levels are 0 and 1, both on one side"),
        "the image as edges": ({"edges": work / "images/a.png"}, "a.png: the edge map is the image itself"),
        "edges that are none": ({"edges": work / "text.png"}, "text.png: not an image"),
        "a colour of no edges": ({"edge_colour": "white"}, "--edge-colour: there are no edge maps"),
        "labels of another size": ({"labels": work / "small.png"}, "small.png: 9 x 8 pixels, but .*a.png has 40 x 30"),
        "a class too many": (
            {"labels": work / "seven.png"},
            "seven.png: class 7 in it, but the method knows 4; .* 0 to 3",
        ),
        "colours": (
            {"labels": work / "colours.png"},
            "colours.png: mode RGB where one class a pixel .*; give a grey or",
        ),
        "JPEG labels": ({"labels": work / "labels.jpg"}, "labels.jpg: JPEG where a PNG is expected"),
        "labels that are none": ({"labels": work / "text.png"}, "text.png: cannot identify"),
        "labels of no use": (
            {"method": "tinter/lines", "labels": labels},
            "tinter/lines: it was trained without label",
        ),
        "a method without maps": (
            {"method": "classical", "edges": edges, "labels": labels},
            r"classical: maps do not guide it; leave out --edges and --labels \(methods that they guide: .*tinter",
        ),
        "the truth": (
            {"method": "tinter/truth"},
            "tinter/truth: what the hole holds guides it .* give plurifill inpaint --edges or",
        ),
    }


FAULTS = [
    "no such edges",
    "edges of another size",
    "even levels",
    "levels of 0 and 1",
    "the image as edges",
    "edges that are none",
    "a colour of no edges",
    "labels of another size",
    "a class too many",
    "colours",
    "JPEG labels",
    "labels that are none",
    "labels of no use",
    "a method without maps",
    "the truth",
]


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_one_clear_line(work, fault):
    options, line = faults(work)[fault]
    with pytest.raises(UserError, match=line) as told:
        run(work, **options)
    assert "\n" not in str(told.value)


def test_declared_edges_are_the_persons_word_and_doubt_is_told(work, capsys):
    files.write_png(work / "even.png", (np.indices((HEIGHT, WIDTH)).sum(axis=0) % 2 * 255).astype(np.uint8))
    run(work, edges=work / "even.png", edge_colour="black")
    assert "warning" not in capsys.readouterr().err
    run(work, edges=work / "edges/a.png", edge_colour="black")
    assert "a.png: 94% of it are edges; --edge-colour white reads it the other way" in capsys.readouterr().err


@pytest.mark.parametrize("method", plugins.names("stages.methods"))
def test_a_methods_build_says_which_class_it_returns(method):
    module = plugins.find(f"stages.methods.{method}", "inpaint")
    if module is not None:
        kind = get_type_hints(module.build)["return"]
        assert kind.__module__.startswith(f"stages.methods.{method}.")
        assert (method in inpainters.guided_methods()) == hasattr(kind, "guidance")
