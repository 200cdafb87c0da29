"""Set-level numbers get their interval from subsamples of whole sources."""

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from stages.evaluation.protocols import Protocol
from stages.evaluation.results import card, set_level
from tests.pages import sampled
from tests.sampling import toy


class Mean:
    """A set-level metric with a known number: the mean over images of a value each."""

    rows = ("value",)

    def __call__(self, view):
        raise NotImplementedError("its rows are given")

    def whole(self, seen: Mapping[str, Tensor], sets_SN: Tensor) -> dict[str, float]:
        return self.among(seen, torch.arange(len(seen["value"])), sets_SN)

    def among(self, seen: Mapping[str, Tensor], images_M: Tensor, sets_SN: Tensor) -> dict[str, float]:
        return {"mean": float(seen["value"][images_M].mean())}


def bounds(values_N: Tensor, sources: Sequence[str]) -> tuple[float, float, float]:
    """Estimate, low and high of the mean."""
    return set_level(Mean(), {"value": values_N}, SETS, sources)["mean"]


SETS = torch.zeros(1, 400, dtype=torch.int64)


def test_the_interval_of_a_mean_is_about_the_means_own():
    values_N = torch.randn(400, generator=torch.Generator().manual_seed(0))
    estimate, low, high = bounds(values_N, [str(i) for i in range(400)])
    assert low < estimate < high
    assert 0.6 < (high - low) / (2 * 1.96 * float(values_N.std()) / 20) < 1.7


def test_crops_of_one_photograph_stay_together():
    values_N = torch.randn(20, generator=torch.Generator().manual_seed(0)).repeat_interleave(20)
    alone = bounds(values_N, [str(i) for i in range(400)])
    together = bounds(values_N, [str(i // 20) for i in range(400)])
    assert together[2] - together[1] > 2 * (alone[2] - alone[1])


def test_one_source_gives_no_interval():
    _, low, high = bounds(torch.arange(400.0), ["one"] * 400)
    assert math.isnan(low) and math.isnan(high)


def test_a_card_tells_the_digests_of_what_its_samples_drew_before_pixels(tmp_path):
    protocol = Protocol(testset="centre", composite=True, selection="all", metrics=("psnr",))
    with toy.inside(toy.make(tmp_path)):
        drawn, noise = sampled.complete("dsi", toy.Structured()), sampled.complete("noise", toy.Noise())
    assert card(protocol, drawn).latents == drawn.description["latents"]
    assert set(card(protocol, drawn).latents) == {"structures"} and card(protocol, noise).latents == {}


def test_a_card_tells_what_raw_output_is_where_it_is_judged(tmp_path):
    judged = {
        composite: Protocol(testset="centre", composite=composite, selection="all", metrics=("psnr",))
        for composite in (True, False)
    }
    with toy.inside(toy.make(tmp_path)):
        samples = sampled.complete("noise", toy.Noise())
    samples.description["raw"] = "a composite plus a correction"
    assert card(judged[False], samples).raw == "a composite plus a correction" and card(judged[True], samples).raw == ""
