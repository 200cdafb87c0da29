"""The report in a real browser: silent, alone, sortable, usable by keyboard, as wide as its window."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import Watch
from tests.pages.project import finished

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

WIDTHS = (1280, 390)


@pytest.fixture(params=WIDTHS)
def page(watch: Watch, request: pytest.FixtureRequest) -> Iterator[Page]:
    """The report at both widths; it asks for no file but itself."""
    file = finished() / "reports/index.html"
    with watch(file, request.param) as window:
        asked: list[str] = []
        window.on("request", lambda one: asked.append(one.url[:80]))
        window.reload()
        yield window
        assert [url for url in asked if not url.startswith("data:")] == [file.as_uri()]


def test_it_is_as_wide_as_its_window(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth") == page.viewport_size["width"]  # type: ignore[index]


def test_every_picture_is_shown_with_words(page: Page) -> None:
    pictures = "[...document.images].filter((image) => image.closest('dialog') === null)"
    assert page.evaluate(f"{pictures}.length") > 30
    assert page.evaluate(f"{pictures}.every((image) => image.naturalWidth > 0 && image.alt)")


def test_a_heading_sorts_its_column_and_back(page: Page) -> None:
    heading = page.locator("table.scores").first.locator("thead button").nth(1)
    values = "table => [...table.tBodies[0].rows].map((row) => Number(row.cells[1].dataset.value))"
    table = page.locator("table.scores").first
    heading.click()
    rising = table.evaluate(values)
    heading.click()
    assert rising == sorted(rising) and len(set(rising)) > 1
    assert table.evaluate(values) == rising[::-1]
    assert table.locator("thead th[aria-sort]").get_attribute("aria-sort") == "descending"


def test_the_keyboard_sorts_enlarges_goes_on_and_closes(page: Page) -> None:
    page.locator("table.scores thead button").first.focus()
    page.keyboard.press("Enter")
    assert page.locator("table.scores th[aria-sort]").count() == 1
    page.locator(".case .thumb").first.focus()
    page.keyboard.press("Enter")
    closer = page.locator("dialog")
    first = closer.locator("img").get_attribute("alt")
    assert closer.is_visible() and first
    page.keyboard.press("ArrowRight")
    assert closer.locator("img").get_attribute("alt") != first
    page.keyboard.press("Escape")
    assert not closer.is_visible()


def test_it_is_short_until_something_is_unfolded_and_paper_has_all_of_it(page: Page) -> None:
    height = "document.documentElement.scrollHeight"
    assert page.evaluate(height) < 8 * 800
    folded = page.locator("#provenance dt").first
    assert not folded.is_visible()
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert folded.is_visible() and page.locator("details:not([open])").count() == 0


def test_a_link_into_a_fold_opens_it(page: Page) -> None:
    page.locator("#raw > summary").click()
    assert not page.locator("#raw table.scores").first.is_visible()
    page.evaluate("location.hash = 'raw'")
    page.locator("#raw table.scores").first.wait_for()
    page.evaluate("location.hash = 'cost'")
    page.locator("#cost table").first.wait_for()


def test_the_first_screen_answers(page: Page) -> None:
    told = page.locator(".answers-first div").all_text_contents()
    assert any("PSNR" in one and "classical" in one for one in told) and any("a sample" in one for one in told)
    assert page.locator(".hero").is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_stand_out_from_their_ground(browser: Browser, scheme: str) -> None:
    """WCAG AA: a contrast of 4.5 at least, of the text and of the quieter text, in both schemes."""
    window = browser.new_page(color_scheme=scheme)  # type: ignore[arg-type]
    window.goto((finished() / "reports/index.html").as_uri())
    style = "name => getComputedStyle(document.documentElement).getPropertyValue(name).trim()"
    ground = _light(window.evaluate(style, "--paper"))
    for name in ("--ink", "--soft", "--accent"):
        words = _light(window.evaluate(style, name))
        assert (max(words, ground) + 0.05) / (min(words, ground) + 0.05) >= 4.5
    window.close()


def _light(colour: str) -> float:
    levels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [level / 12.92 if level <= 0.04045 else ((level + 0.055) / 1.055) ** 2.4 for level in levels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
