"""The cosine schedule and masked decoding."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from stages.methods.latent_codes.sampling.sampler import Rule, complete, schedule

CODES = 12


@given(st.integers(0, 2000), st.integers(1, 30))
def test_the_counts_sum_to_what_is_missing(missing, steps):
    counts = schedule(missing, steps)
    assert len(counts) == steps
    assert sum(counts) == missing
    assert all(count >= 0 for count in counts)
    spent = [sum(counts[:step]) for step in range(steps)]
    assert all(count > 0 or before == missing for count, before in zip(counts, spent, strict=True))


def test_256_tokens_in_5_steps_are_the_published_counts():
    assert schedule(256, 5) == [13, 36, 57, 71, 79]


def fake_prior(seen: list[tuple[Tensor, Tensor]]) -> Callable[..., Tensor]:
    """Logits that depend on a row's visible codes and on the position alone; remembers what it was shown."""
    table_NC = torch.randn(64, CODES, generator=torch.Generator().manual_seed(0))

    def logits(codes_BN: Tensor, visible_BN: Tensor, wanted_BM: Tensor) -> Tensor:
        seen.append((codes_BN.clone(), visible_BN.clone()))
        total_B = ((codes_BN + 1) * visible_BN).sum(1) % 7
        return table_NC[wanted_BM] + 0.3 * total_B[:, None, None] * torch.arange(CODES).remainder(3)

    return logits


def scene(images: int = 3, positions: int = 20) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(4)
    codes_BN = torch.randint(CODES, (images, positions), generator=generator)
    visible_BN = torch.rand(images, positions, generator=generator) > torch.tensor([[0.2], [0.5], [0.95]])[:images]
    return codes_BN, visible_BN


RULES = [Rule(), Rule(confidence="maskgit"), Rule(deterministic=True), Rule(steps=1), Rule(steps=40, temperature=2.0)]


@pytest.mark.parametrize("rule", RULES)
def test_visible_tokens_stay_and_each_step_keeps_its_count(rule):
    (codes_BN, visible_BN), seen = scene(), []
    drawn_BKN = complete(fake_prior(seen), codes_BN, visible_BN, torch.arange(6).view(3, 2), rule)
    for k in range(2):
        assert torch.equal(drawn_BKN[:, k][visible_BN], codes_BN[visible_BN])
    missing = (~visible_BN).sum(1)
    for step, (_, shown) in enumerate(seen):
        rows = shown if step == 0 else shown[::2]
        for b in range(3):
            assert (~rows[b]).sum() == missing[b] - sum(schedule(int(missing[b]), rule.steps)[:step])


@pytest.mark.parametrize("rule", RULES)
def test_a_sample_depends_on_its_image_and_its_seed_alone(rule):
    (codes_BN, visible_BN), seeds_BK = scene(), torch.tensor([[5, 9], [5, 7], [1, 2]])
    together = complete(fake_prior([]), codes_BN, visible_BN, seeds_BK, rule)
    for b in range(3):
        for k in range(2):
            one = slice(b, b + 1)
            alone = complete(fake_prior([]), codes_BN[one], visible_BN[one], seeds_BK[one, k : k + 1], rule)
            assert torch.equal(alone[0, 0], together[b, k])


def test_what_hidden_positions_hold_is_never_shown():
    (codes_BN, visible_BN), seeds_BK = scene(), torch.zeros(3, 1, dtype=torch.int64)
    other_BN = torch.where(visible_BN, codes_BN, CODES - 1 - codes_BN)
    first, second = (complete(fake_prior([]), c, visible_BN, seeds_BK, Rule()) for c in (codes_BN, other_BN))
    assert torch.equal(first, second)


def test_nothing_missing_asks_nothing():
    codes_BN = scene()[0]
    drawn_BKN = complete(fake_prior([]), codes_BN, torch.ones_like(codes_BN) > 0, torch.zeros(3, 2), Rule())
    assert torch.equal(drawn_BKN, codes_BN[:, None].expand(-1, 2, -1))


def test_draws_follow_the_softmax_of_logits_divided_by_the_temperature():
    logits_C = torch.tensor([2.0, 1.0, 0.0, -1.0])

    def flat(codes_BN: Tensor, visible_BN: Tensor, wanted_BM: Tensor) -> Tensor:
        return logits_C.expand(*wanted_BM.shape, 4)

    count = 20_000
    hidden = torch.zeros(1, count, dtype=torch.int64), torch.zeros(1, count, dtype=torch.bool)
    for temperature in (0.5, 2.0):
        drawn = complete(flat, *hidden, torch.tensor([[3]]), Rule(steps=1, temperature=temperature))
        share_C = torch.bincount(drawn.flatten(), minlength=4) / count
        torch.testing.assert_close(share_C, (logits_C / temperature).softmax(0), atol=0.015, rtol=0)


def test_the_temperature_falls_from_step_to_step():
    assert [round(Rule().at(step), 4) for step in range(5)] == [1.0, 0.9, 0.81, 0.729, 0.6561]


@settings(max_examples=20)
@given(st.integers(1, 12), st.integers(0, 2**62))
def test_one_seed_repeats(steps, seed):
    codes_BN, visible_BN = scene()
    seeds_BK = torch.full((3, 2), seed)
    first, second = (complete(fake_prior([]), codes_BN, visible_BN, seeds_BK, Rule(steps=steps)) for _ in range(2))
    assert torch.equal(first, second)
    assert torch.equal(first[:, 0], first[:, 1])
