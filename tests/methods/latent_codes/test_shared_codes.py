"""The command that counts the codes that two encoders share."""

from __future__ import annotations

import pytest
import torch

from tests.methods.latent_codes.conftest import make_part
from tests.methods.latent_codes.shared_codes import read, shared


def test_a_share_is_of_the_cells_that_are_read_off(family, accelerator, batch_of):
    own, batches = make_part("encoder", family, accelerator).model, [batch_of(k) for k in range(3)]
    cells_NHW = torch.cat([own.cells(batch.known_B1HW)[:, 0] for batch in batches])
    batches[1].known_B1HW[2] = 0  # an image of which nothing is read off

    def other_in_the_first_row(batch):
        codes_BHW = read(own, batch)
        codes_BHW[:, 0] += 1
        return codes_BHW

    cells_NHW[6] = 0
    some_NHW = cells_NHW[cells_NHW.sum((1, 2)) > 0]
    share_N = 1 - some_NHW[:, 0].sum(1) / some_NHW.sum((1, 2))
    want = {"n": 11, "kept": float(cells_NHW.mean()), "shared": float(share_N.mean()), "std": float(share_N.std())}
    assert shared(own, other_in_the_first_row, batches) == pytest.approx(want, abs=6e-5)


def test_a_miracle_that_begins_as_the_vqs_shares_all_codes_with_it(family, accelerator, batch_of):
    part = make_part("encoder", family, accelerator, kind="miracle", start="vq", normalisation="group")
    told = shared(part.model, lambda batch: part.teacher.exact_codes(batch.image_BCHW), [batch_of(0, 8)])
    assert (told["shared"], told["std"], told["n"]) == (1.0, 0.0, 8)
