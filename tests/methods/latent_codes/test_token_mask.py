"""From a mask of pixels to a mask of tokens (paper 000, eq. 4)."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from stages.methods.latent_codes.blocks.token_mask import TokenMask, half_known

SIDE = 64


def masks(share: float = 0.5) -> Tensor:
    """Scattered pixels, and a box that lies unevenly."""
    known_B1HW = (torch.rand(2, 1, SIDE, SIDE, generator=torch.Generator().manual_seed(0)) < share).float()
    known_B1HW[1] = 1
    known_B1HW[1, :, 7:42, 13:51] = 0
    return known_B1HW


@pytest.mark.parametrize("alpha", [0.0, 0.3, 0.5, 0.75, 1.0])
@pytest.mark.parametrize("levels", [1, 2, 4])
@pytest.mark.parametrize("stem", [1, 2, 4])
def test_cells_of_a_mirrored_mask_are_the_mirrored_cells(stem, levels, alpha):
    rule, known_B1HW = TokenMask(alpha=alpha), masks()
    cells_B1HW = rule.cells(known_B1HW, stem, levels)
    for axes in ((2,), (3,), (2, 3)):
        assert torch.equal(rule.cells(known_B1HW.flip(axes), stem, levels), cells_B1HW.flip(axes))


@pytest.mark.parametrize("alpha", [0.25, 0.3, 0.5, 0.75, 1.0])
@pytest.mark.parametrize(("stem", "levels"), [(2, 1), (4, 1), (1, 2)])
def test_over_one_level_kept_cells_are_those_that_are_seen_to_alpha(stem, levels, alpha):
    known_B1HW, side = masks(), max(stem, 2)
    seen_B1HW = known_B1HW.unflatten(2, (-1, side)).unflatten(4, (-1, side)).mean((3, 5))
    assert torch.equal(TokenMask(alpha=alpha).cells(known_B1HW, stem, levels), (seen_B1HW >= alpha).float())


@pytest.mark.parametrize(("window", "kept"), [("stride", 112), ("kernel", 91)])
def test_around_the_papers_box_the_cells_known_to_a_half_are_kept(window, kept):
    """80 % of 256 px, 16 x 16 cells; eq. 4's window is off-centre and loses a row and a column."""
    known_B1HW = torch.ones(1, 1, 256, 256)
    known_B1HW[..., 26:230, 26:230] = 0
    cells_B1HW = TokenMask(window=window).cells(known_B1HW, 1, 5)
    assert cells_B1HW.sum() == kept
    assert torch.equal(cells_B1HW.flatten(1) > 0, half_known(known_B1HW, 256)) == (window == "stride")


def test_cells_known_to_exactly_a_half_are_half_known():
    known_B1HW = masks()
    seen_BN = known_B1HW.unflatten(2, (-1, 2)).unflatten(4, (-1, 2)).mean((3, 5)).flatten(1)
    assert torch.equal(half_known(known_B1HW, SIDE**2 // 4), seen_BN >= 0.5) and (seen_BN == 0.5).any()
