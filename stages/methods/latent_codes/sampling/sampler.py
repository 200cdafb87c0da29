"""Masked decoding: hidden tokens drawn in a few steps, the surest first (paper 000, Sec. 3.2).

Axes: B images, K samples an image, R = B * K rows, N positions, M hidden positions (the most of any row), C codes.
Every row has its own count of hidden tokens, its own schedule and its own generator, so a sample depends on its image
and its seed alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, floor, pi
from typing import Literal, Protocol

import torch
from torch import Tensor

from stages.nets.seeded import exponential, generators

Confidence = Literal["probability", "maskgit"]


@dataclass(frozen=True)
class Rule:
    """How tokens are drawn; the paper's by default."""

    steps: int = 5
    temperature: float = 1.0
    annealing: float = 0.9  # the temperature's factor from a step to the next
    confidence: Confidence = "probability"
    choice_temperature: float = 4.5  # of MaskGIT's confidence alone; as in its config
    deterministic: bool = False  # the likeliest code instead of a draw

    def at(self, step: int) -> float:
        """The temperature of a step; logits are divided by it (the paper's equation multiplies, its prose divides)."""
        return self.temperature * self.annealing**step


class Logits(Protocol):
    """codes_RN, visible_RN, wanted_RM -> logits_RMC."""

    def __call__(self, codes_BN: Tensor, visible_BN: Tensor, wanted_BM: Tensor, /) -> Tensor: ...


def schedule(missing: int, steps: int) -> list[int]:
    """How many tokens each step keeps: the cosine's, at least one a step while any is missing; the sum is `missing`."""
    left, counts = missing, []
    for step in range(1, steps + 1):
        after = 0 if step == steps else floor(missing * cos(pi / 2 * step / steps))
        kept = min(left, max(1, left - after))
        counts.append(kept)
        left -= kept
    return counts


@torch.no_grad()
def complete(prior: Logits, codes_BN: Tensor, visible_BN: Tensor, seeds_BK: Tensor, rule: Rule) -> Tensor:
    """codes_BKN: K completions of each image's tokens; visible ones stay."""
    samples = seeds_BK.shape[1]
    codes_RN, visible_RN = codes_BN.repeat_interleave(samples, 0), visible_BN.repeat_interleave(samples, 0)
    if bool(visible_BN.all()):
        return codes_RN.unflatten(0, (-1, samples))
    owners = generators(seeds_BK)
    counts_BS = [schedule(int(missing), rule.steps) for missing in (~visible_BN).sum(1).tolist()]
    for step in range(rule.steps):
        counts_R = [counts[step] for counts in counts_BS for _ in range(samples)]
        if not any(counts_R):
            continue
        if step == 0:  # all samples of an image begin alike
            wanted_BM = _hidden_first(visible_BN)
            logits_RMC = prior(codes_BN, visible_BN, wanted_BM).repeat_interleave(samples, 0)
            wanted_RM = wanted_BM.repeat_interleave(samples, 0)
        else:
            wanted_RM = _hidden_first(visible_RN)
            logits_RMC = prior(codes_RN, visible_RN, wanted_RM)
        hidden_RM = ~visible_RN.gather(1, wanted_RM)
        kept_RM, drawn_RM = _draw(logits_RMC.float() / rule.at(step), hidden_RM, counts_R, owners, rule, step)
        codes_RN = codes_RN.scatter(1, wanted_RM, torch.where(kept_RM, drawn_RM, codes_RN.gather(1, wanted_RM)))
        visible_RN = visible_RN.scatter(1, wanted_RM, ~hidden_RM | kept_RM)
    return codes_RN.unflatten(0, (-1, samples))


def _hidden_first(visible_RN: Tensor) -> Tensor:
    """Positions of each row's hidden tokens in raster order, filled up with visible ones, (R, M)."""
    most = int((~visible_RN).sum(1).max())
    return visible_RN.to(torch.uint8).argsort(dim=1, stable=True)[:, :most]


def _draw(
    logits_RMC: Tensor,
    hidden_RM: Tensor,
    counts_R: list[int],
    owners: list[torch.Generator],
    rule: Rule,
    step: int,
) -> tuple[Tensor, Tensor]:
    """(kept_RM, drawn_RM): which hidden tokens this step keeps, and their codes."""
    if rule.confidence == "probability":  # as released: places by their largest probability, then codes for these alone
        confidence_RM = logits_RMC.amax(2) - logits_RMC.logsumexp(2)
        kept_RM = _surest(confidence_RM, hidden_RM, counts_R)
        return kept_RM, _codes(logits_RMC, kept_RM, owners, rule)
    drawn_RM = _codes(logits_RMC, hidden_RM, owners, rule)  # MaskGIT: codes for all, then the likeliest draws
    confidence_RM = logits_RMC.log_softmax(2).gather(2, drawn_RM[:, :, None])[:, :, 0]
    left = 1 - (step + 1) / rule.steps
    if left and not rule.deterministic:
        places = hidden_RM.sum(1).tolist()
        gumbel = -exponential(owners, places, 1)[:, 0].log().to(confidence_RM.device)
        confidence_RM = confidence_RM.masked_scatter(
            hidden_RM, confidence_RM[hidden_RM] + rule.choice_temperature * left * gumbel
        )
    return _surest(confidence_RM, hidden_RM, counts_R), drawn_RM


def _surest(confidence_RM: Tensor, hidden_RM: Tensor, counts_R: list[int]) -> Tensor:
    """The `count` hidden positions of each row with the highest confidence; ties go to the first."""
    order_RM = confidence_RM.masked_fill(~hidden_RM, -torch.inf).argsort(dim=1, descending=True, stable=True)
    rank_RM = order_RM.argsort(1)
    return rank_RM < torch.tensor(counts_R, device=rank_RM.device)[:, None]


def _codes(logits_RMC: Tensor, where_RM: Tensor, owners: list[torch.Generator], rule: Rule) -> Tensor:
    """Codes drawn (or the likeliest ones) at the chosen positions, 0 elsewhere."""
    drawn_RM = torch.zeros(where_RM.shape, dtype=torch.int64, device=where_RM.device)
    chosen_XC = logits_RMC[where_RM]
    if not rule.deterministic:
        noise_XC = exponential(owners, where_RM.sum(1).tolist(), chosen_XC.shape[1])
        chosen_XC = chosen_XC - noise_XC.to(chosen_XC.device).log()
    drawn_RM[where_RM] = chosen_XC.argmax(1)
    return drawn_RM
