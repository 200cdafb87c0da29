"""One file never ends a run: whatever is wrong with it becomes a reason."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stages.images.listing import ENDINGS, UNREAD
from stages.images.pixels import Uint8
from stages.images.prepare import Prepared, Refused, prepare
from stages.images.sources.item import Item
from tests.images.conftest import Paint, params_of, picture


def of_file(path: Path, split: str = "train", **keys: object) -> Prepared | Refused:
    return prepare(Item(path.name, split, path.parent), params_of("folder", **keys), 0)


@pytest.mark.parametrize("ending", sorted(ENDINGS - UNREAD))
def test_what_is_listed_is_read(tmp_path: Path, paint: Paint, ending: str) -> None:
    mode = {".pgm": "L", ".pbm": "1", ".gif": "P"}.get(ending, "RGB")
    for name in (f"a{ending}", f"b{ending.upper()}"):
        found = of_file(paint(tmp_path / name, mode=mode))
        assert isinstance(found, Prepared) and found.image_HWC.shape == (16, 19, 3)


@pytest.mark.parametrize("ending", sorted(UNREAD))
def test_what_cannot_be_read_is_told_with_the_mend(tmp_path: Path, ending: str) -> None:
    (tmp_path / f"a{ending}").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0")
    found = of_file(tmp_path / f"a{ending}")
    assert isinstance(found, Refused) and f"{ending} pictures cannot be read" in found.reason
    assert "convert it to PNG or JPEG" in found.reason
    Image.fromarray(picture(0)).save(tmp_path / f"a{ending}", "JPEG")  # as some phones' exports are
    assert isinstance(of_file(tmp_path / f"a{ending}"), Prepared)


@pytest.mark.parametrize("ending", ["png", "jpg"])
@pytest.mark.parametrize("split", ["train", "val"])
def test_a_strip_that_would_grow_past_all_bounds_is_refused(tmp_path: Path, split: str, ending: str) -> None:
    def strip(height: int, width: int, **keys: object) -> Prepared | Refused:
        Image.fromarray(np.zeros((height, width, 3), dtype=np.uint8)).save(tmp_path / "a.png")
        return of_file(tmp_path / "a.png", split, format=ending, **keys)

    for height, width, grown in ((1, 40_000, "640000 x 16"), (40_000, 1, "16 x 640000")):
        found = strip(height, width)
        assert isinstance(found, Refused) and f"{width} x {height} would become {grown}" in found.reason
    assert isinstance(strip(1, 50), Prepared) and isinstance(strip(1, 4_000), Prepared)
    assert isinstance(strip(1, 4_000, max_pixels=16 * 64_000 - 1), Refused)
    assert isinstance(strip(1, 40_000, resize={"policy": "square"}), Prepared)
    for policy, height, scale in (("none", 16, 1), ("shorter", 1, 16)):
        longest = 65_500 // scale  # JPEG holds a side of 65500 pixels and no longer one
        assert isinstance(strip(height, longest, resize={"policy": policy}), Prepared)
        assert isinstance(strip(height, longest + 1, resize={"policy": policy}), Refused)


@pytest.mark.parametrize("error", [ValueError("v"), OSError("o"), KeyError("k"), ZeroDivisionError(), MemoryError("m")])
def test_whatever_a_decoder_raises_is_a_reason(error: Exception) -> None:
    class Broken(Item):
        def image(self, limit: int) -> Uint8:
            raise error

    found = prepare(Broken("a.png", "train", Path()), params_of("folder"), 0)
    assert isinstance(found, Refused) and str(error) in found.reason


def test_a_link_to_nowhere_is_a_reason(tmp_path: Path) -> None:
    (tmp_path / "a.png").symlink_to(tmp_path / "gone.png")
    assert isinstance(of_file(tmp_path / "a.png"), Refused)


@pytest.mark.parametrize("scale", [2, 3, 4, 7])
def test_a_label_map_shrinks_about_the_same_centre_as_its_image(tmp_path: Path, scale: int) -> None:
    columns_N = np.arange(16 * scale)
    labels_HW = np.minimum(columns_N, 250)[None].repeat(16 * scale, axis=0).astype(np.uint8)
    Image.fromarray(labels_HW[..., None].repeat(3, axis=-1)).save(tmp_path / "a.png")
    item = Item("a.png", "test", tmp_path, labels=lambda: labels_HW)
    found = prepare(item, params_of("folder"), 251)
    assert isinstance(found, Prepared)
    small_HW = np.asarray(Image.open(io.BytesIO(found.labels))).astype(int)
    assert np.abs(small_HW - found.image_HWC[..., 0]).max() <= 1  # the mean column of an area, rounded: its centre
