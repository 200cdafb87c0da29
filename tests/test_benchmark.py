"""`plurifill benchmark`: tables, cards and numbers of every row under every protocol."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from skimage.metrics import peak_signal_noise_ratio

from stages import benchmark, sample
from stages.contract import UserError
from stages.evaluation import protocols
from stages.evaluation.kept import shared_parts
from stages.evaluation.scores import WHOLE_IMAGE
from stages.images.dataset import Dataset
from stages.images.masks import MaskSet
from stages.project import tables
from stages.sampling.store import SampleStore
from tests.sampling import toy


@pytest.fixture(scope="module")
def sampled(tmp_path_factory) -> Path:
    root = toy.make(tmp_path_factory.mktemp("project"))
    with toy.inside(root):
        sample.main("classical", device="cpu")
    return root


@pytest.fixture
def project(sampled, tmp_path) -> Path:
    """A fresh project with the classical method's samples."""
    shutil.copytree(sampled, tmp_path / "project")
    return tmp_path / "project"


@pytest.fixture(scope="module")
def scored(sampled) -> Path:
    with toy.inside(sampled):
        benchmark.main("classical", device="cpu")
    return sampled / "reports" / "scores"


def test_the_long_table_has_every_value_of_every_sample(scored):
    long = tables.read(scored / "classical")
    assert list(long.columns) == ["method", "protocol", "card", "image", "source", "k", "metric", "value"]
    centre = long[(long["method"] == "classical/telea") & (long["protocol"] == "centre")]
    psnr = centre[centre["metric"] == "psnr"]
    assert len(psnr) == toy.IMAGES * 3 and sorted(psnr["k"].unique()) == [0, 1, 2]
    holes = centre[centre["metric"] == "hole_ratio"]
    assert set(holes["k"]) == {WHOLE_IMAGE} and holes["value"].tolist() == [0.25] * toy.IMAGES


def test_a_value_is_the_definition_on_the_stored_pictures(scored, sampled):
    long = tables.read(scored / "classical")
    with toy.inside(sampled):
        dataset, masks = Dataset.open(Path("data/shards/toy"), "test"), MaskSet.open(Path("data/masks/toy"), "centre")
        finished = SampleStore.open(Path("data/samples/classical/centre/telea"))
        key = finished.keys[5]
        image_HWC, raw_HWC = dataset.image(dataset.keys.index(key)), finished.raw_KHWC(key)[1]
    judged_HWC = np.where(masks.hole(key)[..., None], raw_HWC, image_HWC)
    mine = long[(long["method"] == "classical/telea") & (long["image"] == key) & (long["k"] == 1)]
    value = mine[(mine["protocol"] == "centre") & (mine["metric"] == "psnr")]["value"].item()
    assert value == pytest.approx(peak_signal_noise_ratio(image_HWC, judged_HWC), abs=1e-4)


def test_the_summary_is_the_mean_with_its_interval(scored):
    long, summary = tables.read(scored / "classical"), tables.read(scored / "classical.summary")
    columns = ["method", "protocol", "card", "metric", "estimate", "low", "high", "std", "n", "sources"]
    columns += ["std_images", "std_samples", "k", "better"]
    assert list(summary.columns) == columns
    row = summary.set_index(["method", "protocol", "metric"]).loc[("classical/telea", "centre", "psnr")]
    values = long.query("method == 'classical/telea' and protocol == 'centre' and metric == 'psnr'")["value"]
    assert row["estimate"] == pytest.approx(values.mean()) and row["low"] < row["estimate"] < row["high"]
    assert (row["n"], row["sources"], row["k"], row["better"]) == (12, 12, 3, "higher")


def test_identical_samples_are_told(scored, capsys):
    told = json.loads((scored / "classical.cards.json").read_text())
    assert {(w["method"], w["protocol"]) for w in told["warnings"]} == {
        ("classical/mean", "centre"),
        ("classical/telea", "centre"),
    }
    numbers = json.loads((scored / "classical.json").read_text())
    assert numbers["classical/mean"]["centre"]["collapsed"] == 1.0
    assert numbers["classical/mean"]["centre"]["diversity_pixel"] == 0.0


def test_a_metric_that_cannot_be_had_is_absent_with_its_reason(scored):
    told = json.loads((scored / "classical.cards.json").read_text())
    assert {(a["method"], a["protocol"], a["metric"]) for a in told["absent"]} == {
        ("classical/mean", "few", "fd_alexnet"),
        ("classical/telea", "few", "fd_alexnet"),
    }
    assert "at least 384 images, and here are 4" in told["absent"][0]["reason"]
    assert "fd_alexnet" not in json.loads((scored / "classical.json").read_text())["classical/mean"]["few"]


