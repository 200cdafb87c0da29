"""A sweep's points: read in the order of their values, compared on the same images, refused where unlike."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.contract import UserError
from stages.evaluation.protocols import signed
from stages.evaluation.scores import per_image
from stages.evaluation.statistics import paired
from stages.evaluation.sweeps import comparison, points
from tests.evaluation.sweeps.made import ALPHA, CARD, finish


@pytest.fixture
def alpha(tmp_path: Path) -> Path:
    """Two points alike, and 1.0 better by 1 dB, which the images' own spread of 8 dB hides unless they are paired."""
    for value, psnr in ((1.0, 21.0), (0.25, 20.0), (0.5, 20.0)):
        finish(tmp_path / "alpha", f"alpha={value}", {ALPHA: value}, psnr)
    return tmp_path / "alpha"


def test_points_stand_in_the_order_of_their_values(alpha: Path) -> None:
    swept = points.read(alpha)
    assert [point.overrides[ALPHA] for point in swept.points] == [0.25, 0.5, 1.0]
    assert swept.varied == (ALPHA,) and swept.numeric(ALPHA)
    assert points.short(swept.varied) == {ALPHA: "alpha"}


def test_the_first_key_orders_before_the_second(tmp_path: Path) -> None:
    for first, second in ((1.0, 0.5), (0.25, 2.0), (1.0, 0.25), (0.25, 0.5)):
        finish(tmp_path / "two", f"{first}-{second}", {"z.first": first, "a.second": second}, 20)
    assert [point.name for point in points.read(tmp_path / "two").points] == [
        "0.25-0.5",
        "0.25-2.0",
        "1.0-0.25",
        "1.0-0.5",
    ]


def test_a_null_is_a_value_and_a_list_is_one_too(tmp_path: Path) -> None:
    given: dict[str, dict[str, object]] = {"null": {"a.key": None}, "list": {"a.key": [1, 2]}, "alone": {"b.key": 1}}
    for name, overrides in given.items():
        finish(tmp_path / "kinds", name, overrides, 20)
    swept = points.read(tmp_path / "kinds")
    told = {point.name: point.text("a.key") for point in swept.points}
    assert told == {"null": "null", "list": "[1, 2]", "alone": "–"}
    assert set(swept.varied) == {"a.key", "b.key"}
    shown = comparison.curve(swept).groupby("point")["a.key"].first()
    assert shown["null"] == "null" and shown["list"] == "[1, 2]" and shown.isna()["alone"]
    assert comparison.reference(swept, {"a": {"key": None}}).name == "null"


def test_whether_a_point_sets_null_or_leaves_the_key_alone_is_a_difference(tmp_path: Path) -> None:
    finish(tmp_path / "null", "null", {"a.key": None, "b.key": 1}, 20)
    finish(tmp_path / "null", "alone", {"b.key": 1}, 20)
    assert points.read(tmp_path / "null").varied == ("a.key",)


def test_a_point_without_its_note_is_not_finished(alpha: Path) -> None:
    (alpha / "alpha=0.5.json").unlink()
    assert len(points.read(alpha).points) == 2
    with pytest.raises(UserError, match=r"no such point|no finished point alpha=0\.5"):
        points.read(alpha).point("alpha=0.5")


def test_a_sweep_that_is_not_there_names_the_nearest(alpha: Path) -> None:
    with pytest.raises(UserError, match="did you mean alpha"):
        points.read(alpha.parent / "alfa")
    assert points.read_all(alpha.parent / "nowhere") == []


def test_a_damaged_note_is_named(alpha: Path) -> None:
    (alpha / "alpha=0.5.json").write_text("{")
    with pytest.raises(UserError, match=r"alpha=0\.5\.json: damaged"):
        points.read(alpha)


@settings(deadline=None)
@given(st.lists(st.lists(st.sampled_from("abc"), min_size=1, max_size=3).map(".".join), unique=True, max_size=6))
def test_short_names_are_endings_and_no_two_are_one(keys: list[str]) -> None:
    names = points.short(keys)
    assert len(set(names.values())) == len(keys)
    assert all(key.endswith(name) for key, name in names.items())


def test_a_pair_is_the_paired_difference_of_the_images_means(alpha: Path) -> None:
    swept = points.read(alpha)
    against = swept.point("alpha=0.25")
    found = comparison.by(comparison.pairs(swept, against), "point", "metric")
    mine, other = (per_image(point.long, "psnr", "all") for point in (swept.point("alpha=1.0"), against))
    told = paired(mine["value"], other["value"], mine["source"].tolist())
    pair = found["alpha=1.0", "psnr"]
    assert (pair["difference"], pair["p"], pair["n"], pair["sources"]) == (told.difference, told.p, 40, 20)
    assert pair["sure"] and pair["p_holm"] == pytest.approx(2 * told.p) and told.difference == pytest.approx(1, abs=0.1)
    same = found["alpha=0.5", "psnr"]
    assert (same["difference"], same["p_holm"], same["sure"]) == (0.0, 1.0, False)
    assert set(found) == {("alpha=1.0", "psnr"), ("alpha=0.5", "psnr")}  # none for a set-level metric


def test_few_photographs_make_nothing_sure(tmp_path: Path) -> None:
    for value in (0.25, 1.0):
        finish(tmp_path / "few", str(value), {ALPHA: value}, 20 + 9 * value, card=replace(CARD, images=20))
    swept = points.read(tmp_path / "few")
    (pair,) = comparison.by(comparison.pairs(swept, swept.points[0]), "point").values()
    assert pair["p_holm"] < 0.05 and not pair["sure"]


def test_the_reference_is_what_params_sets_else_the_first(alpha: Path) -> None:
    swept = points.read(alpha)
    values = {"methods": {"latent_codes": {"token_mask": {"alpha": 0.5}}}}
    assert comparison.reference(swept, values).name == "alpha=0.5"
    assert comparison.reference(swept, {}).name == "alpha=0.25"


def test_other_holes_are_refused_by_the_field_that_differs(alpha: Path) -> None:
    finish(alpha, "alpha=2", {ALPHA: 2.0}, 20, card=replace(CARD, mask_hash="b" * 64))
    with pytest.raises(UserError, match="masks is centre:aaaaaa and centre:bbbbbb"):
        comparison.refuse_unlike(points.read(alpha))


def test_what_the_signature_hides_is_refused_too(alpha: Path) -> None:
    finish(alpha, "alpha=2", {ALPHA: 2.0}, 20, card=replace(CARD, seed=1))
    with pytest.raises(UserError, match=r"alpha=0\.25 and alpha=2 cannot be compared.*seed, metrics"):
        comparison.refuse_unlike(points.read(alpha))


def test_the_axis_that_is_swept_may_differ_and_no_other(tmp_path: Path) -> None:
    for samples in (2, 4):
        overrides = {"testsets.centre.samples": samples}
        finish(tmp_path / "k", f"k={samples}", overrides, 20, card=replace(CARD, samples=samples))
    swept = points.read(tmp_path / "k")
    comparison.refuse_unlike(swept)
    assert len(comparison.pairs(swept, swept.points[0])) == 1
    finish(tmp_path / "k", "k=8", {"testsets.centre.samples": 8}, 20, card=replace(CARD, samples=8, size=32))
    with pytest.raises(UserError, match="size is 64 and 32"):
        comparison.refuse_unlike(points.read(tmp_path / "k"))


def test_a_signature_tells_its_card() -> None:
    told = signed(CARD.signature())
    assert (told["selection"], told["composite"], told["samples"], told["size"]) == ("all", "composited", "2", "64")
    assert np.unique(list(told.values())).size == len(told)
