"""Windows: a network of one size, pictures of any."""

import numpy as np
import pytest

from stages.images import pixels
from stages.sampling import windows


@pytest.mark.parametrize(("height", "width"), [(16, 16), (10, 23), (64, 64), (101, 40), (33, 128)])
@pytest.mark.parametrize("kind", ["whole", "hole"])
def test_what_the_network_sees_does_not_depend_on_hole_content(height: int, width: int, kind: str) -> None:
    rng = np.random.default_rng(height * width)
    image, hole = rng.integers(0, 256, (height, width, 3), dtype=np.uint8), np.zeros((height, width), dtype=bool)
    hole[3:9, 4:8] = True
    other = np.where(hole[..., None], rng.integers(0, 256, image.shape, dtype=np.uint8), image)
    window = windows.whole(hole) if kind == "whole" else windows.around(hole, 16)
    seen, known = windows.see(image, hole, window, 16)
    assert seen.shape == (1, 3, 16, 16)
    assert (seen == windows.see(other, hole, window, 16)[0]).all()
    assert (seen * (1 - known) == 0).all() and known.sum() > 0


def test_a_picture_of_the_networks_size_goes_through_unresampled() -> None:
    rng = np.random.default_rng(0)
    image, hole = rng.integers(0, 256, (16, 16, 3), dtype=np.uint8), np.zeros((16, 16), dtype=bool)
    hole[2:7, 3:9] = True
    for window in (windows.whole(hole), windows.around(hole, 16), windows.exact(hole)):
        seen, _ = windows.see(image, hole, window, 16)
        assert (windows.back(seen, image, hole, window)[0].numpy()[~hole] == image[~hole]).all()
        raw = pixels.to_float(image[None])
        assert (windows.back(raw, image, hole, window)[0].numpy() == image).all()


def test_the_hole_window_holds_the_hole_and_lies_inside() -> None:
    hole = np.zeros((200, 300), dtype=bool)
    hole[150:190, 5:25] = True
    window = windows.around(hole, 64)
    assert window == windows.Window(120, 0, 80, 80)
    hole[10, 290] = True  # holes far apart: the whole picture
    assert windows.around(hole, 64) == windows.whole(hole) == windows.Window(-50, 0, 300, 300)


def test_a_flat_completion_comes_back_flat_at_any_size() -> None:
    hole = np.zeros((90, 70), dtype=bool)
    hole[10:60, 20:50] = True
    image = np.zeros((90, 70, 3), dtype=np.uint8)
    raw = pixels.to_float(np.full((2, 16, 16, 3), 200, dtype=np.uint8))
    result = windows.back(raw, image, hole, windows.whole(hole)).numpy()
    assert result.shape == (2, 90, 70, 3)
    assert (result[:, hole] == 200).all() and (result[:, ~hole] == 0).all()
