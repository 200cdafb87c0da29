"""Conversions are exact inverses, and nothing that is in a hole comes out of it."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from stages.contract import UserError
from stages.images import files, pixels
from tests.images.conftest import Paint, picture


def test_every_level_survives_the_way_in_and_out() -> None:
    image_BHWC = np.arange(256, dtype=np.uint8).repeat(3).reshape(1, 16, 16, 3)
    image_BCHW = pixels.to_float(image_BHWC)
    assert image_BCHW.min() == -1 and image_BCHW.max() == 1
    assert np.array_equal(pixels.to_uint8(image_BCHW).numpy(), image_BHWC)


def test_nothing_in_the_hole_enters_not_even_nan() -> None:
    torch.manual_seed(0)
    known_B1HW = (torch.rand(1, 1, 30, 44) > 0.05).float()
    clean_BCHW = torch.rand(1, 3, 30, 44)
    for poison in (float("nan"), float("inf"), -0.7):
        dirty_BCHW = torch.where(known_B1HW > 0, clean_BCHW, torch.tensor(poison))
        ours = pixels.shrink_masked(dirty_BCHW, known_B1HW, (13, 16))
        for mine, theirs in zip(ours, pixels.shrink_masked(clean_BCHW, known_B1HW, (13, 16)), strict=True):
            assert torch.equal(mine, theirs)
        assert torch.equal(pixels.blank(dirty_BCHW, known_B1HW), pixels.blank(clean_BCHW, known_B1HW))


def test_a_small_pixel_is_known_only_where_all_its_sources_are() -> None:
    known_B1HW = torch.ones(1, 1, 8, 8)
    known_B1HW[..., 3, 3] = 0
    image_BCHW = torch.arange(64.0).reshape(1, 1, 8, 8).expand(1, 3, 8, 8)
    small_BCHW, small_B1HW = pixels.shrink_masked(image_BCHW, known_B1HW, 4)
    assert (small_B1HW == 0).nonzero().tolist() == [[0, 0, 1, 1]]
    assert small_BCHW[0, 0, 1, 1] == 0
    assert small_BCHW[0, 0, 0, 0] == image_BCHW[0, 0, :2, :2].mean()


def test_composite_keeps_known_pixels_to_the_bit() -> None:
    known_B1HW = (torch.rand(2, 1, 8, 8) > 0.5).float()
    image_BCHW, raw_BCHW = torch.rand(2, 3, 8, 8), torch.rand(2, 3, 8, 8)
    together_BCHW = pixels.composite(raw_BCHW, image_BCHW, known_B1HW)
    assert torch.equal(pixels.blank(together_BCHW, known_B1HW), pixels.blank(image_BCHW, known_B1HW))
    assert torch.equal(pixels.blank(together_BCHW, 1 - known_B1HW), pixels.blank(raw_BCHW, 1 - known_B1HW))


@pytest.mark.parametrize("mode", ["L", "P", "CMYK", "RGBA", "LA", "1", "YCbCr"])
def test_other_modes_become_rgb(tmp_path: Path, paint: Paint, mode: str) -> None:
    ending = {"CMYK": "jpg", "YCbCr": "jpg"}.get(mode, "png")
    image_HWC = files.read_rgb(paint(tmp_path / f"a.{ending}", mode=mode))
    expected = np.asarray(Image.fromarray(picture(0)).convert(mode).convert("RGB"), dtype=int)
    assert image_HWC.shape == (40, 48, 3) and image_HWC.dtype == np.uint8
    assert np.abs(image_HWC - expected).mean() < 12  # JPEG


def test_sixteen_bits_become_eight_and_transparency_white(tmp_path: Path) -> None:
    Image.fromarray(np.full((4, 4), 257 * 77, dtype=np.uint16)).save(tmp_path / "deep.png")
    assert (files.read_rgb(tmp_path / "deep.png") == 77).all()
    Image.fromarray(np.zeros((4, 4, 4), dtype=np.uint8)).save(tmp_path / "clear.png")
    assert (files.read_rgb(tmp_path / "clear.png") == 255).all()


def test_a_rotated_photograph_is_set_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: rotate by 90 degrees to view
    Image.fromarray(picture(3)).save(tmp_path / "turned.png", exif=exif)
    assert np.array_equal(files.read_rgb(tmp_path / "turned.png"), np.rot90(picture(3), -1))


@pytest.mark.parametrize("hole", ["white", "black"])
def test_masks_have_the_declared_polarity(tmp_path: Path, hole: str) -> None:
    grey_HW = np.array([[0, 127], [128, 255]], dtype=np.uint8)
    files.write_png(tmp_path / "m.png", grey_HW)
    white_HW = np.array([[False, False], [True, True]])
    assert np.array_equal(files.read_hole(tmp_path / "m.png", hole), white_HW if hole == "white" else ~white_HW)


def test_mistakes_are_told_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "no.png").write_text("no image")
    for path in (tmp_path / "no.png", tmp_path / "absent.png"):
        with pytest.raises(UserError, match=path.name):
            files.read_rgb(path)
    files.write_png(tmp_path / "m.png", picture(0))
    with pytest.raises(UserError, match="white or black"):
        files.read_hole(tmp_path / "m.png", "grey")
