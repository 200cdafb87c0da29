"""Every variant of the encoder that the paper's tables name, and those that are refused (paper 002, Tables 5-8)."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from stages.contract import UserError
from stages.methods.mm_invertfill.blocks.modalities import Inputs
from stages.methods.mm_invertfill.blocks.sizes import Sizes
from stages.project.params import validate
from tests.methods.mm_invertfill.encoders import encoder, outputs, row, shown

VARIANTS: list[dict[str, Any]] = [
    {"width": 8},
    {"bottleneck": "residual"},
    {"bottleneck": "residual", "bottleneck_width": 4},
    {"bottleneck": "aot"},
    {"bottleneck": "aot", "bottleneck_width": 4},
    {"bottlenecks": 1},
    {"dilations": (1, 2)},
    {"patches": (2,)},
    {"edges": False},
    {"labels": False},
    {"edges": False, "labels": False},
    {"prior": "biased"},
    *({"fusion": kind} for kind in ("spade", "adain", "conv", "add", "concat", "none")),
    *({"prior": "biased", "attention": "none", "fusion": kind} for kind in ("concat", "adain", "spade")),
    {"attention": "plain"},
    {"attention": "none"},
    {"attention": "none", "fusion": "none"},
    {"premodulation": False},
    {"space": "w_plus"},
    {"space": "none"},
    {"style_heads": "layers"},
]


@pytest.mark.parametrize("changes", VARIANTS, ids=str)
def test_every_variant_learns_with_all_its_weights_and_differs(changes):
    """Given the paper's weights wherever it has their like, a variant still says something else."""
    paper, net, inputs = encoder(), encoder(**changes), shown()
    theirs = paper.state_dict()
    net.load_state_dict(
        {k: theirs[k] if k in theirs and theirs[k].shape == v.shape else v for k, v in net.state_dict().items()}
    )
    found, expected = outputs(net(inputs)), outputs(paper(inputs))
    assert found.keys() != expected.keys() or not torch.equal(found["w"], expected["w"])
    generator = torch.Generator().manual_seed(2)
    torch.stack(
        [(value * torch.randn(value.shape, generator=generator)).sum() for value in found.values()]
    ).sum().backward()
    for name, parameter in net.named_parameters():
        assert parameter.grad is not None and parameter.grad.isfinite().all(), name
        assert parameter.dim() == 1 or parameter.grad.any(), name


@pytest.mark.parametrize("changes", [{}, *VARIANTS], ids=str)
def test_an_image_does_not_depend_on_those_beside_it(changes):
    net, inputs = encoder(**changes).eval(), shown()
    together = outputs(net(inputs))
    for index in range(2):
        alone = outputs(net(row(inputs, index)))
        for key, value in together.items():
            assert (alone[key][0] - value[index]).abs().max() < 1e-4 * (1 + value.abs().max()), key


@pytest.mark.parametrize("changes", [{}, {"bottleneck": "aot"}, {"prior": "biased"}, {"space": "none"}], ids=str)
def test_a_dry_run_computes_nothing(changes):
    with torch.device("meta"):
        found = outputs(
            encoder(**changes)(Inputs.guided(torch.empty(2, 3, 64, 64), torch.empty(2, 1, 64, 64), None, 3))
        )
    assert all(value.is_meta for value in found.values())


@pytest.mark.parametrize(
    ("block", "told"),
    [
        ({"width": 9}, "encoder.patches = .*width 9 does not share out among 2 heads"),
        ({"bottleneck_width": 4}, "encoder.bottleneck_width = 4.*acb has one width"),
        ({"prior": "biased", "fusion": "none"}, "encoder.prior = 'biased'.*fusion none"),
        ({"prior": "biased", "edges": False, "labels": False}, "encoder.prior = 'biased'.*no maps to fuse"),
        ({"dilations": []}, "encoder.dilations"),
        ({"patches": [2, 0]}, "encoder.patches.1 = 0"),
    ],
    ids=str,
)
def test_combinations_without_sense_are_refused_in_one_line(block, told):
    with pytest.raises(UserError, match=told) as error:
        validate(Sizes, block, "methods.mm_invertfill.encoder")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("size", "changes", "told"),
    [
        (48, {}, "datasets: images of 48 px .* multiple of 32"),
        (24, {"attention": "none"}, "datasets: images of 24 px .* multiple of 16"),
        (64, {"prior": "biased", "edges": False}, "encoder.prior: .*no classes"),
    ],
    ids=str,
)
def test_data_that_do_not_fit_are_refused_in_one_line(size, changes, told):
    with pytest.raises(UserError, match=told) as error:
        encoder(size, classes=0, **changes)
    assert "\n" not in str(error.value)
