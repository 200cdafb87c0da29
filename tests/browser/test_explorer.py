"""The image explorer in a real browser: slider, sorting, filters, keys; loads what is looked at and nothing more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd
import pytest

from stages.pages.explorer import folder
from stages.pages.tables.compare import compare
from stages.pages.tables.scores import Scores
from stages.pages.testsets import SAME, SampledTestSet
from tests.browser.conftest import Watch
from tests.pages.made import row
from tests.pages.project import finished

if TYPE_CHECKING:
    from playwright.sync_api import Page

WIDTHS = (1280, 390)


@pytest.fixture(params=WIDTHS)
def page(watch: Watch, request: pytest.FixtureRequest) -> Iterator[Page]:
    with watch(finished() / "reports/pages/explorer.html", request.param) as window:
        window.wait_for_selector("#entries canvas")
        yield window


def listed(page: Page) -> list[float]:
    return [float(text) for text in page.locator("#list b").all_text_contents()]


def test_it_is_as_wide_as_its_window_and_shows_every_entry(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth") == page.viewport_size["width"]  # type: ignore[index]
    assert page.locator("#entries h2").all_text_contents() == ["latent_codes", "classical/mean", "classical/telea"]
    assert page.locator("#list button").count() == 8


def test_the_slider_moves_by_mouse_and_by_key(page: Page) -> None:
    clip = "getComputedStyle(document.getElementById('before')).clipPath"
    handle = "document.querySelector('.handle').getBoundingClientRect().left"
    middle, at = page.evaluate(clip), page.evaluate(handle)
    box = page.locator("#stage").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 0.2 * box["width"], box["y"] + 0.8 * box["height"])
    assert page.evaluate(clip) != middle and page.evaluate(handle) < at - 0.2 * box["width"]
    left = page.evaluate(handle)
    page.locator("#slider").press("End")
    assert page.evaluate(handle) > left + 0.5 * box["width"]


def test_worst_first_then_best_first_by_any_metric(page: Page) -> None:
    for label, worst_is_least in (("PSNR", True), ("L1", False)):
        page.select_option("#metric", label=label)
        page.select_option("#order", "worst")
        worst = listed(page)
        assert worst == sorted(worst, reverse=not worst_is_least) and len(set(worst)) > 1
        page.select_option("#order", "best")
        assert listed(page) == worst[::-1]


def test_filters_keep_what_fits_and_say_so_where_nothing_does(page: Page) -> None:
    values = sorted(listed(page))
    between = next((a + b) / 2 for a, b in pairwise(values[3:]) if b - a > 0.1)
    page.fill("#low", str(between))
    assert sorted(listed(page)) == [value for value in values if value > between]
    page.fill("#low", "1e9")
    assert page.locator("#nothing").is_visible() and not page.locator("#shown").is_visible()
    page.fill("#low", "")
    page.fill("#search", page.locator("#list span").last.text_content() or "")
    assert page.locator("#list button").count() == 1


def test_keys_go_through_images_samples_and_entries(page: Page) -> None:
    first = page.locator("#key").text_content()
    page.keyboard.press("j")
    page.wait_for_function("(first) => document.getElementById('key').textContent !== first", arg=first)
    page.keyboard.press("k")
    page.wait_for_function("(first) => document.getElementById('key').textContent === first", arg=first)
    chosen = page.locator("#chosen")
    page.keyboard.press("ArrowRight")
    assert chosen.text_content() == "latent_codes, sample 1"
    page.keyboard.press("]")
    assert chosen.text_content() == "classical/mean, sample 0"
    page.keyboard.press("r")
    assert chosen.text_content() == "classical/mean, sample 0, raw"
    page.keyboard.press("o")
    assert not page.locator("#outline").is_visible()


def test_a_tile_is_chosen_by_tab_and_enter_and_the_address_brings_it_back(page: Page) -> None:
    tile = page.locator("#entries section").nth(0).locator("button").nth(2)
    tile.focus()
    page.keyboard.press("Enter")
    assert tile.get_attribute("aria-pressed") == "true"
    key = page.locator("#key").text_content()
    page.reload()
    page.wait_for_selector("#entries canvas")
    assert page.locator("#chosen").text_content() == "latent_codes, sample 2"
    assert page.locator("#key").text_content() == key


def test_another_protocol_shows_its_own_scores_and_raw_output(page: Page) -> None:
    page.select_option("#protocol", label="raw")
    page.wait_for_function("document.getElementById('signature').textContent.includes(' raw ')")
    assert page.locator("#with-raw").is_checked()
    assert "Known error" in " ".join(page.locator("#values dt").all_text_contents())


SIZE, IMAGES, SAMPLES = 32, 1000, 10


@dataclass(frozen=True)
class Noise:
    """What a test set is read by: originals, holes, and completions that are noise of their key."""

    description: dict[str, Any]
    keys: tuple[str, ...]

    @property
    def sources(self) -> tuple[str, ...]:
        return self.keys

    def image(self, index: int) -> np.ndarray:
        return np.random.default_rng(index).integers(0, 256, (4, 4, 3), np.uint8).repeat(8, axis=0).repeat(8, axis=1)

    def hole(self, key: str) -> np.ndarray:
        return np.add.outer(np.arange(SIZE), np.arange(SIZE)) < 16 + int(key) % 40

    def raw_KHWC(self, key: str) -> np.ndarray:
        return np.stack([self.image(int(key) + 1 + k) for k in range(SAMPLES)])


def generated(place: Path) -> None:
    """The explorer's folder of IMAGES x SAMPLES completions by two entries."""
    keys = tuple(f"{i:04d}" for i in range(IMAGES))
    card = {**dict.fromkeys(SAME, "x"), "split_hash": "x", "size": SIZE, "samples": SAMPLES, "signature": "s"}
    card |= {"composite": True, "selection": "all", "trained_on": [], "out_of_domain": False}
    noise = cast(Any, tuple(Noise({**card, "entry": entry, "dataset_hash": "x"}, keys) for entry in "ab"))
    testset = SampledTestSet("box", noise, keys, {key: i for i, key in enumerate(keys)}, noise[0], noise[0])
    index = pd.MultiIndex.from_product([["a", "b"], keys, range(SAMPLES), ["psnr", "l1"]])
    long = index.to_frame(index=False, name=["method", "image", "k", "metric"]).assign(protocol="box", card="s")
    long = long.assign(source=long["image"], value=np.random.default_rng(0).random(len(long)))
    summary = pd.DataFrame([row(entry, metric, 1.0, "higher") for entry in "ab" for metric in ("psnr", "l1")])
    told = Scores(summary, {entry: {"box": card} for entry in "ab"}, (), (), ())  # pairs are not what is measured
    folder.write(place, [testset], compare(told), long)


@pytest.mark.long
@pytest.mark.parametrize("width", WIDTHS)
def test_a_thousand_images_open_at_once(watch: Watch, tmp_path: Path, width: int, record_property: Any) -> None:
    """The first paint waits for the page alone (under 60 kB), the first image for four files more."""
    generated(tmp_path / "pages")
    file = tmp_path / "pages" / folder.PAGE
    assert file.stat().st_size < 60_000
    with watch(file, width) as page:
        asked: list[str] = []
        page.on("request", lambda one: asked.append(Path(one.url).name))
        page.reload()
        page.wait_for_selector("#entries canvas")
        assert page.locator("#count").text_content() == f"{IMAGES} of {IMAGES} images"
        beside = {name for name in asked if name.endswith((".js", ".webp"))}
        assert len(beside) == 4, beside  # the test set, its scores, a sheet of thumbnails, one image
        paints = page.evaluate("performance.getEntriesByType('paint').map((entry) => [entry.name, entry.startTime])")
        ready = page.evaluate("performance.now()")
        record_property("milliseconds", {**dict(paints), "first image": ready})
        print({**dict(paints), "first image": ready})
