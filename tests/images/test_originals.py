"""What a file holds comes back with its completions: own pixels, alpha, ICC profile; what cannot is told."""

import io
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageCms

from stages.contract import UserError
from stages.images import originals
from tests.images.conftest import picture

HOLE_HW = np.zeros((40, 48), dtype=bool)
HOLE_HW[10:20, 5:30] = True
DRAWN_HWC = np.full((40, 48, 3), 77, dtype=np.uint8)
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def completed(path: Path) -> Image.Image:
    return Image.open(io.BytesIO(originals.read(path).completed(DRAWN_HWC, HOLE_HW)))


def test_the_icc_profile_is_kept(tmp_path: Path) -> None:
    for name in ("a.png", "a.jpg", "a.webp"):
        Image.fromarray(picture(0)).save(tmp_path / name, icc_profile=SRGB)
        assert completed(tmp_path / name).info["icc_profile"] == SRGB, name
        assert originals.read(tmp_path / name).lost == ()
    Image.fromarray(picture(0)).save(tmp_path / "plain.png")
    assert "icc_profile" not in completed(tmp_path / "plain.png").info


def test_alpha_and_the_colour_below_it_are_kept_and_the_hole_is_opaque(tmp_path: Path) -> None:
    alpha_HW = np.random.default_rng(0).integers(0, 256, (40, 48), dtype=np.uint8)
    own_HWC = np.dstack([picture(0), alpha_HW])
    Image.fromarray(own_HWC).save(tmp_path / "a.png")
    done_HWC = np.asarray(completed(tmp_path / "a.png"))
    assert np.array_equal(done_HWC[~HOLE_HW], own_HWC[~HOLE_HW])
    assert (done_HWC[HOLE_HW] == (77, 77, 77, 255)).all()
    assert originals.read(tmp_path / "a.png").image_HWC.shape == (40, 48, 3)


def test_an_rgb_picture_stays_rgb(tmp_path: Path) -> None:
    Image.fromarray(picture(0)).save(tmp_path / "a.png")
    done = completed(tmp_path / "a.png")
    assert done.mode == "RGB" and np.array_equal(np.asarray(done)[~HOLE_HW], picture(0)[~HOLE_HW])


def deep_grey(path: Path) -> None:
    Image.fromarray(picture(0)[..., 0].astype(np.uint16) * 257).save(path)


def deep_rgb(path: Path) -> None:
    cv2.imwrite(str(path), picture(0).astype(np.uint16) * 257)


def cmyk(path: Path) -> None:
    Image.fromarray(picture(0)).convert("CMYK").save(path, format="TIFF")


def another_space(path: Path) -> None:
    grey = SRGB[:16] + b"GRAY" + SRGB[20:]
    Image.fromarray(picture(0)[..., 0]).save(path, icc_profile=grey)


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        (deep_grey, "16 bits a channel are rounded to 8"),
        (deep_rgb, "16 bits a channel are rounded to 8"),
        (cmyk, "CMYK is converted to RGB"),
        (another_space, "its ICC profile is left out, since it is of L and not of RGB"),
    ],
)
def test_what_an_eight_bit_rgb_result_loses_is_told(kind: Callable[[Path], None], told: str, tmp_path: Path) -> None:
    kind(tmp_path / "a.png")
    found = originals.read(tmp_path / "a.png")
    assert found.lost == (told,) and found.profile is None


def test_a_file_that_is_no_image_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_text("text")
    with pytest.raises(UserError, match=r"a\.png: not an image"):
        originals.read(tmp_path / "a.png")
