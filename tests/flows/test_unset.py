"""Started as by systemd: an interpreter by its path, a moved port, nothing else set; and the pages of such a server."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.flows import toy
from tests.flows.stack import Stack, free_port, until

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    found = Stack.of(toy.make(tmp_path_factory.mktemp("bare") / "toy"), PLURIFILL_POOLS="cpu gpu")
    active = {"PATH", "VIRTUAL_ENV", "PYTHONPATH"}  # what `activate`, make and this test's own run have set
    found.environment = {k: v for k, v in found.environment.items() if k not in active} | {"PATH": "/usr/bin:/bin"}
    assert not any(os.access(f"{folder}/prefect", os.X_OK) for folder in ("/usr/bin", "/bin"))
    with found.running():
        yield found


def test_a_stage_runs(bare: Stack) -> None:
    assert bare.wait(bare.run("run-stage/gpu", stage="toy@other")) == "COMPLETED"
    assert [line[:2] for line in bare.log()] == [["learn", "other/-"], ["learnt", "other/-"]]


@contextmanager
def tunnel(port: int) -> Iterator[int]:
    """Another port that leads to this one, as `ssh -L` makes it."""
    with socket.create_server(("127.0.0.1", int(free_port()))) as door:
        threading.Thread(target=_let_in, args=(door, port), daemon=True).start()
        yield door.getsockname()[1]


def _let_in(door: socket.socket, port: int) -> None:
    while True:
        try:
            guest = door.accept()[0]
        except OSError:
            return  # the door is closed
        host = socket.create_connection(("127.0.0.1", port))
        for a, b in ((guest, host), (host, guest)):
            threading.Thread(target=_carry, args=(a, b), daemon=True).start()


def _carry(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(1 << 16):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        return  # either end was closed


@pytest.mark.parametrize("pages", ["", "/v2"])
@pytest.mark.parametrize("way", ["127.0.0.1", "localhost", "tunnel"])
def test_the_pages_ask_the_server_that_served_them(bare: Stack, page: Page, way: str, pages: str) -> None:
    with tunnel(int(bare.environment["PREFECT_PORT"])) as other:
        port = other if way == "tunnel" else bare.environment["PREFECT_PORT"]
        base = f"http://{'127.0.0.1' if way == 'tunnel' else way}:{port}"
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{base}{pages}/deployments")
        page.get_by_text("benchmark", exact=True).first.wait_for()
        run = until(lambda: bare.runs("run-stage"))[0]
        page.goto(f"{base}{pages}/runs/flow-run/{run['id']}")
        page.get_by_text(run["name"]).first.wait_for()
        page.screenshot(path=bare.project.parent / f"pages{pages.replace('/', '-')}-{way}.png")
    elsewhere = {url for url in asked if "/api/" in url and not url.startswith(f"{base}/api/")}
    assert not elsewhere and any(url.startswith(f"{base}/api/") for url in asked)
