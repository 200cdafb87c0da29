"""A results folder is scored exactly as our own samples are, and other implementations' numbers come out."""

import dataclasses
import json
import shutil

import numpy as np
import pytest
import torch
from PIL import Image
from skimage.metrics import peak_signal_noise_ratio

from stages.contract import UserError
from stages.evaluation.external.score import Folders, audit, score_folder
from stages.pages import results_folder
from stages.project import tables
from stages.sampling import pairs

FIGURES = {"psnr": "psnr_db", "lpips_alex": "lpips_alex", "lpips_squeeze": "lpips_squeeze", "hole_ratio": "hole_ratio"}
ABSOLUTE = {"psnr": 1e-3, "l1": 1e-4, "lpips_alex": 2e-4, "lpips_squeeze": 2e-4, "hole_ratio": 1e-6}


def score(folders, output, metrics=()):
    """Scored, and every file of it written, as `plurifill benchmark --results` does."""
    found = score_folder(folders, metrics, torch.device("cpu"))
    return [*found.write(output), *results_folder.write(found, output)]


def scored(folders, output, metrics=("psnr", "l1", "known_error")):
    score(folders, output, metrics)
    long = tables.read(output / "scores")
    return {(r.protocol, r.image, r.k, r.metric): r.value for r in long.itertuples()}


def pixels(path):
    return np.array(Image.open(path))


def test_every_completion_is_scored_under_its_image(handed_in, tmp_path):
    folders = handed_in(samples=2)
    values = scored(folders, tmp_path / "out")
    for folder in folders.results.iterdir():
        truth = pixels(folders.images / f"{folder.name}.png")
        for k in (0, 1):
            expected = peak_signal_noise_ratio(truth, pixels(folder / f"{k:02d}.png"))
            assert values["composited", folder.name, k, "psnr"] == pytest.approx(expected, abs=1e-4)


def test_eight_samples_are_told_how_calibrated_they_are(handed_in, tmp_path):
    metrics = ("energy_pixel", "calibration_pixel", "spread_skill_pixel")
    score(handed_in(samples=8), tmp_path / "out", metrics)
    summary = tables.read(tmp_path / "out" / "summary").set_index("metric")
    told = {*metrics, "calibration_error_pixel", "calibration_p_pixel", "hole_ratio"}
    assert set(summary.index) == told and summary.loc[list(metrics[:2]), "low"].notna().all()
    assert '<section id="calibration">' in (tmp_path / "out" / "index.html").read_text()
    assert "share of samples held" in (tmp_path / "out" / "index.html").read_text()


def test_raw_results_are_measured_then_composited_by_us(handed_in, tmp_path):
    values = scored(handed_in(kind="raw"), tmp_path / "raw")
    shutil.rmtree(tmp_path / "handed \"in\" by 'us'")
    same_pixels = scored(handed_in(kind="composited"), tmp_path / "composited")
    for (protocol, image, k, metric), value in values.items():
        if metric == "known_error":
            assert value > 0
        elif protocol == "composited":
            assert value == same_pixels[protocol, image, k, metric]
        elif metric == "l1":
            assert value > same_pixels["composited", image, k, metric]


def test_tables_cards_markdown_and_page_are_left(handed_in, tmp_path):
    paths = score(handed_in(samples=2), tmp_path / "out", ("psnr", "l1"))
    assert all(path.stat().st_size for path in paths)
    card = json.loads((tmp_path / "out" / "cards.json").read_text())["cards"]["composited"]
    assert (card["images"], card["samples"], card["size"], card["trained_on"]) == (3, 2, 32, [])
    page = (tmp_path / "out" / "index.html").read_text()
    assert "it&#39;s a &#34;c&#34;" in page and 'it\'s a "c"' not in page  # names from outside are escaped


def test_a_card_changes_with_any_pixel_of_images_or_masks(handed_in, tmp_path):
    folders = handed_in()

    def hashes(output):
        score(folders, tmp_path / output, ("psnr",))
        card = json.loads((tmp_path / output / "cards.json").read_text())["cards"]["composited"]
        return card["split_hash"], card["mask_hash"]

    before = hashes("before")
    mask_HW = pixels(folders.masks / "a.png")
    mask_HW[8, 4] = 0
    Image.fromarray(mask_HW).save(folders.masks / "a.png")
    image_HWC = pixels(folders.images / "a.png")
    shutil.copy(folders.results / "a.png", tmp_path / "kept.png")
    image_HWC[8, 4] = pixels(tmp_path / "kept.png")[8, 4]
    Image.fromarray(image_HWC).save(folders.images / "a.png")
    after = hashes("after")
    assert before[0] != after[0] and before[1] != after[1]


@pytest.fixture
def madf(real_images, tmp_path):
    """The published cases as folders: masks are black in the hole."""
    room = real_images / "inpaint_refs" / "madf"
    for case in ("celeba/case1", "places2/case1", "places2/case2"):
        for folder, ending in (("images", ""), ("masks", "_mask"), ("results", "_output")):
            target = tmp_path / folder / f"{case.replace('/', '-')}.png"
            target.parent.mkdir(exist_ok=True)
            shutil.copy(room / f"{case}{ending}.png", target)
    return Folders(tmp_path / "results", tmp_path / "images", tmp_path / "masks", "black", "composited")


def test_another_implementations_values_come_out(madf, real_images, backbones, tmp_path):
    values = scored(madf, tmp_path / "out", ("psnr", "l1", "lpips_alex", "lpips_squeeze"))
    told = json.loads((real_images / "inpaint_refs" / "reference_values.json").read_text())
    for case, figures in told.items():
        image = case.removeprefix("madf/").replace("/", "-")
        ours = {metric: value for (_, key, _, metric), value in values.items() if key == image}
        expected = {**{m: figures[name] for m, name in FIGURES.items()}, "l1": figures["l1_mean_0_255"] / 255 * 100}
        for metric, value in expected.items():
            assert ours[metric] == pytest.approx(value, abs=ABSOLUTE[metric]), (case, metric)


def test_a_published_set_with_black_holes_refuses_white_ones(madf, tmp_path):
    with pytest.raises(UserError, match="declared the wrong way round; use --hole black"):
        score(Folders(madf.results, madf.images, madf.masks, "white", "composited"), tmp_path / "out")


def test_a_published_set_tells_its_holes_colour(madf):
    folders, found = audit(dataclasses.replace(madf, hole=None))
    assert folders == madf and not found.warnings and not found.lossy


def test_published_sets_with_white_holes_are_read_rightly(real_images):
    room = real_images / "inpaint_refs" / "edgeconnect_inputs" / "celeba"
    for one in pairs.pair(room / "images", room / "masks"):
        original, mask = pairs.opened(one, "white")
        image_HWC, hole_HW = original.image_HWC, mask.hole_HW
        painted = (image_HWC[hole_HW] == 255).all(axis=-1).mean()  # the authors painted the hole white
        assert painted > 0.95 and (image_HWC[~hole_HW] == 255).all(axis=-1).mean() < 0.5
    room = real_images / "inpaint_refs" / "ldm_inputs"
    for one in pairs.pair(room, room):  # bench2.png, bench2_mask.png
        assert 0.01 < pairs.opened(one, "white")[1].hole_HW.mean() < 0.5
