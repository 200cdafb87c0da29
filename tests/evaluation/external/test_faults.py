"""Each fault of a results folder is one clear line that names the file and the mend."""

import dataclasses
import shutil

import numpy as np
import pytest
import torch
from PIL import Image

from stages.contract import UserError
from stages.evaluation.external.score import score_folder
from stages.sampling.external.folder import cases
from stages.sampling.external.survey import survey
from tests.evaluation.external.conftest import save


def surveyed(folders):
    found = cases(folders.results, folders.images, folders.masks)
    return survey(found, folders.hole, folders.kind, folders.masks)


def pixels(path):
    return np.array(Image.open(path))


def missing(results):
    (results / "b.png").unlink()


def extra(results):
    shutil.copy(results / "b.png", results / "z.png")


def wrong_size(results):
    save(results / "b.png", pixels(results / "b.png")[:-1])


def a_jpeg(results):
    save(results / "b.jpg", pixels(results / "b.png"))
    (results / "b.png").unlink()


def a_broken_length(results):
    data = bytearray((results / "b.png").read_bytes())
    data[9] = 1  # of the header's chunk, which then ends behind the file
    (results / "b.png").write_bytes(bytes(data))


def a_jpeg_called_png(results):
    save(results / "b.png", pixels(results / "b.png"), format="JPEG")


def both(results):
    save(results / "b.jpg", pixels(results / "b.png"))


def transparent(results):
    Image.open(results / "b.png").convert("RGBA").save(results / "b.png")


def transparent_colour(results):
    Image.open(results / "b.png").save(results / "b.png", transparency=(0, 0, 0))


def grey(results):
    Image.open(results / "b.png").convert("L").save(results / "b.png")


def palette(results):
    Image.open(results / "b.png").convert("P").save(results / "b.png")


def deep_grey(results):
    save(results / "b.png", pixels(results / "b.png")[..., 0].astype(np.uint16) * 257)


def deep_rgb(results):
    import cv2

    cv2.imwrite(str(results / "b.png"), pixels(results / "b.png").astype(np.uint16) * 257)


def nothing_in_it(results):
    (results / "b.png").write_bytes(b"")


def no_image(results):
    (results / "b.png").write_text("not a picture")


def torn(results):
    whole = (results / "b.png").read_bytes()
    (results / "b.png").write_bytes(whole[: len(whole) // 2])


def one_level_outside(results):
    changed_HWC = pixels(results / "b.png")
    changed_HWC[0, 0, 0] ^= 1
    save(results / "b.png", changed_HWC)


def a_folder_beside(results):
    save(results / "b" / "00.png", pixels(results / "b.png"))


def empty(results):
    for path in results.iterdir():
        path.unlink()


FAULTS = [
    (missing, r"results: no result for b \(1 of 3 images have none\)"),
    (extra, r"z\.png: no image z in .*images \(1 such results\)"),
    (wrong_size, r"b\.png: 32 x 31 pixels, but .*b\.png has 32 x 32"),
    (a_jpeg, r"b\.jpg: a JPEG file; results must be PNG"),
    (a_jpeg_called_png, r"b\.png: a JPEG file; results must be PNG"),
    (both, r"b\.png: b\.jpg is a result of the same image and sample \(b\.png\); keep one"),
    (transparent, r"b\.png: mode RGBA; write 8-bit RGB"),
    (transparent_colour, r"b\.png: mode RGB with transparency"),
    (grey, r"b\.png: mode L; write 8-bit RGB"),
    (palette, r"b\.png: mode P; write 8-bit RGB"),
    (deep_grey, r"b\.png: 16 bits a channel"),
    (deep_rgb, r"b\.png: 16 bits a channel"),
    (nothing_in_it, r"b\.png: empty file \(0 bytes\)"),
    (no_image, r"b\.png: not a readable image"),
    (a_broken_length, r"b\.png: not a readable image"),
    (torn, r"b\.png: unreadable"),
    (one_level_outside, r"declared composited, but known pixels differ .* by up to 1 levels \(1 of 3 images are so\)"),
    (a_folder_beside, r"results: holds a\.png and b/00\.png; names must be of one kind, \{key\} or \{key\}/\{k\}"),
    (empty, r"results: no results in it"),
]


@pytest.mark.parametrize(("fault", "told"), FAULTS, ids=[fault.__name__ for fault, _ in FAULTS])
def test_a_fault_is_one_line_that_names_the_file(fault, told, handed_in):
    folders = handed_in()
    fault(folders.results)
    with pytest.raises(UserError, match=told) as caught:
        surveyed(folders)
    assert "\n" not in str(caught.value)


def a_sample_less(results):
    (results / "b" / "02.png").unlink()


def a_gap(results):
    (results / "b" / "01.png").unlink()


def another_name(results):
    (results / "b" / "01.png").rename(results / "b" / "one.png")


def copies(results):
    for folder in results.iterdir():
        for path in folder.iterdir():
            shutil.copy(folder / "00.png", path) if path.name != "00.png" else None


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (a_sample_less, r"results: no sample 2 of b; give every image as many \(3\)"),
        (a_gap, r"results: no sample 1 of b; give every image as many \(3\)"),
        (another_name, r"one\.png: not named as \{key\}/\{k\} \(b/one\.png\)"),
        (copies, r"00\.png: the 3 samples of this image, and of every other, are one and the same picture"),
    ],
)
def test_samples_are_numbered_as_many_for_every_image_and_different(fault, told, handed_in):
    folders = handed_in(samples=3)
    fault(folders.results)
    with pytest.raises(UserError, match=told):
        surveyed(folders)


@pytest.mark.parametrize("kind", ["composited", "raw"])
@pytest.mark.parametrize(("hole", "other"), [("white", "black"), ("black", "white")])
def test_masks_declared_the_wrong_way_round_are_told(kind, hole, other, handed_in):
    right = handed_in(kind="composited", hole=hole)
    assert not surveyed(right).warnings
    with pytest.raises(UserError, match=f"declared the wrong way round; use --hole {hole}$"):
        surveyed(dataclasses.replace(right, hole=other, kind=kind))


def test_raw_results_under_inverted_masks_raise_a_doubt(handed_in):
    folders = dataclasses.replace(handed_in(kind="raw"), hole="black")
    assert [line for line in surveyed(folders).warnings if line.endswith("or is it --hole white?")]
    with pytest.raises(UserError, match="or is it --hole white"):
        surveyed(dataclasses.replace(folders, kind="composited"))


def test_images_of_two_sizes_are_refused(handed_in):
    folders = handed_in()
    for room in ("images", "masks", "results"):
        path = folders.results.parent / room / "b.png"
        save(path, pixels(path)[:-1])
    with pytest.raises(UserError, match="32 x 31; score images of each size in a run of its own"):
        surveyed(folders)


def test_nothing_is_written_before_everything_is_checked(handed_in, tmp_path):
    folders = handed_in()
    one_level_outside(folders.results)
    with pytest.raises(UserError, match="known pixels differ"):
        score_folder(folders, ("psnr",), torch.device("cpu")).write(tmp_path / "out")
    assert not (tmp_path / "out").exists()
