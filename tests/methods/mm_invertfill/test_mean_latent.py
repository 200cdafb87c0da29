"""The soft-update mean latent is its recurrence, whoever counts and wherever it went on (paper 002, Sec. 3.3.3)."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import Tensor

from stages.methods.mm_invertfill.blocks.generator import mean_style
from stages.methods.mm_invertfill.blocks.mean_latent import MeanLatent, MeanParams, style_spread
from tests.methods.mm_invertfill.conftest import generator

SAMPLES, EVERY, TAU = 16, 3, 0.25


def latent(**changes: Any) -> MeanLatent:
    return MeanLatent(generator(), MeanParams(**{"samples": SAMPLES, "every": EVERY, "tau": TAU, **changes}))


def sampled(number: int) -> Tensor:
    """The mean of so many styles, drawn anew for every number."""
    return mean_style(generator(), SAMPLES, torch.Generator().manual_seed(number)).double()


def written_out(steps: int) -> Tensor:
    """target <- tau online + (1 - tau) target in every step; online drawn anew after every third."""
    target_D, online_D = sampled(0), sampled(1)
    for step in range(1, steps + 1):
        target_D = TAU * online_D + (1 - TAU) * target_D
        if step % EVERY == 0:
            online_D = sampled(1 + step // EVERY)
    return target_D


def assert_same(one: MeanLatent, other: MeanLatent) -> None:
    assert torch.equal(one.target_D, other.target_D) and torch.equal(one.online_D, other.online_D)
    assert one.steps == other.steps


@pytest.mark.parametrize("steps", [0, 1, 2, 3, 4, 9, 10])
def test_the_target_follows_the_papers_recurrence(steps):
    mean = latent()
    mean.follow(steps)
    assert torch.allclose(mean.target_D.double(), written_out(steps), atol=1e-6)


def test_strides_do_not_matter():
    one, other = latent(), latent()
    one.follow(11)
    for steps in (0, 1, 1, 4, 3, 11):
        other.follow(steps)
    assert_same(one, other)


@pytest.mark.parametrize("stop", [1, 3, 4])
def test_it_goes_on_from_its_state(stop):
    whole, first, second = latent(), latent(), latent()
    whole.follow(8)
    first.follow(stop)
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    second.follow(8)
    assert_same(second, whole)


@pytest.mark.parametrize("changes", [{"tau": 0.0}, {"kind": "static"}], ids=str)
def test_without_tau_the_target_is_the_first_mean_for_ever(changes):
    mean = latent(**changes)
    mean.follow(10)
    assert torch.equal(mean.target_D, latent().target_D)


def test_with_tau_1_the_target_is_the_online_mean_before():
    mean, online = latent(tau=1.0), []
    for steps in range(1, 8):
        online.append(mean.online_D)
        mean.follow(steps)
        assert torch.allclose(mean.target_D, online[-1], atol=1e-6)
    drawn = torch.stack(online).unique(dim=0)
    assert len(drawn) == 3  # steps 1-3, 4-6 and 7


def test_the_spread_is_that_of_mapped_latents():
    net = generator()
    mean_D, deviation_D = style_spread(net, 50)
    w_RD = net.mapping(torch.randn(50, net.latent, generator=torch.Generator().manual_seed(0)))
    assert torch.allclose(mean_D, w_RD.sum(0) / 50, atol=1e-6)
    assert torch.allclose(deviation_D, ((w_RD - mean_D).square().sum(0) / 49).sqrt(), atol=1e-6)
