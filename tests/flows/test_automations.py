"""What reaches people: runs that fail or are late, and a pool without workers, by a webhook on loopback."""

import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from flows.automations import NOTIFY, watched
from tests.flows.stack import Stack, until

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]


class Told(ThreadingHTTPServer):
    """A webhook, and what it was sent."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.words: list[str] = []


class _Handler(BaseHTTPRequestHandler):
    server: Told

    def do_POST(self) -> None:
        self.server.words.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@pytest.fixture
def told() -> Iterator[Told]:
    with Told() as hook:
        threading.Thread(target=hook.serve_forever, daemon=True).start()
        yield hook
        hook.shutdown()


def deployed(server: Stack, block: str, expect: int = 0) -> str:
    server.environment[NOTIFY] = block
    try:
        return server.call(sys.executable, "-m", "flows.deploy", expect=expect)
    finally:
        del server.environment[NOTIFY]


def webhook(server: Stack, name: str, address: str) -> None:
    """A block, as a person makes one in the pages."""
    kind = server.ask("block_types/slug/webhook")["id"]
    [schema] = server.ask("block_schemas/filter", {"block_schemas": {"block_type_id": {"any_": [kind]}}})
    own = {"name": name, "data": {"url": address}, "block_schema_id": schema["id"], "block_type_id": kind}
    server.ask("block_documents/", own)


def test_a_block_that_is_not_there_is_one_line(server: Stack) -> None:
    said = deployed(server, "webhook/nobody", expect=2).splitlines()
    assert said[-1].startswith(f"deploy: {NOTIFY}=webhook/nobody: no such block; make one at {server.pages}/blocks")


def test_people_are_told_and_what_they_set_stays(server: Stack, told: Told) -> None:
    webhook(server, "lab", f"http://127.0.0.1:{told.server_port}/")
    deployed(server, "webhook/lab")
    server.run("sweep/grid", name="nosuch")
    until(lambda: [one for one in told.words if "is late" in one])
    server.flows("workers", "start")
    failed = until(lambda: [one for one in told.words if "ended as Failed" in one])
    assert "no sweep sweeps.nosuch" in failed[0] and f"{server.pages}/runs/flow-run/" in failed[0]
    server.flows("workers", "stop")
    until(lambda: {one.split()[2] for one in told.words if "no worker any more" in one} >= {"flows", "cpu"})
    found = {one["name"]: one for one in server.ask("automations/filter", {})}
    assert set(found) == set(watched(server.pages))
    server.ask(f"automations/{found['plurifill: late']['id']}", {"enabled": False}, "PATCH")
    webhook(server, "other", f"http://127.0.0.1:{told.server_port}/other")
    deployed(server, "webhook/other")
    after = {one["name"]: one for one in server.ask("automations/filter", {})}
    assert {name: one["id"] for name, one in after.items()} == {name: one["id"] for name, one in found.items()}
    assert [one["enabled"] for _, one in sorted(after.items())] == [True, False, True]
    assert all(after[name]["actions"] != found[name]["actions"] for name in after)
