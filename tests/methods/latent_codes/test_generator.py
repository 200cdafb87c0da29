"""Where the decoder's generator comes from."""

from __future__ import annotations

import torch

from stages.nets.attention import SpatialAttention
from stages.nets.masked_norm import MaskedNorm
from tests.methods.latent_codes.conftest import make_part


def test_the_generator_begins_as_the_vqs(family, accelerator):
    part = make_part("decoder", family, accelerator)
    for key, value in part.model.generator.state_dict().items():
        assert torch.equal(value, family["vq"].tensors[f"generator.{key}"])


def test_a_generator_of_its_own_has_the_decoders_sizes(family, accelerator):
    """Layer norm is one group, and attention a level more than the vq's (paper 000, Sec. 6)."""
    attention = {"attention": [16, 8]}
    vqs, own = (make_part("decoder", family, accelerator, generator=kind, **attention) for kind in ("vq", "own"))

    def of(part, kind) -> list:
        return [module for module in part.model.generator.modules() if isinstance(module, kind)]

    assert {norm.groups for norm in of(own, MaskedNorm)} == {1} != {norm.groups for norm in of(vqs, MaskedNorm)}
    assert len(of(own, SpatialAttention)) == len(of(vqs, SpatialAttention)) + 2  # two residual blocks at 16 px
    assert not torch.equal(own.model.from_code.weight, vqs.model.from_code.weight)