def test_samples_too_few_for_ranks_are_told_in_one_line(project):
    with toy.inside(project):
        benchmark.main("classical", device="cpu", set_=["protocols.raw.metrics=[calibration_pixel, energy_pixel]"])
    told = json.loads((project / "reports/scores/classical.cards.json").read_text())["absent"]
    (reason,) = {one["reason"] for one in told if one["protocol"] == "raw"}
    assert reason == "calibration_pixel needs at least 8 samples an image, and here are 3"


def test_cost_tells_of_every_row_draw_and_phase(scored):
    cost = pd.DataFrame(json.loads((scored / "classical.cards.json").read_text())["cost"])
    assert set(zip(cost["method"], cost["testset"], cost["phase"], strict=True)) == {
        (f"classical/{row}", testset, phase)
        for row in ("mean", "telea")
        for testset in ("centre", "few")
        for phase in ("total", "fill")
    }
    assert cost["warm_up"].dropna().gt(0).all()


def test_rows_of_one_protocol_stand_in_one_table_and_unlike_ones_do_not(scored):
    cards = json.loads((scored / "classical.cards.json").read_text())["cards"]
    protocols.refuse_unlike({row: card["centre"] for row, card in cards.items()})
    with pytest.raises(UserError, match=r"classical/mean and classical/telea .* selection is 'all' .* 'first'"):
        rows = {"classical/mean": cards["classical/mean"]["centre"], "classical/telea": cards["classical/telea"]["raw"]}
        protocols.refuse_unlike(rows)


def test_samples_of_another_draw_are_refused(project):
    with toy.inside(project), pytest.raises(UserError, match=r"sampled with seed 0, now it is 1.*plurifill sample"):
        benchmark.main("classical", device="cpu", set_=["testsets.centre={masks: centre, samples: 3, seed: 1}"])


def test_without_samples_it_says_what_to_run(project):
    shutil.rmtree(project / "data" / "samples")
    with toy.inside(project), pytest.raises(UserError, match="plurifill sample"):
        benchmark.main("classical", device="cpu")


def test_best_of_k_without_psnr_is_the_users_mistake(project):
    values = toy.params(project)
    values["protocols"]["few"]["metrics"] = ["l1"]
    toy.write_params(project, values)
    with toy.inside(project), pytest.raises(UserError, match=r"protocols\.few: best_of_k selects by psnr"):
        benchmark.main("classical", device="cpu")


@pytest.mark.parametrize("of", [2, 3])
def test_parts_give_one_workers_scores_to_the_last_byte(project, scored, of):
    shutil.rmtree(project / "reports")
    with toy.inside(project):
        for number in range(of, 0, -1):
            benchmark.main("classical", device="cpu", part=f"{number}/{of}")
        assert not Path("reports/scores").exists()
        for tar in Path("data/samples").rglob("*.tar"):
            tar.write_bytes(b"damaged")  # who reads a sample again fails
        benchmark.main("classical", device="cpu")
        assert not Path("data/progress/classical/scores").exists()
    mine, theirs = (
        {path.name: path.read_bytes() for path in folder.iterdir()} for folder in (project / "reports/scores", scored)
    )
    assert mine == theirs and len(mine) == 4


def test_what_parts_left_of_other_samples_is_not_taken_over(project, scored):
    swapped = ["methods.classical.inpaint.variants={mean: {algorithm: telea}, telea: {}}"]
    with toy.inside(project):
        benchmark.main("classical", device="cpu", part="1/1")
        sample.main("classical", device="cpu", set_=swapped)
        benchmark.main("classical", device="cpu", set_=swapped)
    now, before = (json.loads((root / "classical.json").read_text()) for root in (project / "reports/scores", scored))
    assert now == {"classical/mean": before["classical/telea"], "classical/telea": before["classical/mean"]}


def test_parts_that_are_being_left_stay(project):
    kept = Path("data/progress/classical/scores")
    with toy.inside(project):
        benchmark.main("classical", device="cpu", part="1/2")
        with shared_parts(kept):
            benchmark.main("classical", device="cpu")
        assert list(kept.rglob("*.npz"))
        benchmark.main("classical", device="cpu")
        assert not kept.exists()


def test_a_part_that_is_none_is_the_users_mistake(project):
    with toy.inside(project), pytest.raises(UserError, match=r"^--part 0/2: write I/N"):
        benchmark.main("classical", device="cpu", part="0/2")
