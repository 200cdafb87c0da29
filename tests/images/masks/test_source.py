"""A mask that belongs to an image is found by the image's name, and resized and cropped as the image is."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from stages.contract import UserError
from stages.images.build import build
from stages.images.dataset import Dataset
from stages.images.files import write_png
from stages.images.masks import MaskSet, Source, freeze
from tests.images.conftest import params_of, silent

WHITE = {"generator": "files", "hole": "white"}


class Work:
    """A dataset of images in images/, and masks in masks/ frozen for those in test/."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def image(self, name: str, height: int, width: int, hole: tuple[slice, slice] | None = None) -> np.ndarray:
        """An image of noise whose hole, where it has one, is the only white in it; its mask lies in masks/."""
        seed = int.from_bytes(name.encode()[:8], "big")
        image_HWC = np.random.default_rng(seed).integers(0, 100, (height, width, 3), dtype=np.uint8)
        if hole is not None:
            image_HWC[hole] = 255
            self.mask(name, height, width, hole)
        write_png(self.root / "images" / name, image_HWC)
        return image_HWC

    def mask(self, name: str, height: int, width: int, hole: tuple[slice, slice]) -> None:
        hole_HW = np.zeros((height, width), dtype=np.uint8)
        hole_HW[hole] = 255
        write_png(self.root / "masks" / name, hole_HW)

    def frozen(self, **keys: Any) -> tuple[Dataset, MaskSet, list[str]]:
        params = params_of("folder", root=str(self.root / "images"), **keys)
        build("d", params, self.root / "shards", silent)
        test, source = Dataset.open(self.root / "shards", "test"), Source(self.root / "shards", params, "test")
        block = {**WHITE, "folder": str(self.root / "masks")}
        told = freeze(block, test.keys, params.size, self.root / "frozen", "files", source=source)
        return test, MaskSet.open(self.root / "frozen", "files"), told


@pytest.fixture
def work(tmp_path: Path) -> Work:
    found = Work(tmp_path)
    for k in range(3):
        found.image(f"train/{k}.png", 70, 70)
    return found


def test_a_mask_has_its_images_geometry(work: Work) -> None:
    work.image("test/wide.png", 60, 120, (slice(10, 50), slice(20, 40)))
    _, masks, told = work.frozen(size=60)
    hole_HW = masks.hole("test-wide")
    assert np.flatnonzero(hole_HW.any(axis=0)).tolist() == list(range(10)), "columns 20-39, of which 30-89 are kept"
    assert np.flatnonzero(hole_HW.any(axis=1)).tolist() == list(range(10, 50)) and not told


@pytest.mark.parametrize("policy", ["shorter", "square", "none"])
@pytest.mark.parametrize(("height", "width"), [(64, 64), (64, 160), (192, 64), (128, 96)])
def test_the_hole_is_where_the_image_shows_it(work: Work, policy: str, height: int, width: int) -> None:
    hole = slice(height // 4, 2 * height // 3), slice(width // 3, 2 * width // 3)
    image_HWC = work.image("test/a.png", height, width, hole)
    write_png(work.root / "images/test/a.png", np.where(image_HWC == 255, image_HWC, 0))
    test, masks, _ = work.frozen(size=32, resize={"policy": policy})
    shown_HW, hole_HW = test.image(0)[..., 0], masks.hole(test.keys[0])
    assert hole_HW[shown_HW == 255].all() and not hole_HW[shown_HW == 0].any(), "at its edge the image is a mixture"
    assert (shown_HW == 255).any()


def test_a_mask_of_the_stored_picture_is_taken_as_it_is(work: Work) -> None:
    work.image("test/wide.png", 60, 120)
    work.mask("test/wide.png", 30, 30, (slice(3, 9), slice(0, 7)))
    hole_HW = work.frozen(size=30)[1].hole("test-wide")
    assert hole_HW.sum() == 6 * 7 and hole_HW[3:9, :7].all()


def test_a_mask_may_be_of_another_scale_where_images_are_resized(work: Work) -> None:
    work.image("test/wide.png", 60, 120)
    work.mask("test/wide.png", 30, 60, (slice(0, 30), slice(20, 40)))
    hole_HW = work.frozen(size=60)[1].hole("test-wide")
    assert np.flatnonzero(hole_HW.any(axis=0)).tolist() == list(range(10, 50))
    with pytest.raises(UserError, match="30 pixels, its image 120 x 60"):
        work.frozen(size=20, resize={"policy": "none"})


def test_a_mask_of_another_shape_is_one_line(work: Work) -> None:
    work.image("test/wide.png", 60, 120)
    work.mask("test/wide.png", 120, 60, (slice(0, 30), slice(20, 40)))
    with pytest.raises(UserError, match=r"^test/wide\.png: the mask has 60 x 120 pixels, its image 120 x 60; give"):
        work.frozen(size=30)


@pytest.mark.parametrize("pair", [("写真1.png", "照片1.png"), ("img 1.png", "img_1.png"), ("a/b.png", "a-b.png")])
def test_names_that_share_a_key_keep_their_own_masks(work: Work, pair: tuple[str, str]) -> None:
    one, other = (f"test/{name}" for name in pair)
    work.image(one, 40, 40, (slice(0, 10), slice(0, 10)))
    work.mask(other, 40, 40, (slice(20, 40), slice(20, 40)))
    test, masks, _ = work.frozen(size=40)
    assert len(test.keys) == 1 and masks.hole(test.keys[0])[:10, :10].all() and masks.hole(test.keys[0]).sum() == 100
    work.image(other, 40, 40, (slice(20, 40), slice(20, 40)))
    test, masks, _ = work.frozen(size=40)
    for index, key in enumerate(test.keys):
        assert np.array_equal(masks.hole(key), test.image(index).min(axis=-1) == 255)


def test_the_mask_of_another_name_is_none(work: Work) -> None:
    work.image("test/写真1.png", 40, 40)
    work.mask("test/照片1.png", 40, 40, (slice(0, 10), slice(0, 10)))
    with pytest.raises(UserError, match=r"masks: no mask named test/写真1\.\*; masks are paired .* by relative name"):
        work.frozen(size=40)


def test_what_is_odd_about_a_mask_file_is_told(work: Work) -> None:
    work.image("test/a.png", 40, 40, (slice(0, 10), slice(0, 10)))
    grey_HW = np.zeros((40, 40), dtype=np.uint8)
    grey_HW[:10], grey_HW[10:12] = 250, 5
    Image.fromarray(grey_HW).save(work.root / "masks/test/a.png")
    _, masks, told = work.frozen(size=40)
    assert masks.hole("test-a").sum() == 400
    assert told == [
        "mask set files, test-a: its levels are 0 and 5 and 250, not 0 and 255: those above 127 count as white"
    ]
