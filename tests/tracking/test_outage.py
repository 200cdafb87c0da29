"""MLflow's own server, away at a training's start, killed or held in its middle: nothing waits, nothing is lost."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stages.cli import record
from stages.contract import Batch
from stages.training.loop import train
from tests.flows.stack import answers, free_port, until
from tests.tracked import OUTSIDE, put
from tests.tracking.test_training import ON, learn, seen, waiting
from tests.training.toys import BATCH, batches, loop, run

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]

BLOCK = loop(4, log_every=1, save_every=1)
ALL = [BATCH * n for n in (1, 2, 3, 4)]


class Server:
    """MLflow's, on a port and a database of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        put(folder)

    def start(self) -> None:
        command = ["mlflow", "server", "--backend-store-uri", f"sqlite:///{self.folder}/mlflow.db", "--workers", "1"]
        command += ["--artifacts-destination", str(self.folder / "kept"), "--host", "127.0.0.1", "--port", self.port]
        own = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
        self.process = subprocess.Popen(command, cwd=self.folder, env=own, start_new_session=True)
        until(lambda: answers(f"{self.address}/health"))

    def signal(self, number: int) -> None:
        """To all of its processes."""
        os.killpg(self.process.pid, number)

    def runs(self) -> tuple[Any, list[Any]]:
        """A client, and the trainings' runs."""
        from mlflow import MlflowClient

        client = MlflowClient(self.address)
        return client, list(client.search_runs([client.get_experiment_by_name("plurifill-training").experiment_id]))


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Not started; trainings in the present folder log to it."""
    monkeypatch.chdir(tmp_path)
    for name in OUTSIDE:
        monkeypatch.delenv(name, raising=False)
    Path("params.yaml").write_text("track: {}\n")
    found = Server(tmp_path / "server")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", found.address)
    yield found
    found.signal(signal.SIGKILL)
    found.process.wait()


def whole(server: Server) -> None:
    """The server has one run, with every figure once, pictures of its steps and its end."""
    client, [found] = server.runs()
    assert seen(client, found, "train/loss") == ALL and seen(client, found, "val/mse") == [0, ALL[-1]]
    assert found.info.status == "FINISHED" and found.data.params["loop.steps"] == "4"
    pictures = [path.name.split("+") for path in (server.folder / "kept").rglob("filled*.png")]
    assert {name[2] for name in pictures} == {"0", str(ALL[-1])}  # one that was cut off in the middle is there again
    assert not waiting()


def test_a_server_that_is_not_there_at_the_start(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    learn(Path("state"), BLOCK)
    told = [line for line in capsys.readouterr().err.splitlines() if "MLflow" in line or "WARNING" in line]
    assert len(told) == 2 and "training goes on" in told[0] and "`plurifill record --trainings` logs them" in told[1]
    server.start()
    record.main(trainings=True)
    assert re.fullmatch(r"toys/toy: \d+ entries logged late\n", capsys.readouterr().out)
    whole(server)


@pytest.mark.parametrize(
    ("number", "is_back_before_the_end"), [(signal.SIGKILL, True), (signal.SIGKILL, False), (signal.SIGSTOP, False)]
)
def test_a_server_that_goes_in_the_middle(
    server: Server, capsys: pytest.CaptureFixture[str], number: int, is_back_before_the_end: bool
) -> None:
    def feed(k: int, rank: int, world: int) -> Batch:
        if k == 2:
            until(lambda: "MLflow run" in capsys.readouterr().err)  # it is open: the middle of its life too
            server.signal(number)
        return batches(k, rank, world)

    def back() -> None:
        if number == signal.SIGSTOP:
            return server.signal(signal.SIGCONT)
        server.process.wait()
        server.start()

    server.start()
    one = run(Path("state"), BLOCK, track=ON, feed=feed)
    train(one)  # to its end, while the server is away
    if is_back_before_the_end:
        back()
        one.tracker.end("FINISHED")
    else:
        one.tracker.end("FINISHED")
        assert "entries wait in" in capsys.readouterr().err
        back()
        until(recorded)  # the thread of this very process may be in the middle of its last attempt
    whole(server)


def recorded() -> bool:
    """Whether nothing waits, once what waits was recorded."""
    record.main(trainings=True)
    return not waiting()
