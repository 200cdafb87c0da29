"""`plurifill benchmark --results`: a folder of completions that others made, with its images and masks."""

import shutil
from pathlib import Path

import numpy as np
from hypothesis import strategies as st
from PIL import Image

from stages.images.files import encode_png, write_png
from stages.project import tables
from tests.fuzz.damage import damaged, with_sums
from tests.fuzz.verdict import Verdict, of_verb, refuse_halves

INPUTS, SAMPLE = 80, 3
WRONG = (
    "A score of other pictures than the true ones (told by the PSNR of the undamaged folder, sample by sample); a "
    "result that is missing, of another size, mode or kind, or whose known pixels are not its image's; an extra one; "
    "tables of a folder that was refused."
)
KEYS, SIDE = ("a", "b c", "<b>'\"&.x"), 16
OUTPUT = Path("out")


def prepare() -> None:
    rng = np.random.default_rng(0)
    hole_HW = np.zeros((SIDE, SIDE), dtype=bool)
    hole_HW[4:10, 2:10] = True
    for key in KEYS:
        image_HWC = rng.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
        write_png(Path(f"whole/images/{key}.png"), image_HWC)
        write_png(Path(f"whole/masks/{key}.png"), hole_HW.astype(np.uint8) * 255)
        drawn_HWC = np.where(hole_HW[..., None], rng.integers(0, 256, image_HWC.shape, dtype=np.uint8), image_HWC)
        write_png(Path(f"whole/results/{key}.png"), drawn_HWC)
    assert knock(("", b"", False)).accepted
    shutil.copytree(OUTPUT, "true")


@st.composite
def hostile(draw: st.DrawFn) -> tuple[str, bytes, bool]:
    """A file (there, or not), its new bytes (none: it is removed), and whether it is a PNG with right checksums."""
    there = sorted(str(path.relative_to("whole")) for path in Path("whole").rglob("*.png"))
    name = draw(st.sampled_from(there))
    whole = Path("whole", name).read_bytes()
    match draw(st.sampled_from(["damaged", "forged", "gone", "added", "kind"])):
        case "damaged":
            return name, draw(damaged([whole])), False
        case "forged":
            return name, with_sums(draw(damaged([whole]))), True
        case "gone":
            return name, b"", True
        case "added":
            return draw(st.sampled_from(ADDED)), whole, True
        case _:
            return name, draw(st.sampled_from(list(_kinds(whole)))), True


ADDED = ["results/z.png", "results/a.jpg", "results/a/00.png", "results/a/01.png", "results/.a.png", "results/a.PNG"]


def _kinds(png: bytes) -> list[bytes]:
    """The same picture as other files than 8-bit RGB PNGs, and one that is smaller."""
    Path("x.png").write_bytes(png)
    with Image.open("x.png") as image:
        pixels_HWC = np.array(image.convert("RGB"))
        for mode in ("RGBA", "P", "L", "1"):
            image.convert("RGB").convert(mode).save(f"x-{mode}.png")
        image.convert("RGB").save("x.jpg")
    named = [Path(f"x-{mode}.png").read_bytes() for mode in ("RGBA", "P", "L", "1")]
    return [*named, Path("x.jpg").read_bytes(), encode_png(pixels_HWC[:-1])]


def knock(given: tuple[str, bytes, bool]) -> Verdict:
    name, data, forged = given
    shutil.rmtree("given", ignore_errors=True)
    shutil.copytree("whole", "given")
    if name:
        _put(Path("given", name), data)
    shutil.rmtree(OUTPUT, ignore_errors=True)
    folders = [word for what in ("results", "images", "masks") for word in (f"--{what}", f"given/{what}")]
    declared = ["--hole", "white", "--output-kind", "composited", "--metric", "psnr", "--device", "cpu"]
    verdict = of_verb("benchmark", [*folders, *declared, "--output", str(OUTPUT)], ["given/"])
    refuse_halves(Path())
    assert verdict.accepted == OUTPUT.exists()
    if verdict.accepted and name and name.startswith("results/") and not forged:
        _refuse_other_scores()
    return verdict


def _put(path: Path, data: bytes) -> None:
    if not data:
        return path.unlink(missing_ok=True)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)


def _refuse_other_scores() -> None:
    found, true = (tables.read(folder / "scores") for folder in (OUTPUT, Path("true")))
    assert found.drop(columns="card").equals(true.drop(columns="card")), "a damaged result is scored"
