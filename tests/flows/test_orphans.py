"""A server whose parent was killed does not keep the port from the next one; somebody else's server is named."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.flows.stack import answers, free_port, until
from tests.flows.toy import ROOT

KEEPER = """
import sys
from flows import supervisor
from flows.supervisor import Supervised
serve = f"{sys.executable} -m http.server --bind 127.0.0.1 {sys.argv[1]} & wait"
supervisor.supervise("toy", [Supervised("toy", ["sh", "-c", serve], port=(sys.argv[1], "TOY_PORT"))])
"""


@pytest.fixture
def place(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder and a free port; nothing that was started for them stays."""
    yield tmp_path, free_port()
    for process in family(tmp_path):
        process.kill()


def keeper(place: tuple[Path, str]) -> subprocess.Popen[str]:
    own = {**os.environ, "PREFECT_HOME": str(place[0]), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", KEEPER, place[1]]
    return subprocess.Popen(command, cwd=place[0], env=own, stderr=subprocess.PIPE, text=True)


def family(home: Path) -> list[psutil.Process]:
    """All that was started with that home."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("PREFECT_HOME") == str(home):
                found.append(process)
        except (psutil.AccessDenied, psutil.NoSuchProcess):
            continue
    return found


def server(place: tuple[Path, str]) -> psutil.Process:
    """The process that serves, once it answers."""
    until(lambda: answers(f"http://127.0.0.1:{place[1]}/"))
    [found] = [one for one in family(place[0]) if one.cmdline()[1:3] == ["-m", "http.server"]]
    return found


@pytest.mark.parametrize("killed", ["parent", "keeper", "both"])
def test_an_orphan_makes_room_and_the_next_one_serves(place: tuple[Path, str], killed: str) -> None:
    running = keeper(place)
    first = server(place)
    shell = first.parent()
    assert shell is not None
    if killed in ("keeper", "both"):
        running.send_signal(signal.SIGKILL)
        running.wait()
    if killed in ("parent", "both") and shell.is_running():
        shell.send_signal(signal.SIGKILL)
    if killed in ("keeper", "both"):
        running = keeper(place)
    until(lambda: not first.is_running() or first.status() == psutil.STATUS_ZOMBIE)
    assert server(place).pid != first.pid
    running.send_signal(signal.SIGTERM)
    assert running.wait(timeout=60) == 0


def test_a_port_that_somebody_else_has_is_named_with_who_has_it(place: tuple[Path, str]) -> None:
    with socket.create_server(("127.0.0.1", int(place[1]))):
        running = keeper(place)
        said = running.communicate(timeout=60)[1]
    assert running.returncode == 1 and said.count("\n") == 1
    assert said.startswith(f"toy: port {place[1]}: process {os.getpid()} (") and "set TOY_PORT" in said
