"""Keeps processes running in the background: starts them again when they end, and ends all of them with itself."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from flows import access, locks, orphans, processes

RESTART_S = 5.0  # before a process that ended is started again
SAVE_S = 150.0  # for what they started to save and end, which it does by itself
STOP_S = 15.0  # to end; a worker would wait for its flows, which are stopped, saved, when it has gone


def home() -> Path:
    """Prefect's database, the logs and the locks of what is supervised."""
    return Path(os.environ.setdefault("PREFECT_HOME", str(Path(".prefect").resolve())))


@dataclass
class Supervised:
    """One process that is to run."""

    name: str
    command: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    port: tuple[str, str] | None = None  # a server's, and the variable that moves it
    process: subprocess.Popen[bytes] | None = None
    ended: float = 0.0

    def start(self) -> None:
        """Start it; it ends with this process. A server of an earlier one, whose parent was killed, makes room."""
        self.end_orphans()
        own = {**os.environ, **self.env, **({orphans.MARK: self._mark} if self.port else {})}
        self.process = subprocess.Popen(
            self.command, env=own, preexec_fn=processes.end_with_parent, stdin=subprocess.DEVNULL
        )

    def end_orphans(self) -> None:
        """End what a server has left that ended without its own."""
        if self.port:
            orphans.end(self._mark)

    def refuse_taken_port(self) -> None:
        """SystemExit where somebody else's server has its port."""
        if not self.port:
            return
        self.end_orphans()
        port, variable = self.port
        if holder := orphans.holder(access.host(), port):
            sys.exit(f"{self.name}: port {port}: {holder}; end that, or set {variable}")

    @property
    def _mark(self) -> str:
        return f"{self.name} of {home()}"

    def ensure_running(self) -> None:
        """Start it, or start it again some seconds after it ended."""
        if self.process is None:
            self.start()
        elif self.process.poll() is not None:
            if not self.ended:
                self.ended = time.monotonic()
                print(f"{self.name} ended with exit code {self.process.returncode}", flush=True)
            elif time.monotonic() - self.ended > RESTART_S:
                self.ended = 0.0
                self.start()


def supervise(name: str, supervised: Sequence[Supervised], every_second: Callable[[], None] | None = None) -> None:
    """Keep them running in the foreground until SIGTERM or SIGINT."""
    asked: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda number, frame: asked.append(number))
    with locks.held(_lock(name), SystemExit(f"{name}: running already")) as file:
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        for one in supervised:
            one.refuse_taken_port()
        while not asked:
            for one in supervised:
                one.ensure_running()
            if every_second:
                every_second()
            time.sleep(1)
        _end(supervised)


def _end(supervised: Sequence[Supervised]) -> None:
    family = psutil.Process().children(recursive=True)
    running = [one.process for one in supervised if one.process and one.process.poll() is None]
    for process in running:
        process.terminate()
    until = time.monotonic() + STOP_S
    for process in running:
        try:
            process.wait(max(until - time.monotonic(), 0))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    for one in supervised:
        one.end_orphans()
    psutil.wait_procs(family, timeout=SAVE_S)


def start(name: str, ready: Callable[[], bool] = lambda: True) -> None:
    """`python -m flows.NAME run` in the background; returns when it is ready. Its output: NAME.log in `home()`."""
    log = home() / f"{name}.log"
    home().mkdir(parents=True, exist_ok=True)
    if is_running(name):
        print(f"{name}: running already; make stop ends it")
        return
    with log.open("a") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", f"flows.{name}", "run"],
            stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True,
        )  # fmt: skip
    while not (is_running(name) and ready()):
        if process.poll() is not None:
            said = log.read_text().strip().rpartition("\n")[2]
            sys.exit(f"{said}\n{name}: ended with exit code {process.returncode}; see {log}")
        time.sleep(0.2)


def is_running(name: str) -> bool:
    """Whether what `start` starts runs in this project."""
    return locks.is_held(_lock(name))


def stop(name: str) -> None:
    """End what `start` started, and wait for it."""
    if not is_running(name):
        return
    os.kill(int(_lock(name).read_text()), signal.SIGTERM)
    while is_running(name):
        time.sleep(0.2)


def _lock(name: str) -> Path:
    return home() / f"{name}.lock"


def main(name: str, run: Callable[[], None], ready: Callable[[], bool] = lambda: True) -> None:
    """`start`, `stop`, or `run` in the foreground."""
    verbs = {"start": lambda: start(name, ready), "stop": lambda: stop(name), "run": run}
    if len(sys.argv) != 2 or sys.argv[1] not in verbs:
        sys.exit(f"usage: python -m flows.{name} {'|'.join(verbs)}")
    verbs[sys.argv[1]]()
