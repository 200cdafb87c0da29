"""Who sees whom in the transformer, and what is saved without a change of the numbers."""

from __future__ import annotations

import torch

from stages.nets.attention import attend, visible_or_self
from stages.nets.transformer import Transformer, decayed, initialise


def net(layers: int = 3) -> Transformer:
    torch.manual_seed(0)
    transformer = Transformer(16, layers, 4, 0.0)
    initialise(transformer)
    return transformer.eval()


def scene() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(2, 9, 16, generator=generator), torch.rand(2, 9, generator=generator) > 0.6


def test_a_hidden_position_is_seen_by_nobody_else():
    transformer, (x_BND, visible_BN) = net(), scene()
    x_BND.requires_grad_()
    for n in range(9):
        (slope_BND,) = torch.autograd.grad(transformer(x_BND, visible_BN)[0, n].square().sum(), x_BND)
        seen = slope_BND[0].abs().sum(1) > 0
        allowed = visible_BN[0].clone()
        allowed[n] = True
        assert torch.equal(seen, allowed)


def test_wanted_positions_alone_are_the_same_numbers():
    transformer, (x_BND, visible_BN) = net(), scene()
    wanted_BM = torch.tensor([[0, 4, 8], [7, 1, 2]])
    whole_BND = transformer(x_BND, visible_BN)
    part_BMD = transformer(x_BND, visible_BN, wanted_BM)
    for b in range(2):
        torch.testing.assert_close(part_BMD[b], whole_BND[b, wanted_BM[b]], atol=1e-6, rtol=1e-5)


def test_attention_written_out_for_bfloat16_is_the_fused_one():
    q, k, v = torch.randn(3, 2, 4, 9, 8).unbind(0)
    seen = visible_or_self(scene()[1])
    narrow = [x.bfloat16() for x in (q, k, v)]
    wide = [x.float() for x in narrow]
    torch.testing.assert_close(attend(*narrow, seen).float(), attend(*wide, seen), atol=0.03, rtol=0.03)
    assert attend(*narrow, None, 0.5).isfinite().all()


def test_only_weights_of_linear_layers_decay():
    transformer = net()
    heavy, light = decayed(transformer, 0.1)
    names = {id(p): name for name, p in transformer.named_parameters()}
    assert all(names[id(p)].endswith("weight") and "norm" not in names[id(p)] for p in heavy["params"])
    assert all(names[id(p)].endswith("bias") or "norm" in names[id(p)] for p in light["params"])
    assert len(heavy["params"]) + len(light["params"]) == len(names)
    assert (heavy["weight_decay"], light["weight_decay"]) == (0.1, 0.0)
