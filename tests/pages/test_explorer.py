"""The explorer's files: outlines, tiles, names and scripts."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from stages.pages.explorer import folder, outline, sprites

HOLES = arrays(np.bool_, (6, 6))


def edges(path: str) -> set[tuple[int, int, str]]:
    """The unit edges of an outline: (x, y, direction)."""
    found = set()
    for stroke in path.split("M")[1:]:
        direction = "h" if "h" in stroke else "v"
        start, length = stroke.split(direction)
        x, y = map(int, start.split())
        found |= {(x + i, y, "h") if direction == "h" else (x, y + i, "v") for i in range(int(length))}
    return found


@given(HOLES)
def test_the_outline_is_every_edge_between_hole_and_not_hole(hole_HW: NDArray[np.bool_]) -> None:
    around_HW = np.pad(hole_HW, 1)
    expected = {(x, y, "h") for y in range(7) for x in range(6) if around_HW[y, x + 1] != around_HW[y + 1, x + 1]}
    expected |= {(x, y, "v") for y in range(6) for x in range(7) if around_HW[y + 1, x] != around_HW[y + 1, x + 1]}
    assert edges(outline.outline(hole_HW)) == expected


@given(st.text(max_size=6), st.text(max_size=6))
def test_two_names_stay_two_and_none_leaves_the_folder(a: str, b: str) -> None:
    assert (folder.slug(a) == folder.slug(b)) == (a == b)
    assert "/" not in folder.slug(a)


def test_equal_samples_have_no_spread_and_more_spread_is_lighter() -> None:
    flat_KHWC = np.full((3, 2, 2, 3), 90, np.uint8)
    little_KHWC, much_KHWC = flat_KHWC.copy(), flat_KHWC.copy()
    little_KHWC[0] += 20
    much_KHWC[0] += 120
    dark, middle, light = (int(sprites.spread(given).sum()) for given in (flat_KHWC, little_KHWC, much_KHWC))
    assert (sprites.spread(flat_KHWC) == sprites.HEAT[0]).all() and dark < middle < light


def test_a_script_cannot_be_left_by_what_it_holds() -> None:
    assert "</script" not in folder.script({"keys": ["</script><script>alert(1)</script>", "<!--"]})
