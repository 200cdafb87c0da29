"""What the prior is shown when it learns: scattered tokens, tokens outside of holes, tokens read beside holes."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from stages.contract import UserError
from stages.images.pixels import blank
from stages.methods.latent_codes.blocks.token_mask import half_known
from tests.methods.latent_codes.conftest import make_part
from tests.methods.small import figures_of


def test_training_masks_are_an_images_own(family, accelerator, batch_of):
    """One ratio an image, drawn from its seed: the same image hides the same tokens in any batch."""
    part, batch = make_part("prior", family, accelerator), batch_of(3, 8)
    whole = part._visible(batch, torch.zeros(8, 64))
    for index, seed in enumerate(batch.seeds_B):
        alone = part._visible(type(batch)(None, None, (), seed[None]), torch.zeros(1, 64))
        assert torch.equal(alone[0], whole[index])
    hidden_B = torch.cat([~part._visible(batch_of(k, 8), torch.zeros(8, 64)) for k in range(60)]).float().mean(1)
    assert 0.42 < hidden_B.mean() < 0.48
    assert hidden_B.min() < 0.25 < 0.65 < hidden_B.max()


def shown(part, batch):
    """(visible_BN, region_B1, shown_BN, codes_BN)."""
    codes_BN = part.teacher.codes(batch.image_BCHW).flatten(1)
    visible_BN, region_B1 = part._visible_in_training(batch, codes_BN)
    return visible_BN, region_B1, part._misread(batch, codes_BN, region_B1), codes_BN


def test_regions_hide_what_is_known_to_less_than_a_half(family, accelerator, batch_of):
    """In all images but those whose hole hides no cell: there tokens are scattered."""
    part, batch = make_part("prior", family, accelerator, regions=1.0), batch_of(3, 8)
    batch.known_B1HW[2] = 1
    visible_BN, region_B1, shown_BN, codes_BN = shown(part, batch)
    assert region_B1[:, 0].tolist() == [index != 2 for index in range(8)]
    outside_BN = half_known(batch.known_B1HW, 64)
    assert torch.equal(torch.where(region_B1, visible_BN, True), outside_BN)
    assert torch.equal(visible_BN[2], part._visible(batch, codes_BN)[2]) and not visible_BN[2].all()
    assert torch.equal(shown_BN, codes_BN)


def test_shares_are_of_images_and_an_images_own(family, accelerator, batch_of):
    part = make_part("prior", family, accelerator, regions=0.25, misread=0.5)
    whole = [shown(part, batch_of(k, 8)) for k in range(40)]
    assert 0.18 < torch.cat([region_B1 for _, region_B1, _, _ in whole]).float().mean() < 0.32
    changed_B = torch.cat([(shown_BN != codes_BN).any(1) for _, _, shown_BN, codes_BN in whole])
    assert 0.07 < changed_B.float().mean() < 0.18
    batch = batch_of(7, 8)
    for b in range(8):
        one = slice(b, b + 1)
        alone = replace(
            batch, image_BCHW=batch.image_BCHW[one], known_B1HW=batch.known_B1HW[one], seeds_B=batch.seeds_B[one]
        )
        assert all(torch.equal(got[0], want[b]) for got, want in zip(shown(part, alone), whole[7], strict=True))


def test_misread_tokens_are_the_vqs_of_the_masked_image(family, accelerator, batch_of):
    part, batch = make_part("prior", family, accelerator, regions=1.0, misread=1.0), batch_of(4)
    _, _, shown_BN, codes_BN = shown(part, batch)
    assert torch.equal(shown_BN, part.teacher.codes(blank(batch.image_BCHW, batch.known_B1HW)).flatten(1))
    assert not torch.equal(shown_BN, codes_BN)


def test_regions_without_masks_are_refused(family, accelerator, batch_of):
    part, batch = make_part("prior", family, accelerator, regions=0.5), batch_of(0)
    whole = replace(batch, known_B1HW=torch.ones_like(batch.known_B1HW))
    with pytest.raises(UserError, match=r"name a generator in methods\.latent_codes\.prior\.masks"):
        figures_of(part, [whole])
    assert figures_of(make_part("prior", family, accelerator), [whole])
    with pytest.raises(UserError, match=r"set methods\.latent_codes\.prior\.regions above 0"):
        figures_of(make_part("prior", family, accelerator, misread=0.5), [batch])
