"""How processes hang together: a child ends with its parent, orphans come to a guard. Linux alone offers both."""

import ctypes
import signal
import sys

import psutil

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36  # linux/prctl.h


def end_with_parent() -> None:
    """Called in a child before its command (`preexec_fn`): it gets SIGTERM when its parent ends, however that ends."""
    _prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM))


def adopt_orphans() -> None:
    """From now on a descendant whose parent ends becomes a child of this process."""
    _prctl(PR_SET_CHILD_SUBREAPER, 1)


def is_alive(process: psutil.Process) -> bool:
    """Whether it has not ended: a zombie has."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def of_workers(variable: str, value: str) -> list[psutil.Process]:
    """What this process's children have started with this in its environment."""
    return [one for worker in psutil.Process().children() for one in _children(worker) if _has(one, variable, value)]


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children()
    except psutil.NoSuchProcess:
        return []


def _has(process: psutil.Process, variable: str, value: str) -> bool:
    try:
        return process.environ().get(variable) == value
    except (psutil.NoSuchProcess, psutil.AccessDenied):  # ended, or a zombie
        return False


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)
