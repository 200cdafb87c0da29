"""Who wins: beyond chance against every other entry, on enough photographs, whatever else the table holds."""

import numpy as np
import pandas as pd
import pytest

from stages.evaluation.statistics import MIN_SOURCES
from stages.pages.tables import buckets, winners


def long(values: dict[str, np.ndarray], sources: int, metric: str = "psnr") -> pd.DataFrame:
    """A long table of one value an image; images go round the sources."""
    told = {"k": 0, "metric": metric}
    return pd.DataFrame(
        {"method": entry, "image": f"i{i}", "source": f"s{i % sources}", **told, "value": float(value)}
        for entry, given in values.items()
        for i, value in enumerate(given)
    )


def apart(gain: float, images: int = 60) -> dict[str, np.ndarray]:
    """Two equal entries, and one that is better by `gain` on average, all on images of very different difficulty."""
    rng = np.random.default_rng(0)
    hard = rng.normal(20, 8, images)
    return {entry: hard + rng.normal(shift, 0.5, images) for entry, shift in (("a", 0.0), ("b", 0.0), ("c", gain))}


def test_a_small_but_steady_gain_wins_though_intervals_overlap() -> None:
    verdict = winners.judge(long(apart(1.0), 30), {"psnr": "higher"}, "all", 30)
    assert verdict.winners == {"psnr": "c"} and "c in PSNR" in verdict.said
    assert len(verdict.pairs) == 3 and (verdict.pairs["p_holm"] >= verdict.pairs["p"]).all()


def test_the_direction_decides() -> None:
    verdict = winners.judge(long(apart(-1.0), 30, "l1"), {"l1": "lower"}, "all", 30)
    assert verdict.winners == {"l1": "c"}
    assert not winners.judge(long(apart(1.0), 30, "l1"), {"l1": "lower"}, "all", 30).winners


def test_better_than_one_entry_alone_is_no_win() -> None:
    values = apart(1.0)
    values["d"] = values["c"] + np.random.default_rng(1).normal(0, 0.5, 60)
    assert not winners.judge(long(values, 30), {"psnr": "higher"}, "all", 30).winners


def test_no_winner_is_named_under_twenty_photographs() -> None:
    few = MIN_SOURCES - 1
    verdict = winners.judge(long(apart(5.0), few), {"psnr": "higher"}, "all", few)
    assert not verdict.winners and "20" in verdict.said and len(verdict.pairs) == 3
    assert winners.judge(long(apart(5.0), MIN_SOURCES), {"psnr": "higher"}, "all", MIN_SOURCES).winners


def test_chance_alone_names_no_one_more_often_than_said() -> None:
    named = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        equal = {entry: rng.normal(0, 1, 24) for entry in "abc"}
        named += bool(winners.judge(long(equal, 24), {"psnr": "higher"}, "all", 24).winners)
    assert named <= 3  # one in 20 is allowed for; more than three have a probability of 2 %


@pytest.mark.parametrize("values", [{}, {"a": np.arange(30.0)}])
def test_without_a_pair_nothing_is_said(values: dict[str, np.ndarray]) -> None:
    frame = long(values, 30) if values else pd.DataFrame(columns=["method", "image", "source", "k", "metric", "value"])
    assert winners.judge(frame, {"psnr": "higher"}, "all", 30).said == ""


def test_buckets_hold_every_image_once_and_their_own_means() -> None:
    values = {"a": np.arange(20.0)}
    holes = long({"a": np.linspace(0.05, 1.0, 20)}, 20, "hole_ratio").assign(k=-1)
    found = buckets.split(pd.concat([long(values, 20), holes]), ["a"], ["psnr"], "all")
    assert sum(bucket.images for bucket in found) == 20
    assert found[0].rows[0][1][0].value == 0.0 and found[-1].high == 1.0
    assert [bucket.low for bucket in found] == sorted({bucket.low for bucket in found})
