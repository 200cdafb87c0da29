"""Images of another size than the parts were trained on."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from stages.contract import Request, UserError
from stages.methods.latent_codes import inpaint
from stages.methods.latent_codes.sampling.places import carried
from stages.project.entries import Entry
from stages.sampling import inpainters
from stages.sampling.completion import Job, completions
from tests.methods.latent_codes.conftest import make_inpainter

CPU = torch.device("cpu")


def linear(side: int) -> torch.Tensor:
    """Places that are linear in the cells' centres, of a unit square; that of the start is anything."""
    centre_S = (torch.arange(side) + 0.5) / side
    row_SS, column_SS = torch.meshgrid(centre_S, centre_S, indexing="ij")
    grid_NC = torch.stack([2 * row_SS - 3 * column_SS + 1, row_SS, -column_SS], -1).flatten(0, 1)
    return torch.cat([torch.tensor([[7.0, 8.0, 9.0]]), grid_NC])


def test_the_same_grid_has_the_very_same_places():
    place_ND = torch.randn(65, 5)
    assert carried(place_ND, 64) is place_ND


@pytest.mark.parametrize("side", [3, 5, 16, 31])
def test_places_that_are_linear_are_carried_over_exactly(side):
    """To more cells and to fewer, beyond the outermost centres too."""
    torch.testing.assert_close(carried(linear(8), side**2), linear(side), atol=1e-6, rtol=0)


def test_at_the_trained_size_interpolated_places_change_nothing(family, batch_of):
    batch = batch_of(1)
    request = Request(batch.image_BCHW, batch.known_B1HW, torch.arange(8).view(4, 2))
    plain, other = (make_inpainter(family, positions=kind).sample(request) for kind in ("trained", "interpolated"))
    assert torch.equal(plain.raw_BKCHW, other.raw_BKCHW)


def test_a_picture_is_completed_at_the_size_that_is_asked_for(family):
    """48 px where 32 were trained: 12 x 12 tokens; known pixels are the picture's."""
    own = inpaint.Params(positions="interpolated")
    inpainter, size = inpainters.for_pictures(Entry("latent_codes"), own, family, CPU, size=48)
    image_HWC = np.random.default_rng(0).integers(0, 256, (48, 48, 3), dtype=np.uint8)
    hole_HW = np.zeros((48, 48), dtype=np.bool_)
    hole_HW[10:40, 8:41] = True
    seen: list[tuple[int, ...]] = []
    hook = inpainter.prior.register_forward_hook(lambda net, given, out: seen.append(given[0].shape))
    done_KHWC = completions(Job(inpainter, CPU, size, (0, 1)), image_HWC, hole_HW).numpy()
    hook.remove()
    assert {shape[1] for shape in seen} == {144}
    assert (done_KHWC[:, ~hole_HW] == image_HWC[~hole_HW]).all() and (done_KHWC[0] != done_KHWC[1]).any()


@pytest.mark.parametrize(
    ("method", "positions", "size", "why"),
    [
        ("latent_codes", "trained", 64, "positions=interpolated carries"),
        ("latent_codes", "interpolated", 50, "does not divide into cells of 4 px"),
        ("flow_fill", "interpolated", 64, "completes no other size"),
    ],
)
def test_another_size_that_cannot_be_is_one_line(family, method, positions, size, why):
    own = inpaint.Params(positions=positions)
    with pytest.raises(UserError, match=rf"^--size {size}: {method} was trained on 32 px, .*{why}"):
        inpainters.for_pictures(Entry(method), own, family, CPU, size=size)


def test_a_method_without_a_size_of_its_own_takes_none():
    own = inpainters.params({"methods": {"classical": {"inpaint": {"algorithm": "mean"}}}}, Entry("classical"))
    with pytest.raises(UserError, match="--size 64: classical works at every picture's own size"):
        inpainters.for_pictures(Entry("classical"), own, {}, CPU, size=64)
