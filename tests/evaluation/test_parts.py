"""Parts of a pass: whatever metrics tell, sets' numbers included, is bit for bit one worker's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import torch
from torch import Tensor, nn

from stages.contract import Completions, Request
from stages.evaluation import passes, results
from stages.evaluation.asked import Asked, keep_share
from stages.evaluation.protocols import Protocol
from stages.metrics.core import backbones
from stages.metrics.core.contract import MetricContext
from stages.project.entries import Entry
from stages.sampling.shares import Share
from stages.sampling.testsets import TestSetParams, open_testset
from tests.faults.harm import truncate
from tests.pages import sampled
from tests.sampling import toy

SAMPLES = 16  # of 12 images: three pieces
OF_IMAGES = ("psnr", "l1", "collapsed", "diversity_pixel", "energy_pixel", "calibration_pixel")
OF_SETS = ("fid", "kid", "prdc_inception", "inception_score_splits10", "spread_skill_pixel")


class FewFeatures(nn.Module):
    """Stands where Inception stands: twelve pixels."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("classes_MD", torch.randn(5, 12, generator=torch.Generator().manual_seed(0)))

    def forward(self, image_BCHW: Tensor) -> Tensor:
        return image_BCHW[..., 24:26, 24:26].flatten(1)


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Asked]:
    """Noise under two protocols, in a project that is the folder worked in."""
    monkeypatch.setitem(backbones.NETWORKS, "inception", FewFeatures)
    backbones.backbone.cache_clear()
    with toy.inside(toy.make(tmp_path)):
        testset = open_testset("centre", TestSetParams(dataset="toy", masks="centre", samples=SAMPLES))
        judged = {
            name: Protocol(testset="centre", composite=name == "done", selection="all", metrics=metrics)
            for name, metrics in (("done", (*OF_IMAGES, *OF_SETS)), ("raw", ("psnr", "kid")))
        }
        # so few images would tell nothing: here the numbers' bits matter
        context = MetricContext(torch.device("cpu"), 5000, Path("real"), samples=SAMPLES)
        yield Asked(Entry("noise"), testset, sampled.complete("noise", toy.Noise(), SAMPLES), judged, context)
    backbones.backbone.cache_clear()


def tables(asked: Asked, kept: Path | None = None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """All values, and the summaries."""
    found = list(results.results(asked, kept))
    assert not any(one.absent for one in found)
    return pd.concat([one.long for one in found]), pd.concat([one.summary for one in found])


def refuse_samples(asked: Asked) -> None:
    """Whoever reads one again fails."""
    for tar in asked.finished.place.glob("*.tar"):
        tar.write_bytes(b"damaged")


@pytest.mark.parametrize("of", [2, 3])
def test_parts_in_any_order_give_one_workers_numbers_without_a_sample_seen_again(asked: Asked, of: int) -> None:
    alone = replace(asked, context=replace(asked.context, real=None))
    long, summary = tables(alone)
    assert {"fid", "kid", "prdc_inception_recall", "spread_skill_pixel"} <= set(summary["metric"])
    for number in range(of, 0, -1):
        keep_share(asked, Share(number, of), Path("kept"))
    refuse_samples(asked)
    merged_long, merged = tables(asked, Path("kept"))
    pd.testing.assert_frame_equal(merged_long, long, check_exact=True)
    pd.testing.assert_frame_equal(merged, summary, check_exact=True)


def test_no_number_depends_on_how_many_completions_go_together(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    long, summary = tables(asked)
    for together in (1, 7, 1000):
        monkeypatch.setattr(passes, "COMPLETIONS", together)
        other_long, other = tables(asked)
        pd.testing.assert_frame_equal(other_long, long, rtol=1e-5)
        pd.testing.assert_frame_equal(other, summary, rtol=1e-5)


def test_vgg_is_shown_as_many_on_a_cpu_as_their_vectors_fit_into_32_mb(asked: Asked) -> None:
    (shown, _), _ = asked.passes()
    side = shown.testset.dataset.spec.size
    by_vgg = replace(shown, names=["psnr", "lpips_vgg"])
    assert shown.together == passes.COMPLETIONS and by_vgg.together == 16 * 64 * 64 // side**2
    cells = sum(64 * 2 ** min(level, 3) * (side >> level) ** 2 for level in range(5))
    assert cells * 4 * by_vgg.together <= 2**25 < cells * 4 * (by_vgg.together + 1)
    on_gpu = replace(by_vgg, context=replace(shown.context, device=torch.device("cuda")))
    assert on_gpu.together == passes.COMPLETIONS


def test_a_piece_that_is_not_there_or_damaged_is_seen_again(asked: Asked, draw: object) -> None:
    long, summary = tables(asked)
    keep_share(asked, Share(1, 1), Path("kept"))
    first, second, *_ = sorted(Path("kept").rglob("*.npz"))
    first.unlink()
    truncate(second, draw)
    merged_long, merged = tables(asked, Path("kept"))
    pd.testing.assert_frame_equal(merged_long, long, check_exact=True)
    pd.testing.assert_frame_equal(merged, summary, check_exact=True)


def test_a_piece_without_originals_features_is_seen_again_where_nobody_kept_these(asked: Asked) -> None:
    _, summary = tables(asked)  # keeps the originals' features: parts need not see them
    keep_share(asked, Share(1, 2), Path("kept"))
    for path in Path("real").glob("*.npz"):
        path.unlink()
    keep_share(asked, Share(2, 2), Path("kept"))
    _, merged = tables(asked, Path("kept"))
    pd.testing.assert_frame_equal(merged, summary, check_exact=True)


class Darker(toy.Noise):
    """The same noise, a grey level darker."""

    def sample(self, request: Request) -> Completions:
        drawn = super().sample(request)
        return replace(drawn, raw_BKCHW=drawn.raw_BKCHW - 1 / 127.5)


def test_a_pass_of_other_metrics_pixels_or_samples_is_another(asked: Asked) -> None:
    (shown, _), _ = asked.passes()
    others = (
        replace(shown, names=shown.names[1:]),
        replace(shown, composited=False),
        replace(shown, finished=sampled.complete("darker", Darker(), SAMPLES)),
    )
    assert len({one.fingerprint() for one in (shown, *others)}) == 4
