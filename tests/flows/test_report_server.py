"""The report's server: the report's files to this machine's browser, or to whoever has the password; nothing else."""

import base64
import http.client
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.flows.stack import free_port, until
from tests.flows.toy import ROOT

LOGIN = "ann:correct horse battery"


@contextmanager
def served(folder: Path, **more: str) -> Iterator[int]:
    """The server of a project in `folder`; its port."""
    (folder / "reports" / "pages").mkdir(parents=True)
    (folder / "reports" / "index.html").write_text("the report")
    (folder / "secret").write_text("not the report")
    own = {**{k: v for k, v in os.environ.items() if not k.startswith("PLURIFILL_")}, "PYTHONPATH": str(ROOT), **more}
    port = free_port()
    command = [sys.executable, "-m", "flows.report_server", "127.0.0.1", port]
    process = subprocess.Popen(command, cwd=folder, env=own, stderr=subprocess.DEVNULL)
    try:
        until(lambda: answer(int(port), "/") != 0)
        yield int(port)
    finally:
        process.terminate()
        process.wait()


def answer(port: int, path: str, method: str = "GET", **headers: str) -> int:
    """The status that the server answers with; 0 where none does."""
    asked = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        asked.request(method, path, headers=headers)
        return asked.getresponse().status
    except ConnectionError:
        return 0
    finally:
        asked.close()


def test_it_gives_the_report_and_nothing_else(tmp_path: Path) -> None:
    with served(tmp_path) as port:
        assert answer(port, "/index.html") == answer(port, "/") == 200
        assert answer(port, "/pages/") == answer(port, "/../secret") == answer(port, "/%2e%2e/secret") == 404
        assert answer(port, "/index.html", "POST") == answer(port, "/index.html", "PUT") == 501
        assert answer(port, "/index.html", Host=f"elsewhere.example:{port}") == 401
        assert answer(port, "/index.html", Host=f"localhost:{port}") == 200


@pytest.mark.parametrize(("given", "status"), [(LOGIN, 200), ("ann:wrong", 401), ("ann:é", 401), ("", 401)])
def test_with_a_login_it_asks_for_it(tmp_path: Path, given: str, status: int) -> None:
    header = {"Authorization": f"Basic {base64.b64encode(given.encode()).decode()}"} if given else {}
    with served(tmp_path, PLURIFILL_LOGIN=LOGIN) as port:
        assert answer(port, "/index.html", Host=f"elsewhere.example:{port}", **header) == status
