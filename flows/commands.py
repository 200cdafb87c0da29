"""Commands under guard: their lines go to the run's log, and none outlives the flow that runs it."""

import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event

from prefect import get_run_logger
from prefect.artifacts import create_link_artifact
from prefect.states import Crashed, State

from flows import access, processes
from flows.ender import Ender
from flows.errors import Abandoned
from flows.guard import ABANDONED

GUARD = Path(__file__).with_name("guard.py").resolve()  # in a worktree `-m flows` would be that commit's
LAUNCHER = "PLURIFILL_LAUNCHER"  # words before `dvc repro`, as `srun --gres=gpu:1`
LAST, LONGEST = 3, 500  # the lines that a failure repeats: dvc's own error, and before it what the stage said
COMPARED = re.compile(r"compare them \(make ui\): (\S+)")  # what `plurifill record` says last
MLFLOW_RUN = re.compile(r"MLflow run (\w+) of experiment (\w+)")  # what a training says

_parent = os.getppid()  # in a worker's flow run: the worker, as long as it lives
_running: set[subprocess.Popen[str]] = set()
_stopping = Event()


def exit_on_sigterm() -> None:
    """For a flow in a process of its own: SIGTERM ends it as `exit` does, so that its temporary server ends too."""
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))


def device_lock() -> Path | None:
    """The lock of the device that this worker was given; None outside of our workers."""
    name = os.environ.get("PLURIFILL_SLOT")
    return Path(tempfile.gettempdir()) / f"plurifill-slots-{os.getuid()}" / f"{name}.lock" if name else None


def never() -> bool:
    """The command goes on to its own end."""
    return False


def run(
    command: Sequence[str],
    root: Path,
    lock: Path,
    env: Mapping[str, str] | None = None,
    launched: bool = False,
    ends: Callable[[], bool] = never,
) -> None:
    """Run to the end; `lock` keeps the same work from running twice; `launched`: by PLURIFILL_LAUNCHER, if it is set.
    Once `ends` says so, which is asked time and again, it is made to save and stop: this is an end like any other.

    RuntimeError with the exit code and what it said last where it fails.
    """
    name = shlex.join(command)
    if _stopping.is_set():
        raise Abandoned(f"{name}: not begun, this process ends")
    with (
        subprocess.Popen(
            [*_guarded([lock, device_lock()], os.environ.get(LAUNCHER, "") if launched else ""), *command],
            cwd=root,
            env=env,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=in_worker(),  # Prefect kills a cancelled flow's group: the guard has its own
        ) as process,
        Ender(ends, process.terminate) as ender,
    ):
        last = _log_lines(process)
    if process.returncode == ABANDONED:
        raise Abandoned(f"{name}: stopped, the worker is gone")
    if process.returncode and not ender.has_ended:
        raise RuntimeError(f"{name} ended with exit code {process.returncode}: {' | '.join(last)}")


def _log_lines(process: subprocess.Popen[str]) -> list[str]:
    """Log all that it says, to its end; its last lines. Where that is broken off, it is asked to stop."""
    _running.add(process)
    last: deque[str] = deque(maxlen=LAST)
    try:
        for line in filter(str.strip, process.stdout or ()):
            _log(line.rstrip())
            last.append(line.strip()[:LONGEST])
        return list(last)
    except BaseException:
        process.terminate()
        raise
    finally:
        _running.discard(process)


def _guarded(locks: Sequence[Path | None], launcher: str) -> list[str]:
    """The guard's command line up to the command: what it holds, whose end it watches for."""
    pids = [os.getpid(), *([_parent] if in_worker() else [])]
    holds = [word for path in locks if path for word in ("--hold", str(path))]
    watches = [word for pid in pids for word in ("--watch", str(pid))]
    by = ["--launcher", launcher] if launcher else []
    return [sys.executable, "-P", str(GUARD), *holds, *watches, *by, "--"]


@contextmanager
def stopped_on_error() -> Iterator[None]:
    """Around a wait for commands that other threads run: where it is broken off, they are asked to save and stop."""
    try:
        yield
    except BaseException:
        _stopping.set()
        for process in list(_running):
            process.terminate()
        raise


def pause(seconds: float) -> None:
    """Wait, in a thread; Abandoned where this process is asked to end, so that the thread does."""
    if _stopping.wait(seconds):
        raise Abandoned("this process ends")


def end_with_worker() -> None:
    """For a flow that only waits: killed, its worker takes it along; then it is begun again, by a worker that lives."""
    if in_worker():
        processes.end_with_parent()


def crash_if_abandoned(work: Callable[[], None]) -> State | None:
    """Do a flow's work; a flow whose worker was killed ends as crashed, not failed: whoever asked runs it again."""
    try:
        work()
    except Abandoned as error:
        return Crashed(message=str(error))
    return None


def in_worker() -> bool:
    """Whether a worker started this process for one flow run."""
    return "PREFECT__FLOW_RUN_ID" in os.environ


def _log(line: str) -> None:
    get_run_logger().info(line)
    if found := MLFLOW_RUN.search(line):
        run_id, experiment = found.groups()
        create_link_artifact(
            f"{mlflow_url()}/#/experiments/{experiment}/runs/{run_id}?workflowType=machine_learning",
            "MLflow",
            key="mlflow",
        )
    if found := COMPARED.search(line):
        create_link_artifact(found[1], "compare the points in MLflow", key="comparison")


def mlflow_url() -> str:
    """Where MLflow's pages are."""
    uri = os.environ.get("MLFLOW_TRACKING_URI", "")
    own = f"http://{access.seen_at()}:{os.environ.get('MLFLOW_PORT', '5000')}"
    return uri.rstrip("/") if uri.startswith("http") else own
