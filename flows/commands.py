"""Commands under guard: their lines go to the run's log, and none outlives the flow that runs it."""

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from prefect import get_run_logger
from prefect.artifacts import create_link_artifact
from prefect.states import Crashed, State

from flows.guard import ABANDONED

GUARD = Path(__file__).with_name("guard.py").resolve()
TRACKED = re.compile(r"MLflow run (\w+) of experiment (\w+)")  # what training tells


_parent = os.getppid()  # in a worker's flow run: the worker, as long as it lives
_running: set[subprocess.Popen[str]] = set()
_stopping: list[bool] = []


class Abandoned(Exception):  # noqa: N818 - not an error of the command's
    """The worker is gone: the command was stopped after it had saved, and the flow is to be run again."""


def end_in_order() -> None:
    """For a flow in a process of its own: SIGTERM ends it as `exit` does, so that its temporary server ends too."""
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))


def slot() -> Path | None:
    """The lock of the device that this worker was given; None outside of our workers."""
    name = os.environ.get("PLURIFILL_SLOT")
    return Path(tempfile.gettempdir()) / f"plurifill-slots-{os.getuid()}" / f"{name}.lock" if name else None


def run(command: Sequence[str], root: Path, lock: Path, env: Mapping[str, str] | None = None) -> None:
    """Run to the end; RuntimeError with the exit code where it fails. `lock` keeps the same work from running twice."""
    if _stopping:
        raise Abandoned(f"{' '.join(command)}: not begun, this process ends")
    holds = [str(path) for path in (lock, slot()) if path]
    watched = [os.getpid(), *([_parent] if in_worker() else [])]
    guard = [sys.executable, "-P", str(GUARD)]
    guard += [word for path in holds for word in ("--hold", path)]
    guard += [word for pid in watched for word in ("--watch", str(pid))]
    with subprocess.Popen(
        [*guard, "--", *command], cwd=root, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        start_new_session=in_worker(),  # Prefect kills a cancelled flow's group: the guard has its own
    ) as process:  # fmt: skip
        _running.add(process)
        try:
            for line in filter(str.strip, process.stdout or ()):
                _tell(line.rstrip())
        except BaseException:
            process.terminate()
            raise
        finally:
            _running.discard(process)
    if process.returncode == ABANDONED:
        raise Abandoned(f"{' '.join(command)}: stopped, the worker is gone")
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with exit code {process.returncode}")


@contextmanager
def stopping() -> Iterator[None]:
    """Around a wait for commands that other threads run: where it is broken off, they are asked to save and stop."""
    try:
        yield
    except BaseException:
        _stopping.append(True)
        for process in list(_running):
            process.terminate()
        raise


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


def _tell(line: str) -> None:
    get_run_logger().info(line)
    if found := TRACKED.search(line):
        run_id, experiment = found.groups()
        create_link_artifact(f"{mlflow_pages()}/#/experiments/{experiment}/runs/{run_id}", "MLflow", key="mlflow")


def mlflow_pages() -> str:
    """Where MLflow's pages are."""
    uri = os.environ.get("MLFLOW_TRACKING_URI", "")
    return uri.rstrip("/") if uri.startswith("http") else f"http://127.0.0.1:{os.environ.get('MLFLOW_PORT', '5000')}"
