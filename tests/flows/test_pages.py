"""What a person finds by a click in the servers' own pages, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.flows.stack import Stack, answers, until
from tests.flows.test_beyond import record, served

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The servers, a finished sweep of alpha."""
    with served(tmp_path_factory.mktemp("pages")) as found:
        yield found


def test_the_address_that_record_prints_shows_the_first_score_over_what_varies(stack: Stack, page: Page) -> None:
    page.goto(record(stack).partition("compare them (make ui): ")[2].split()[0])
    page.get_by_text("scores over what varies").first.wait_for()
    page.locator(".ytitle", has_text="centre/psnr").first.wait_for()
    assert page.locator(".xtitle").first.text_content() == "param/alpha"
    page.screenshot(path=stack.project.parent / "compare.png")


def test_the_report_opens_from_prefects_page(stack: Stack, page: Page) -> None:
    stack.environment["PREFECT_API_URL"] = stack.api
    stack.flows("reproduce")
    [link] = stack.ask("artifacts/filter", {"artifacts": {"key": {"any_": ["report"]}}})
    page.goto(f"{stack.pages}/artifacts/artifact/{link['id']}")
    with page.expect_popup() as opened:
        page.get_by_role("link", name="the report").click()
    opened.value.wait_for_load_state()
    assert opened.value.url == f"http://127.0.0.1:{stack.environment['REPORT_PORT']}/index.html"
    assert opened.value.content().count((stack.project / "reports" / "index.html").read_text().strip()) == 1
    page.screenshot(path=stack.project.parent / "report.png")


def test_mlflows_server_is_one_process_and_what_watches_it(stack: Stack) -> None:
    """No job consumers: they are asked for by MLFLOW_SERVER_ENABLE_JOB_EXECUTION=true."""
    mine = [process for process in stack.processes() if "mlflow" in " ".join(process.cmdline())]
    assert 1 <= len(mine) <= 2 and not any("huey" in " ".join(process.cmdline()) for process in mine)


def test_a_server_whose_parent_is_killed_comes_back(stack: Stack) -> None:
    port = stack.environment["MLFLOW_PORT"]
    [uvicorn] = [one for one in stack.processes() if "uvicorn" in one.cmdline() and port in one.cmdline()]
    parent = uvicorn.parent()
    assert parent is not None
    parent.kill()
    uvicorn.wait(timeout=120)
    until(lambda: answers(f"http://127.0.0.1:{port}/health"))
    assert "alpha alpha=0.25: there already" in record(stack)
