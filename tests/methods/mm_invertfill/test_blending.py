"""Blended completions: the completion's gradients, the known colours, whatever the hole's shape."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from stages.methods.mm_invertfill.sampling.blending import blended
from tests.methods.mm_invertfill.encoders import random
from tests.methods.mm_invertfill.whole import SIZE, blocks

IMAGE = 0.5 * blocks(0).image_BCHW
HOLES = {  # rows and columns that are missing
    "inside": [(slice(8, 24), slice(8, 24))],
    "at the border": [(slice(0, 20), slice(5, 25))],
    "in a corner": [(slice(20, 32), slice(0, 9))],
    "a strip": [(slice(0, 32), slice(10, 20))],
    "around": [(slice(0, 8), slice(0, 32)), (slice(24, 32), slice(0, 32)), (slice(0, 32), slice(0, 8))],
    "two": [(slice(2, 9), slice(2, 9)), (slice(15, 30), slice(18, 31))],
    "a pixel": [(slice(5, 6), slice(5, 6))],
}


def known(name: str) -> Tensor:
    """1 where a pixel is given, the same for both images."""
    known_B1HW = torch.ones(2, 1, SIZE, SIZE)
    for rows, columns in HOLES[name]:
        known_B1HW[:, :, rows, columns] = 0
    return known_B1HW


@pytest.mark.parametrize("name", HOLES)
def test_a_completion_that_is_off_by_one_colour_becomes_the_image(name):
    shift_BK311 = 0.4 * random(2, 3, 3, 1, 1).tanh()
    found_BKCHW = blended(IMAGE[:, None] + shift_BK311, IMAGE, known(name))
    assert found_BKCHW.shape == (2, 3, 3, SIZE, SIZE)
    assert (found_BKCHW - IMAGE[:, None]).abs().max() < 1e-5


@pytest.mark.parametrize("name", HOLES)
def test_in_the_hole_what_is_added_is_the_mean_of_its_neighbours(name):
    """Known neighbours count by what the completion misses there; beyond the picture there are none."""
    raw_BKCHW, known_B1HW = 0.3 * random(2, 2, 3, SIZE, SIZE).tanh(), known(name)
    added = blended(raw_BKCHW, IMAGE, known_B1HW)[0, 1] - raw_BKCHW[0, 1]
    for i, j in (known_B1HW[0, 0] == 0).nonzero().tolist():
        beside = [(i - 1, j), (i + 1, j), (i, j - 1), (i, j + 1)]
        there = [added[:, y, x] for y, x in beside if 0 <= y < SIZE and 0 <= x < SIZE]
        assert torch.allclose(added[:, i, j], sum(there) / len(there), atol=1e-4)


@pytest.mark.parametrize("name", HOLES)
def test_known_pixels_are_the_images_bit_for_bit_and_the_holes_content_is_not_read(name):
    raw_BKCHW, known_B1HW = random(2, 2, 3, SIZE, SIZE).tanh(), known(name)
    found_BKCHW = blended(raw_BKCHW, IMAGE, known_B1HW)
    assert torch.equal(found_BKCHW * known_B1HW[:, None], (IMAGE * known_B1HW)[:, None].expand(-1, 2, -1, -1, -1))
    spoilt_BCHW = torch.where(known_B1HW > 0, IMAGE, torch.nan)
    assert torch.equal(blended(raw_BKCHW, spoilt_BCHW, known_B1HW), found_BKCHW)
    assert found_BKCHW.abs().max() <= 1


def test_where_nothing_is_known_the_completion_stays_and_where_all_is_it_is_the_image():
    raw_BKCHW = random(2, 2, 3, SIZE, SIZE).tanh()
    assert torch.equal(blended(raw_BKCHW, IMAGE, torch.zeros(2, 1, SIZE, SIZE)), raw_BKCHW)
    found_BKCHW = blended(raw_BKCHW, IMAGE, torch.ones(2, 1, SIZE, SIZE))
    assert torch.equal(found_BKCHW, IMAGE[:, None].expand(-1, 2, -1, -1, -1))


def test_no_completion_depends_on_another():
    raw_BKCHW, known_B1HW = random(2, 2, 3, SIZE, SIZE).tanh(), known("at the border")
    known_B1HW[1] = known("around")[1]
    together = blended(raw_BKCHW, IMAGE, known_B1HW)
    for b in range(2):
        for k in range(2):
            alone = blended(raw_BKCHW[b : b + 1, k : k + 1], IMAGE[b : b + 1], known_B1HW[b : b + 1])
            assert torch.allclose(alone[0, 0], together[b, k], atol=1e-6)
