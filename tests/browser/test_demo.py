"""The demo in a real browser on a really trained method: a hole is painted, completions come, one is painted on."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from stages.images.files import decode, decode_rgb, encode_png
from tests.pages.project import ROOT, finished

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

WIDTHS = (1280, 390)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The demo of the finished project, started as a person starts it; Ctrl-C ends it."""
    command = [sys.executable, "-m", "stages.cli.app", "demo", "--port", "0"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PLURIFILL_DATA": "data"}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=finished(), env=environment, **pipes) as running:  # type: ignore[call-overload]
        yield running.stdout.readline().strip()
        running.send_signal(2)
        said = running.stderr.read()
    assert "Traceback" not in said and running.returncode == 130, said


@pytest.fixture(params=WIDTHS)
def page(browser: Browser, address: str, request: pytest.FixtureRequest) -> Iterator[Page]:
    """The page at both widths; a console message, or a request to another place, fails the test."""
    window = browser.new_page(viewport={"width": request.param, "height": 900}, accept_downloads=True)
    said: list[str] = []
    window.set_default_timeout(60_000)
    window.on("console", lambda message: said.append(message.text))
    window.on("pageerror", lambda error: said.append(str(error)))
    near = (address, "data:", f"blob:{address}")
    window.on("request", lambda asked: said.append(asked.url[:80]) if not asked.url.startswith(near) else None)
    window.goto(address)
    window.locator("#examples img").first.wait_for()
    yield window
    window.close()
    assert [line for line in said if "422" not in line] == []


def paint(page: Page, *places: tuple[float, float]) -> None:
    """A stroke through these places, in shares of the picture."""
    box = page.locator("#hole").bounding_box()
    assert box is not None
    for number, (x, y) in enumerate(places):
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=4)
        if number == 0:
            page.mouse.down()
    page.mouse.up()


def complete(page: Page) -> None:
    page.locator("#go").click()
    page.locator("#go:enabled").wait_for()
    assert " in " in page.locator("#answer").inner_text()


def example(page: Page) -> None:
    page.locator("#examples button").first.click()
    page.locator("#stage").wait_for()


def shown(page: Page) -> list[np.ndarray]:
    """The completions' pixels (H, W, 3)."""
    sources = page.locator("#completions img").evaluate_all("images => images.map((image) => image.src)")
    return [decode_rgb(base64.b64decode(source.partition(",")[2])) for source in sources]


def hole(page: Page, folder: Path) -> np.ndarray:
    """The hole as the page saves it (H, W)."""
    with page.expect_download() as loading:
        page.locator("#mask").click()
    loading.value.save_as(folder / "hole.png")
    return decode((folder / "hole.png").read_bytes())[..., 0] > 127


def upload(page: Page, name: str, data: bytes) -> None:
    page.locator("#file").set_input_files({"name": name, "mimeType": "image/png", "buffer": data})


def test_it_is_as_wide_as_its_window(page: Page, tmp_path: Path) -> None:
    example(page)
    paint(page, (0.3, 0.3), (0.6, 0.6))
    complete(page)
    assert page.evaluate("document.documentElement.scrollWidth") == page.viewport_size["width"]  # type: ignore[index]


def test_a_painted_hole_is_completed_and_nothing_else_changes(page: Page, tmp_path: Path) -> None:
    image_HWC = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    upload(page, "mine.png", encode_png(image_HWC))
    page.locator("#stage").wait_for()
    assert page.locator("#go").is_disabled()
    paint(page, (0.3, 0.4), (0.6, 0.4))
    page.locator("#count").fill("3")
    complete(page)
    hole_HW, drawn = hole(page, tmp_path), shown(page)
    assert hole_HW[16, 18:36].all() and not hole_HW[:, :10].any() and not hole_HW[30:].any()
    assert len(drawn) == 3 and all((one[~hole_HW] == image_HWC[~hole_HW]).all() for one in drawn)
    assert len({one.tobytes() for one in drawn}) == 3


def test_box_eraser_undo_and_the_middle_change_the_hole(page: Page, tmp_path: Path) -> None:
    example(page)
    page.locator("input[value=box]").check()
    paint(page, (0.25, 0.25), (0.75, 0.5))
    complete(page)
    boxed_HW = hole(page, tmp_path)
    assert boxed_HW.sum() == boxed_HW[8:16, 8:24].sum() == 8 * 16
    page.locator("input[value=eraser]").check()
    paint(page, (0.25, 0.4), (0.75, 0.4))
    complete(page)
    assert 0 < hole(page, tmp_path).sum() < boxed_HW.sum()
    page.locator("#undo").click()
    complete(page)
    assert (hole(page, tmp_path) == boxed_HW).all()
    page.locator("#clear").click()
    assert page.locator("#go").is_disabled()
    page.locator("#middle").click()
    complete(page)
    assert hole(page, tmp_path).sum() == 16 * 16


def test_one_is_kept_and_painted_on(page: Page, tmp_path: Path) -> None:
    example(page)
    page.locator("#middle").click()
    complete(page)
    kept_HWC = shown(page)[1]
    page.locator("#completions button").nth(1).click()
    page.locator("#go:disabled").wait_for()
    paint(page, (0.1, 0.1), (0.2, 0.1))
    complete(page)
    hole_HW = hole(page, tmp_path)
    assert hole_HW[:8].any() and not hole_HW[8:].any()
    assert all((one[~hole_HW] == kept_HWC[~hole_HW]).all() for one in shown(page))
    page.locator("#back").click()
    page.locator("#go:disabled").wait_for()


def test_seed_method_and_temperature_are_those_of_the_form(page: Page) -> None:
    example(page)
    page.locator("#middle").click()
    drawn = {}
    for seed, temperature in (("0", "1"), ("1", "1"), ("0", "4")):
        page.locator("#seed").fill(seed)
        page.locator("#temperature").fill(temperature)
        complete(page)
        drawn[seed, temperature] = shown(page)
    assert (drawn["0", "1"][1] == drawn["1", "1"][0]).all()
    assert any((cool != warm).any() for cool, warm in zip(drawn["0", "1"], drawn["0", "4"], strict=True))
    page.locator("#entry").select_option("classical/mean")
    assert page.locator("#warm").is_hidden()
    complete(page)
    assert len({one.tobytes() for one in shown(page)}) == 1


def test_a_file_that_is_no_picture_gets_one_line(page: Page) -> None:
    upload(page, "notes.png", b"no picture")
    page.locator("#told.wrong").wait_for()
    assert page.locator("#told").inner_text().startswith("the picture: ")
    assert page.locator("#stage").is_hidden()
