"""A project with its own servers on free ports of 127.0.0.1, its own workers, and what a test asks them."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from flows import ui

OWN = ("MLFLOW_", "PLURIFILL_", "PREFECT_", "DVC_", "MAKE", "MFLAGS")
FINAL = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}


def free_port() -> str:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return str(found.getsockname()[1])


def until(true: Callable[[], Any], patience_s: float = 240) -> Any:
    """What `true` returns, once it is true."""
    deadline = time.monotonic() + patience_s
    while not (found := true()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.1)
    return found


def answered(request: urllib.request.Request) -> bytes | None:
    """What the server answers; None where it is to be asked again (503: sqlite was busy), as Prefect's client does."""
    try:
        with urllib.request.urlopen(request, timeout=120) as reply:
            return reply.read() or b" "
    except urllib.error.HTTPError as error:
        if error.code != 503:
            raise
        time.sleep(1)
        return None


def answers(address: str) -> bool:
    """Whether a server does."""
    try:
        with urllib.request.urlopen(address, timeout=5) as reply:
            return bool(reply.status == 200)
    except (urllib.error.URLError, TimeoutError, ConnectionError):
        return False


@dataclass
class Stack:
    """One project, its servers and its workers."""

    project: Path
    environment: dict[str, str]
    server: subprocess.Popen[bytes] | None = None  # where it is not one of the user's command

    @classmethod
    def of(cls, project: Path, slots: int = 1, **more: str) -> "Stack":
        """Nothing runs yet. Locks lie in the project, so that stacks do not share this machine's slots."""
        (project.parent / "tmp").mkdir(exist_ok=True)
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(OWN)}
        inherited |= {k: v for k, v in os.environ.items() if k == "PLURIFILL_WEIGHTS"}
        own = {
            "PREFECT_PORT": free_port(), "MLFLOW_PORT": free_port(), "REPORT_PORT": free_port(),
            "PREFECT_HOME": str(project / ".prefect"),
            "PYTHONPATH": str(project), "TMPDIR": str(project.parent / "tmp"),
            "CUDA_VISIBLE_DEVICES": "", "PLURIFILL_CPU_SLOTS": str(slots), "TOY_LOG": str(project.parent / "log"),
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false", "DO_NOT_TRACK": "true", "DVC_NO_ANALYTICS": "1",
            "MLFLOW_DISABLE_TELEMETRY": "true", "OMP_NUM_THREADS": "1",
        }  # fmt: skip
        return cls(project, inherited | own | more)

    @classmethod
    @contextmanager
    def opened(cls, project: Path, slots: int = 2) -> Iterator["Stack"]:
        """With servers, the workers of some slots and the deployments, by the user's commands."""
        with cls.of(project, slots).running() as found:
            yield found

    @contextmanager
    def running(self) -> Iterator["Stack"]:
        """Servers, workers and deployments, inside."""
        try:
            self.flows("ui", "start")
            self.flows("workers", "start")
            self.flows("deploy")
            yield self
        finally:
            self.close()

    @classmethod
    @contextmanager
    def served(cls, project: Path, **more: str) -> Iterator["Stack"]:
        """With Prefect's server alone: MLflow's takes longer to start than all else."""
        found = cls.of(project, **more)
        try:
            found.serve()
            yield found
        finally:
            found.flows("workers", "stop")
            found.end_server()
            found.close()

    def serve(self) -> None:
        """Start Prefect's server alone."""
        command = ["prefect", "server", "start", "--host", "127.0.0.1", "--port", self.environment["PREFECT_PORT"]]
        with (self.project.parent / "server.log").open("a") as log:
            own = self.environment | ui.PATIENT
            self.server = subprocess.Popen(command, cwd=self.project, env=own, stdout=log, stderr=log)
        until(lambda: answers(f"{self.api}/health"))

    def end_server(self) -> None:
        """End what `serve` started."""
        if self.server:
            self.server.terminate()
            self.server.wait()

    def call(self, *command: str, expect: int = 0) -> str:
        """Run a command in the project; its whole output."""
        done = subprocess.run(command, cwd=self.project, env=self.environment, text=True, capture_output=True)
        assert done.returncode == expect, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done.stdout + done.stderr

    def flows(self, module: str, *words: str) -> None:
        """`python -m flows.MODULE WORDS`."""
        self.call(sys.executable, "-m", f"flows.{module}", *words)

    def ask(self, path: str, body: Any = None, method: str = "") -> Any:
        """The server's answer."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            f"{self.api}/{path}",
            data,
            {"Content-Type": "application/json"},
            method=method or ("GET" if body is None else "POST"),
        )
        text = until(lambda: answered(request))
        return json.loads(text.strip() or b"null")

    @property
    def api(self) -> str:
        """The address of Prefect's API: users who move a port set nothing else."""
        return self.environment.get("PREFECT_API_URL") or f"http://127.0.0.1:{self.environment['PREFECT_PORT']}/api"

    @property
    def pages(self) -> str:
        """The address of Prefect's pages."""
        return self.api.removesuffix("/api")

    def deployment(self, name: str) -> dict[str, Any]:
        return self.ask(f"deployments/name/{name}")

    def run(self, deployment: str, **parameters: Any) -> str:
        """The id of a new run."""
        found = self.deployment(deployment)
        return self.ask(f"deployments/{found['id']}/create_flow_run", {"parameters": parameters})["id"]

    def state(self, run: str) -> str:
        return self.ask(f"flow_runs/{run}")["state_type"]

    def wait(self, run: str, patience_s: float = 400) -> str:
        """The final state's type."""
        until(lambda: self.state(run) in FINAL, patience_s)
        return self.state(run)

    def runs(self, flow: str) -> list[dict[str, Any]]:
        """All runs of a flow, oldest first."""
        found = self.ask("flow_runs/filter", {"flows": {"name": {"any_": [flow]}}})
        return sorted(found, key=lambda run: run["created"])

    def set_state(self, run: str, state: str) -> None:
        self.ask(f"flow_runs/{run}/set_state", {"state": {"type": state}, "force": False})

    def worker(self, name: str) -> psutil.Process:
        """The worker's process."""
        [found] = [
            process
            for process in psutil.process_iter(["cmdline", "environ"])
            if process.info["cmdline"]
            and process.info["cmdline"][-1].endswith(f"-{name}")
            and (process.info["environ"] or {}).get("PLURIFILL_HOME") == str(self.project)
        ]
        return found

    def log(self) -> list[list[str]]:
        """What the toy's stages logged: verb, key, step, pid, slot, time."""
        path = Path(self.environment["TOY_LOG"])
        return [line.split() for line in path.read_text().splitlines()] if path.exists() else []

    def processes(self) -> list[psutil.Process]:
        """Everything that runs for this stack, by its environment."""
        mine = []
        for process in psutil.process_iter():
            try:
                if process.environ().get("PREFECT_HOME") == self.environment["PREFECT_HOME"]:
                    mine.append(process)
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue
        return [process for process in mine if process.pid != os.getpid()]

    def close(self) -> None:
        """End the stack by the user's command; what it leaves is a fault."""
        self.flows("workers", "stop")
        self.flows("ui", "stop")
        left = psutil.wait_procs(self.processes(), timeout=60)[1]
        for process in left:
            process.send_signal(signal.SIGKILL)
        assert not left, left
