"""An edge map's picture has the edges that a person sees in it: the rarer level, or the one declared."""

import numpy as np
import pytest

from stages.contract import UserError
from stages.images.edge_levels import edge_map_of
from stages.images.pixels import Uint8


def sheet(share: float, white: int = 255, black: int = 0) -> Uint8:
    """(10, 10, 3) of which that share is white."""
    levels_N = np.where(np.arange(100) < round(100 * share), white, black).astype(np.uint8)
    return levels_N.reshape(10, 10, 1).repeat(3, axis=-1)


@pytest.mark.parametrize("share", [0.01, 0.2, 0.39, 0.61, 0.8, 0.99])
def test_edges_are_the_rarer_level(share: float) -> None:
    edges = edge_map_of(sheet(share), None, "e.png")
    assert edges.edges_HW.mean() == pytest.approx(min(share, 1 - share)) and edges.remark is None
    assert edges.colour == ("white" if share < 0.5 else "black")
    inverse = edge_map_of(255 - sheet(share), None, "e.png")
    assert np.array_equal(inverse.edges_HW, edges.edges_HW) and inverse.colour != edges.colour


@pytest.mark.parametrize("share", [0.4, 0.5, 0.6])
def test_where_neither_level_is_rare_the_colour_is_asked_for(share: float) -> None:
    with pytest.raises(UserError, match=r"^e.png: \d0% of it are white, .*; say which by --edge-colour") as told:
        edge_map_of(sheet(share), None, "e.png")
    assert "\n" not in str(told.value)
    for colour, expected in (("white", share), ("black", 1 - share)):
        edges = edge_map_of(sheet(share), colour, "e.png")
        assert edges.edges_HW.mean() == pytest.approx(expected) and edges.remark is None


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_a_sheet_of_one_level_has_no_edge_and_that_is_told(share: float) -> None:
    edges = edge_map_of(sheet(share), None, "e.png")
    assert not edges.edges_HW.any() and edges.remark == "no edge in it"


def test_grey_is_thresholded_and_told() -> None:
    edges = edge_map_of(sheet(0.1, 128, 127), None, "e.png")  # two levels, the threshold between them
    assert edges.edges_HW.mean() == pytest.approx(0.1)
    assert edges.remark == "its levels are 127 and 128, not 0 and 255: those above 127 count as white"


@pytest.mark.parametrize("ink", [0, 255])
def test_strokes_on_a_transparent_ground_are_the_edges_however_many(ink: int) -> None:
    drawn_HW = sheet(0.5)[..., 0]
    picture_HWC = np.dstack([np.full((10, 10, 3), ink, dtype=np.uint8), drawn_HW])
    edges = edge_map_of(picture_HWC, None, "e.png")
    assert np.array_equal(edges.edges_HW, drawn_HW > 0) and edges.colour == ("white" if ink else "black")
    other = edge_map_of(picture_HWC, "black" if ink else "white", "e.png")
    assert np.array_equal(other.edges_HW, drawn_HW == 0), "what was declared counts"
