"""A real browser for the tests of this folder: headless, and watched."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

Watch = Callable[[Path, int], AbstractContextManager["Page"]]


@pytest.fixture
def watch(browser: Browser) -> Watch:
    """Opens a file at a width; a console message, or a request to anything outside its folder, fails the test."""

    @contextmanager
    def opened(file: Path, width: int) -> Iterator[Page]:
        window = browser.new_page(viewport={"width": width, "height": 800})
        window.set_default_timeout(60_000)
        said: list[str] = []
        allowed = ("data:", file.parent.as_uri())
        window.on("console", lambda message: said.append(message.text))
        window.on("pageerror", lambda error: said.append(str(error)))
        window.on("request", lambda asked: said.append(asked.url[:80]) if not asked.url.startswith(allowed) else None)
        window.goto(file.as_uri())
        yield window
        window.close()
        assert said == []

    return opened
