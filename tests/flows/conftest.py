"""Stacks: their servers and workers start once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests import graph_copy
from tests.flows import toy
from tests.flows.stack import Stack

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The toy, nothing made yet."""
    with Stack.opened(toy.make(tmp_path_factory.mktemp("stack") / "toy")) as found:
        yield found


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The toy with Prefect's server alone: no worker, no MLflow."""
    with Stack.served(toy.make(tmp_path_factory.mktemp("server") / "toy")) as found:
        yield found


@pytest.fixture
def reproduced(stack: Stack) -> Stack:
    """The toy, all of it up to date."""
    stack.call("dvc", "repro")
    return stack


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The project itself at the tiny preset, nothing made yet."""
    with Stack.opened(graph_copy.fresh(tmp_path_factory.mktemp("tiny") / "project")) as found:
        yield found


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page of a real browser, patient with a machine that trains."""
    opened = browser.new_page(viewport={"width": 1280, "height": 1000})
    opened.set_default_timeout(90_000)
    yield opened
    opened.close()
