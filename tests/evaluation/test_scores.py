"""Selections, best of k, and what a card's signature covers."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from stages.contract import UserError
from stages.evaluation import scores
from stages.evaluation.protocols import Card, refuse_unlike

CARD = Card(
    dataset="faces",
    split="test",
    split_hash="a" * 64,
    masks="box80",
    mask_hash="b" * 64,
    hole="0.63-0.63",
    images=482,
    samples=8,
    selection="all",
    composite=True,
    size=64,
    seed=0,
    metrics=("psnr",),
    weights={"alexnet": "c" * 12},
    trained_on=("faces",),
)


@pytest.fixture
def long() -> pd.DataFrame:
    """Two images of one source and one of another, two samples each; a diversity an image."""
    psnrs, l1s = {"a": (20, 30), "b": (25, 15), "c": (9, 9)}, {"a": (4, 2), "b": (3, 5), "c": (7, 8)}
    rows = [(image, -1, "div", 0.5) for image in "abc"]
    for metric, table in (("psnr", psnrs), ("l1", l1s)):
        rows += [(image, k, metric, float(value)) for image, pair in table.items() for k, value in enumerate(pair)]
    frame = pd.DataFrame(rows, columns=["image", "k", "metric", "value"])
    return frame.assign(source=frame["image"].map({"a": "s", "b": "s", "c": "t"}))


@pytest.mark.parametrize(
    ("selection", "expected"), [("all", [3.0, 4.0, 7.5]), ("first", [4.0, 3.0, 7.0]), ("best_of_k", [2.0, 3.0, 7.0])]
)
def test_each_selection_takes_its_samples(long, selection, expected):
    taken = scores.per_image(long, "l1", selection)
    assert taken["value"].tolist() == expected and taken["source"].tolist() == ["s", "s", "t"]
    assert scores.per_image(long, "div", selection)["value"].tolist() == [0.5] * 3


def test_best_of_k_is_the_highest_psnr_in_every_metric(long):
    assert scores.best(long).to_dict() == {"a": 1, "b": 0, "c": 0}
    assert scores.per_image(long, "psnr", "best_of_k")["value"].tolist() == [30.0, 25.0, 9.0]


def test_sets_of_a_set_level_metric(long):
    assert scores.sets(long, "all", ["a", "b", "c"], 2).tolist() == [[0, 0, 0], [1, 1, 1]]
    assert scores.sets(long, "first", ["a", "b", "c"], 2).tolist() == [[0, 0, 0]]
    assert scores.sets(long, "best_of_k", ["c", "a", "b"], 2).tolist() == [[0, 1, 0]]


def test_a_summary_counts_images_sources_and_samples(long):
    summary = scores.summarise(long, "all", {"fd": (7.0, 6.0, 8.5)}, 2).set_index("metric")
    assert summary.loc["l1", ["estimate", "n", "sources", "k"]].tolist() == [pytest.approx(14.5 / 3), 3, 2, 2]
    assert summary.loc["fd", ["estimate", "low", "high", "n"]].tolist() == [7.0, 6.0, 8.5, 3]
    assert scores.summarise(long, "first", {}, 2)["k"].unique().tolist() == [1]


def test_the_variance_of_images_and_of_samples_are_told_apart():
    rng, images, samples = np.random.default_rng(0), 2000, 4
    values_NK = 3.0 * rng.standard_normal((images, 1)) + 2.0 * rng.standard_normal((images, samples))
    index = pd.MultiIndex.from_product([range(images), range(samples)], names=["image", "k"])
    long = pd.Series(values_NK.ravel(), index, name="value").reset_index().assign(metric="psnr")
    told = scores.spread(long, "psnr", "all")
    assert told["std_images"] == pytest.approx(3.0, rel=0.05) and told["std_samples"] == pytest.approx(2.0, rel=0.05)
    assert np.isnan(list(scores.spread(long, "psnr", "first").values())).all()


@pytest.mark.parametrize(
    "change",
    [{"images": 481}, {"mask_hash": "d" * 64}, {"weights": {"alexnet": "absent"}}, {"composite": False}, {"size": 128}],
)
def test_unlike_cards_are_refused_by_field_and_differ_in_signature(change):
    other = replace(CARD, **change)
    assert other.signature() != CARD.signature()
    with pytest.raises(UserError, match=f"ours and theirs .*{next(iter(change))} is"):
        refuse_unlike({"ours": CARD.told(), "theirs": other.told()})


def test_what_was_drawn_before_pixels_is_told_and_keeps_nobody_out_of_a_table():
    drawn = replace(CARD, latents={"structures": "5eed"})
    assert drawn.told() == {**CARD.told(), "latents": {"structures": "5eed"}}
    assert drawn.signature() == CARD.signature()
    refuse_unlike({"a": drawn.told(), "b": CARD.told(), "c": replace(CARD, latents={"structures": "f00d"}).told()})
    refuse_unlike({"b": CARD.told(), "a": drawn.told()})


def test_results_from_jpeg_files_are_marked_and_compared():
    lossy = replace(CARD, lossy=True)
    assert lossy.told() == {**CARD.told(), "lossy": True} and lossy.signature() == CARD.signature()
    refuse_unlike({"a": lossy.told(), "b": CARD.told()})
    refuse_unlike({"b": CARD.told(), "a": lossy.told()})


def test_what_raw_output_is_is_told_and_keeps_nobody_out_of_a_table():
    composed = replace(CARD, composite=False, raw="a composite plus a correction")
    plain = replace(CARD, composite=False)
    assert composed.told() == {**plain.told(), "raw": "a composite plus a correction"}
    assert composed.signature() == plain.signature()
    refuse_unlike({"a": composed.told(), "b": plain.told()})
    refuse_unlike({"b": plain.told(), "a": composed.told()})


def test_the_networks_of_a_methods_losses_are_told_and_keep_nobody_out_of_a_table():
    taught = replace(CARD, loss_networks=("alexnet",))
    assert taught.told() == {**CARD.told(), "loss_networks": ("alexnet",)} and taught.signature() == CARD.signature()
    refuse_unlike({"a": taught.told(), "b": CARD.told()})
    refuse_unlike({"b": CARD.told(), "a": taught.told()})


def test_a_card_of_nothing_before_pixels_is_what_it_was():
    assert CARD.signature().endswith(" #d6cc130d")
    assert list(CARD.told()) == [
        "signature", "dataset", "split", "split_hash", "masks", "mask_hash", "hole", "images", "samples", "selection",
        "composite", "size", "seed", "metrics", "weights", "trained_on", "out_of_domain",
    ]  # fmt: skip


def test_methods_trained_elsewhere_are_compared_but_marked():
    elsewhere, untrained = replace(CARD, trained_on=("places",)), replace(CARD, trained_on=())
    refuse_unlike({"a": CARD.told(), "b": elsewhere.told(), "c": untrained.told()})
    assert elsewhere.signature() == CARD.signature()
    assert [one.out_of_domain for one in (CARD, elsewhere, untrained)] == [False, True, False]
