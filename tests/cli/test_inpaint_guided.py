"""`plurifill inpaint --edges --labels`: a person's maps reach the method as they were drawn, and no other way."""

import json
import shutil
from typing import get_type_hints

import numpy as np
import pytest
from PIL import Image

from stages.contract import UserError
from stages.images import files
from stages.project import plugins
from stages.sampling import inpainters
from tests.cli.tinter import CLASSES, HEIGHT, WIDTH, classes, drawing, inside, painted, run


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
