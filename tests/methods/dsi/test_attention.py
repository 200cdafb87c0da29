"""Structural attention equals its equations, pair by pair (paper 001, eq. 5-7)."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from stages.methods.dsi.blocks.attention import (
    AttentionParams,
    fused,
    kept_outside,
    known_cells,
    scores,
    transfer,
)
from stages.methods.dsi.blocks.generator import Sizes, TextureGenerator

SIDE = 5


def patch(map_Dhw: Tensor, i: int, j: int) -> Tensor:
    """The 3 x 3 patch around a cell, zeros beyond the border."""
    return F.pad(map_Dhw, (1, 1, 1, 1))[:, i : i + 3, j : j + 3]


def pair_by_pair(source_Dhw: Tensor, distance: str, allowed: list[tuple[int, int]]) -> Tensor:
    """Equations 5 and 6 for one image, (queries, keys); keys that are not allowed get nothing."""
    cells = [(i, j) for i in range(SIDE) for j in range(SIDE)]
    rows = []
    for query in cells:
        d = torch.stack(
            [(patch(source_Dhw, *query) - patch(source_Dhw, *key)).square().sum().sqrt() for key in allowed]
        )
        d = d.square() if distance == "squared" else d
        score = (50 * torch.tanh(-(d - d.mean()) / d.std(correction=0))).softmax(0)
        row = torch.zeros(len(cells))
        for key, value in zip(allowed, score, strict=True):
            row[cells.index(key)] = value
        rows.append(row)
    return torch.stack(rows)


@pytest.mark.parametrize("distance", ["euclidean", "squared"])
@pytest.mark.parametrize("scope", ["full", "cross"])
def test_scores_are_those_of_every_pair(distance, scope):
    source_BDhw = torch.randn(2, 4, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    known_B1hw = torch.ones(2, 1, SIDE, SIDE)
    known_B1hw[:, :, 1:3, 2:] = 0
    score_BMN = scores(source_BDhw, known_B1hw, AttentionParams(scope=scope, distance=distance))
    allowed = [(i, j) for i in range(SIDE) for j in range(SIDE) if scope == "full" or known_B1hw[0, 0, i, j]]
    for source_Dhw, score_MN in zip(source_BDhw, score_BMN, strict=True):
        assert torch.allclose(score_MN, pair_by_pair(source_Dhw, distance, allowed), atol=2e-4)
    assert torch.allclose(score_BMN.sum(2), torch.ones(2, SIDE * SIDE), atol=1e-5)


def test_transfer_mixes_patches_by_their_scores():
    """Equation 7, patch by patch, for maps of 2 and 4 pixels a cell."""
    generator = torch.Generator().manual_seed(1)
    maps = [torch.randn(2, 3, size * SIDE, size * SIDE, generator=generator) for size in (4, 2)]
    score_BMN = torch.rand(2, SIDE**2, SIDE**2, generator=generator).softmax(2)
    for x_BCHW, made_BCHW in zip(maps, transfer(maps, score_BMN, torch.Size((SIDE, SIDE))), strict=True):
        size = x_BCHW.shape[2] // SIDE
        for query in range(SIDE**2):
            i, j = divmod(query, SIDE)
            expected = torch.zeros(2, 3, size, size)
            for key in range(SIDE**2):
                y, x = divmod(key, SIDE)
                part = x_BCHW[:, :, y * size : (y + 1) * size, x * size : (x + 1) * size]
                expected += score_BMN[:, query, key].view(-1, 1, 1, 1) * part
            found = made_BCHW[:, :, i * size : (i + 1) * size, j * size : (j + 1) * size]
            assert torch.allclose(found, expected, atol=1e-5)


def test_equal_structures_borrow_equally():
    """Cells of one structure and surroundings take their textures from each other alike."""
    source_BDhw = torch.zeros(1, 2, 8, 8)
    source_BDhw[:, 0, :, 4:] = 1
    score_BMN = scores(source_BDhw, torch.ones(1, 1, 8, 8), AttentionParams())
    inner = [8 * 3 + 1, 8 * 4 + 2]  # far from the border and from the edge
    assert torch.allclose(score_BMN[0, inner[0]], score_BMN[0, inner[1]], atol=1e-6)
    left = score_BMN[0, inner[0]].view(8, 8)
    assert left[:, :4].sum() > 0.99


def test_fused_scores_are_sums_along_diagonals_in_both_orders():
    close_BMN = torch.randn(1, 12, 12, generator=torch.Generator().manual_seed(2))
    grid = (3, 4)

    def along(value, order):
        """value(query, key) plus its neighbours one step on and back in both, cells numbered in an order."""
        out = torch.zeros(12, 12)
        for a in range(12):
            for b in range(12):
                for step in (-1, 0, 1):
                    if 0 <= a + step < 12 and 0 <= b + step < 12:
                        out[order[a], order[b]] += value[order[a + step], order[b + step]]
        return out

    by_column = [i * grid[1] + j for j in range(grid[1]) for i in range(grid[0])]
    expected = along(along(close_BMN[0], list(range(12))), by_column)
    assert torch.allclose(fused(close_BMN, torch.Size(grid))[0], expected, atol=1e-5)


def test_cross_attention_changes_the_hole_alone_and_borrows_from_outside():
    generator = torch.Generator().manual_seed(3)
    source_BDhw, known_B1hw = torch.randn(1, 4, SIDE, SIDE, generator=generator), torch.ones(1, 1, SIDE, SIDE)
    known_B1hw[:, :, 2:4, 1:4] = 0
    maps = [torch.randn(1, 3, 2 * SIDE, 2 * SIDE, generator=generator)]
    params = AttentionParams(scope="cross")
    for content in (0.0, 100.0):  # what the hole's own map says is not borrowed
        hole_B1HW = F.interpolate(1 - known_B1hw, scale_factor=2.0)
        changed = [maps[0] + content * hole_B1HW]
        made = transfer(changed, scores(source_BDhw, known_B1hw, params), torch.Size((SIDE, SIDE)))
        kept = kept_outside(made, changed, known_B1hw)[0]
        assert torch.equal(kept[hole_B1HW.expand_as(kept) == 0], maps[0][hole_B1HW.expand_as(kept) == 0])
        assert kept.abs().max() < 10


def test_cross_attention_without_any_known_cell_borrows_from_all():
    source_BDhw = torch.randn(1, 4, SIDE, SIDE, generator=torch.Generator().manual_seed(4))
    nothing, all_known = torch.zeros(1, 1, SIDE, SIDE), torch.ones(1, 1, SIDE, SIDE)
    cross, full = AttentionParams(scope="cross"), AttentionParams()
    assert torch.allclose(scores(source_BDhw, nothing, cross), scores(source_BDhw, all_known, full), atol=1e-5)


def test_a_cell_is_known_if_all_its_pixels_are():
    known_B1HW = torch.ones(1, 1, 16, 16)
    known_B1HW[0, 0, 7, 8] = 0
    assert known_cells(known_B1HW, 4)[0, 0].tolist() == [[1, 1, 1, 1], [1, 1, 0, 1], [1, 1, 1, 1], [1, 1, 1, 1]]


@pytest.mark.parametrize("features", ["structural", "learned"])
def test_structural_scores_are_not_learnt_and_learned_ones_are(features):
    """Sec. 3.3: learned features are what attention is computed on, or they are not touched by its gradient."""
    torch.manual_seed(0)
    net = TextureGenerator(Sizes(width=4, dilations=(2,), attention=AttentionParams(features=features)), 8)
    middle_BCHW = torch.randn(1, 16, 8, 8, requires_grad=True)
    seen = net.see(torch.randn(1, 3, 32, 32), torch.ones(1, 1, 32, 32), 4)
    borrowed = net._borrow(seen, torch.randn(1, 8, 4, 4), middle_BCHW)
    slope = torch.autograd.grad(borrowed[0].square().sum(), middle_BCHW, allow_unused=True)[0]
    assert (slope is None) if features == "structural" else (slope.abs().max() > 0)


def test_a_vectors_distance_to_itself_has_a_finite_gradient():
    source_BDhw = torch.randn(1, 2, 3, 3, requires_grad=True)
    scores(source_BDhw, torch.ones(1, 1, 3, 3), AttentionParams())[0, 0, 4].backward()
    assert source_BDhw.grad is not None and source_BDhw.grad.isfinite().all()
