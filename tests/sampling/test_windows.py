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


@pytest.mark.parametrize(
    ("height", "width", "size"), [(16, 16, 16), (40, 24, 16), (31, 57, 8), (9, 7, 16), (64, 64, 5)]
)
def test_a_small_pixel_is_an_edge_where_its_area_holds_one(height: int, width: int, size: int) -> None:
    edges = np.random.default_rng(height).random((height, width)) < 0.05
    window = windows.Window(0, 0, height, width)
    small, known = windows.see_edges(edges, window, size)
    rows, columns = ([(k * side // size, -(-(k + 1) * side // size)) for k in range(size)] for side in (height, width))
    expected = [[edges[slice(*row), slice(*column)].any() for column in columns] for row in rows]
    assert (small[0, 0].numpy().astype(bool) == expected).all() and (known == 1).all()


@pytest.mark.parametrize(
    ("height", "width", "size"), [(16, 16, 16), (40, 24, 16), (31, 57, 8), (9, 7, 16), (64, 64, 5)]
)
def test_a_small_pixel_has_the_class_of_its_centre(height: int, width: int, size: int) -> None:
    labels = np.random.default_rng(width).integers(0, 12, (height, width), dtype=np.uint8)
    labels[0, 0] = 255
    small, known = windows.see_labels(labels, windows.Window(0, 0, height, width), size)
    rows, columns = ([int((k + 0.5) * side / size) for k in range(size)] for side in (height, width))
    expected = labels[np.ix_(rows, columns)]
    assert (small[0].numpy() == expected).all() and (known[0, 0].numpy() == (expected != 255)).all()


def test_maps_are_not_known_over_the_pictures_border_nor_elsewhere_moved() -> None:
    edges, labels = np.zeros((6, 10), dtype=bool), np.zeros((6, 10), dtype=np.uint8)
    edges[2, 3], labels[2, 3] = True, 7
    window = windows.whole(edges)  # two rows above the picture, two below
    for _, known in (windows.see_edges(edges, window, 10), windows.see_labels(labels, window, 10)):
        rows = known[0, 0].numpy().any(axis=1)
        assert rows.tolist() == [False] * 2 + [True] * 6 + [False] * 2
    assert windows.see_edges(edges, window, 10)[0].nonzero().tolist() == [[0, 0, 4, 3]]
    assert (windows.see_labels(labels, window, 10)[0] == 7).nonzero().tolist() == [[0, 4, 3]]
    inner = windows.Window(1, 2, 4, 4)
    assert windows.see_edges(edges, inner, None)[0].nonzero().tolist() == [[0, 0, 1, 1]]
    assert (windows.see_labels(labels, inner, None)[0] == 7).nonzero().tolist() == [[0, 1, 1]]
